from imbclf.losses.weighted_sum import WeightedSum


class Compound(WeightedSum):
    """Base of the named sums of two losses: one set of options, each handed to the part it belongs to.

    A subclass names the parts, their weights, and which options belong to the first part or to both; all others are the
    second's. All of them are attributes of the parts, `loss.losses[0]` and `loss.losses[1]`.

    Args:
        weights: weight of the first and of the second part.
        reduction, name, dtype: see `ImbalanceLoss`.
        **options: options of the parts.
    """

    first = second = None
    default_weights = (1.0, 1.0)
    default_name = None
    shared_options = ("from_logits", "ignore_class", "class_weight")
    first_options = ()

    def __init__(self, weights=None, reduction="sum_over_batch_size", name=None, dtype=None, **options):
        both = {key: options.pop(key) for key in self.shared_options if key in options}
        both |= {"reduction": reduction, "dtype": dtype}
        of_first = {key: options.pop(key) for key in self.first_options if key in options}
        parts = [self.first(**of_first, **both), self.second(**options, **both)]
        weights = self.default_weights if weights is None else weights
        super().__init__(parts, weights, reduction=reduction, name=name or self.default_name, dtype=dtype)

    def get_config(self):
        first, second = self.losses
        return {
            **second.get_config(),
            **{key: first.get_config()[key] for key in self.first_options},
            "weights": self.weights,
            "reduction": self.reduction,
            "name": self.name,
            "dtype": self.dtype,
        }

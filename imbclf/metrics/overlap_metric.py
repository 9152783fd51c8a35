"""What the Dice score and the intersection over union share: averages, absent classes, the background."""

from keras import ops

from imbclf.errors import InputError
from imbclf.metrics.confusion_metric import ConfusionMetric, mean_over

AVERAGES = (None, "macro", "micro")
ABSENT = ("skip", "count")


class OverlapMetric(ConfusionMetric):
    """Base of the metrics that compare the voxels of a class in the truth with those in the prediction.

    A subclass states its formula in `overlap(true_positives, actual, predicted)`, which gives 0 where nothing is there.

    Args:
        num_classes: K; 1 or 2 for a sigmoid channel.
        average: `None` for one value per class, `"macro"` for their mean, `"micro"` for the formula on counts summed
            over the classes.
        absent: what a class without a true voxel is worth. `"skip"`: the macro mean leaves it out, and it has the value
            0 per class (NaN would end a training that watches it); a warning names it. `"count"`: 1 where it is not
            predicted either, 0 where it is.
        include_background: whether class 0 is scored; without it K - 1 classes are.
        name, dtype, from_logits, ignore_class, class_names: as in `ConfusionMetric`.

    Raises:
        InputError: an unknown `average` or `absent`.
    """

    def __init__(
        self,
        num_classes,
        average="macro",
        absent="skip",
        include_background=True,
        name=None,
        dtype=None,
        from_logits=False,
        ignore_class=None,
        class_names=None,
    ):
        super().__init__(num_classes, name, dtype, from_logits, ignore_class, class_names)
        if average not in AVERAGES:
            raise InputError(f'average must be None, "macro" or "micro"; received {average!r}.')
        if absent not in ABSENT:
            raise InputError(f'absent must be "skip" or "count"; received {absent!r}.')
        self.average = average
        self.absent = absent
        self.include_background = include_background

    def overlap(self, true_positives, actual, predicted):
        """The score of classes with these counts, each `(K,)` or a scalar."""
        raise NotImplementedError

    def result(self):
        counts = self.counts.values()
        first = 0 if self.include_background else 1
        actual = ops.sum(counts, axis=1)
        if self.average != "micro" and self.absent == "skip":
            consequence = "its value is 0" if self.average is None else "the mean leaves it out"
            self.warn_of_absent(actual, consequence, classes=range(first, self.num_rows))
        true_positives, actual, predicted = (
            values[first:] for values in (ops.diagonal(counts), actual, ops.sum(counts, axis=0))
        )
        if self.average == "micro":
            score = self.overlap(ops.sum(true_positives), ops.sum(actual), ops.sum(predicted))
        else:
            score = self.overlap(true_positives, actual, predicted)
            if self.absent == "count":
                nowhere = (actual == 0) & (predicted == 0) & (ops.sum(counts) > 0)
                score = ops.where(nowhere, ops.ones_like(score), score)
            if self.average == "macro":
                score = mean_over(score, actual) if self.absent == "skip" else ops.mean(score)
        # NaN, the mark of a label out of range, must reach the result from the background as well.
        return ops.cast(score + 0 * ops.sum(counts), self.dtype)

    def get_config(self):
        own = {"average": self.average, "absent": self.absent, "include_background": self.include_background}
        return {**super().get_config(), **own}

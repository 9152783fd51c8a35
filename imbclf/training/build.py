"""From a configuration to the objects that every task trains with: loss, augmentation, optimizer."""

import keras

import imbclf
from imbclf import augment as augmentation_layers
from imbclf.augment.published_chain import layer_seed
from imbclf.errors import InputError
from imbclf.training.config import check_name, check_options


def build_loss(config, **defaults):
    """The loss that a configuration names, with its options; `defaults` are for those it has and does not name."""
    losses = imbclf.losses
    name = check_name(config.loss.name, losses.__all__, "loss")
    return _make(getattr(losses, name), config.loss.options, "loss", defaults)


def build_augmentation(config, image_shape):
    """The augmentation as layers in order, each built for what the one before leaves and with a seed of its own."""
    known = [name for name in augmentation_layers.__all__ if isinstance(getattr(augmentation_layers, name), type)]
    layers, shape = [], tuple(image_shape)
    for position, entry in enumerate(config.augment):
        key = f"augment.{position}"
        name = check_name(entry.name, known, key)
        options = {"seed": layer_seed(config.seed, position), **entry.options}
        layers.append(_make(getattr(augmentation_layers, name), options, key, image_shape=shape))
        shape = tuple(layers[-1].compute_output_shape((None, *shape))[1:])
        if config.task == "segmentation" and shape != tuple(image_shape):
            raise InputError(
                f"{key} ({name}): windows have the size patches.size, {tuple(image_shape[:-1])}, which no layer may "
                "change; leave it out and set patches.size instead."
            )
    return layers


def compile_model(model, config, loss, steps_per_epoch, **metrics):
    """Compile with Adam, whose learning rate falls to 0 along a cosine.

    `metrics` are those of `model.compile`: `metrics` never see sample weights, `weighted_metrics` do.
    """
    training = config.training
    warmup = training.warmup_epochs * steps_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=training.learning_rate * (0.01 if warmup else 1),
        decay_steps=max(1, training.epochs * steps_per_epoch - warmup),
        warmup_target=training.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, weight_decay=training.weight_decay),
        loss=loss,
        **metrics,
        jit_compile=False if _xla_is_slow(model) else "auto",
    )
    return model


def _xla_is_slow(model):
    """Whether TensorFlow would run 3D convolutions through XLA on a CPU, where it is many times slower."""
    if keras.backend.backend() != "tensorflow" or len(model.input_shape) < 5:
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def _make(cls, options, key, defaults=None, image_shape=None):
    """An instance of `cls`; an unknown option or a value it refuses becomes an `InputError` that names the key.

    A layer is built for images of `image_shape`, so that it can refuse those too.
    """
    try:
        known = cls().get_config()
    except TypeError:
        known = None
    if known is not None:
        check_options(options, list(known), key)
        options = {**{name: value for name, value in (defaults or {}).items() if name in known}, **options}
    try:
        made = cls(**options)
        if image_shape is not None:
            made.build((None, *image_shape))
        return made
    except (TypeError, ValueError) as error:
        raise InputError(f"{key} ({cls.__name__}): {error}") from None

"""The one error of the package, and what its sentences share."""

from numbers import Integral


class InputError(ValueError):
    """Something the user gave cannot be used: a file, a row, a key, a label.

    The message is one sentence for a person: what was expected, what came, where, and what to do. The command line
    prints it alone and exits with status 2.
    """


def continued(error):
    """The sentence of an error, to stand after a colon.

    >>> continued(InputError("There are no images."))
    'there are no images.'
    """
    return f"{str(error)[0].lower()}{str(error)[1:]}"


def whole(value, name, least):
    """A whole number that the user gave, as int; `InputError` unless it is one from `least` on.

    >>> whole(3, "batch_size", least=1)
    3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(f"{name} must be a whole number from {least} on, not {value!r}.")
    return int(value)

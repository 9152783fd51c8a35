"""The one error of the package."""


class InputError(ValueError):
    """Something the user gave cannot be used: a file, a row, a key, a label.

    The message is one sentence for a person: what was expected, what came, where, and what to do. The command line
    prints it alone and exits with status 2.
    """

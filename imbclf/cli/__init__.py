"""The command `imbclf`: one command, few verbs. Nothing heavy is imported before a verb needs it."""

import os
import sys

import imbclf
from imbclf.cli import data, prepare, runs
from imbclf.cli.parsing import VerbParser
from imbclf.errors import InputError

BAD_INPUT, INTERRUPTED = 2, 130


def main(arguments=None):
    """Run one verb; returns the exit status: 0, 2 for bad input (one sentence on standard error), 130 for Ctrl-C."""
    parser = _parser()
    options, options.overrides = parser.parse_known_args(arguments)
    strange = [word for word in options.overrides if word.startswith("-") or "=" not in word]
    if strange:
        parser.error(f"unrecognized arguments: {' '.join(strange)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return options.verb(options) or 0
    except InputError as error:
        print(f"imbclf: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt as stop:
        print(f"imbclf: {stop or 'Stopped.'}", file=sys.stderr)
        return INTERRUPTED


def _parser():
    parser = VerbParser(
        prog="imbclf", description="Train classifiers on imbalanced images, and say with error bars how good they are."
    )
    parser.add_argument("--version", action="version", version=f"imbclf {imbclf.__version__}")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    data.add_verbs(verbs)
    prepare.add_verbs(verbs)
    runs.add_verbs(verbs)
    return parser

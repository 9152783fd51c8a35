"""What the verbs of the command line have in common: `key=value`, `--print-config` and `--dry-run`."""

import argparse
import difflib

import yaml

from imbclf.errors import InputError

COMMON = ("help", "print_config", "dry_run")


class VerbParser(argparse.ArgumentParser):
    """A parser that remembers its arguments, so that they can be printed, and its options set by `key=value` too."""

    def __init__(self, *arguments, **options):
        self.own = {}
        super().__init__(*arguments, **options)

    def add_argument(self, *names, **options):
        action = super().add_argument(*names, **options)
        if action.dest not in COMMON:
            self.own[action.dest] = action
        return action


def add_verb(verbs, name, function, description, keys="keys of the configuration, such as evaluation.bootstrap=500"):
    """The parser of a new verb, which calls `function(options)`; `options.overrides` are the words `key=value`."""
    parser = verbs.add_parser(
        name,
        help=description,
        description=f"{description[0].upper()}{description[1:]}.",
        epilog=f"Words key=value may stand anywhere: {keys}.",
    )
    parser.set_defaults(verb=function)
    parser.add_argument("--print-config", action="store_true", help="print what holds, with defaults; do nothing else")
    parser.add_argument("--dry-run", action="store_true", help="say what would become of it; write nothing")
    return parser


def add_verb_of_options(verbs, name, function, description):
    """The parser of a verb without a configuration, whose options `key=value` sets: `size=64` is `--size 64`."""

    def verb(options):
        for override in options.overrides:
            _override(options, parser.own, override)
        if options.print_config:
            values = {key: _plain(getattr(options, key)) for key in parser.own}
            print(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), end="")
            return 0
        return function(options)

    parser = add_verb(verbs, name, verb, description, "options without their dashes, such as workers=4")
    return parser


def _override(options, own, override):
    key, _, text = override.partition("=")
    action = own.get(key.replace("-", "_"))
    if action is None or not action.option_strings:
        known = [name for name, action in own.items() if action.option_strings]
        near = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
        raise InputError(f"Unknown key {key} in {override!r}; {hint}")
    setattr(options, action.dest, _value(action, key, text, getattr(options, action.dest)))


def _value(action, key, text, before):
    """What an option becomes when a word gives it a text."""
    if text == "null" and action.default is None:
        return None
    convert = action.type or str
    try:
        if action.nargs == 0:
            return {"true": True, "false": False}[text]
        if isinstance(action.nargs, int):
            words = text.strip("[]()").split(",")
            if len(words) != action.nargs:
                raise ValueError
            return tuple(convert(word) for word in words)
        value = convert(text)
    except (ValueError, KeyError):
        number = "a whole number" if convert is int else "a number"
        expected = {0: "true or false", None: number}.get(action.nargs, f"{action.nargs} numbers with commas")
        raise InputError(f"{key} takes {expected}, not {text!r}.") from None
    if action.choices is not None and value not in action.choices:
        raise InputError(f"{key} must be {' or '.join(action.choices)}, not {text!r}.")
    # An option that can be given several times collects its values.
    return [*before, value] if isinstance(before, list) else value


def _plain(value):
    """A value as YAML writes it."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float | None) else str(value)

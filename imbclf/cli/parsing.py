"""What the verbs of the command line have in common."""


def add_verb(verbs, name, function, description):
    """The parser of a new verb, which calls `function(options)`."""
    parser = verbs.add_parser(name, help=description, description=f"{description[0].upper()}{description[1:]}.")
    parser.set_defaults(verb=function)
    return parser


def add_overrides(parser):
    """Let a verb take `key=value`."""
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="keys of the configuration, such as training.epochs=20"
    )

# SPDX-License-Identifier: GPL-2.0-only
"""How a group declares a verb: the function that does it, what it does, and its options."""


def option(*names, **settings):
    """An argument, as add_argument() takes it."""
    return names, settings


def verb(verbs, func, text, *options, more=""):
    """Add a verb, which is named after its function; @more is for its own --help only."""
    sub = verbs.add_parser(func.__name__.removeprefix("do_"), help=text,
                           description=f"{text[0].upper()}{text[1:]}. {more}".strip())
    sub.set_defaults(func=func)
    for names, settings in options:
        sub.add_argument(*names, **settings)

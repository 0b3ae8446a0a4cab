# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that write what the lab itself knows into the pages."""
from ..core.errors import Fail
from ..core.process import say
from ..flows import back_ends, pages, results
from .verb import verb

def do_table(_):
    print(results.last(), end="")


def do_docs(args):
    written = blocks(args.verbs)
    try:
        written.append((results.PAGE, results.BLOCK, results.last()))
    except Fail as err:
        say(f"note: {results.PAGE} stays as it is: {err}")
    for page, name, text in written:
        print(f"{page}: {'updated' if pages.put(page, name, text) else 'up to date'}")


def blocks(verbs):
    """What can be written without a test run: (page, block, text)."""
    return [("README.md", "upstream files", pages.upstream_files()),
            ("docs/backporting.md", "sets", pages.sets()),
            ("docs/submitting.md", "answers", pages.answers()),
            ("docs/backends.md", "back ends", back_ends.table()),
            ("docs/commands.md", "commands", commands(verbs)),
            ("docs/scenarios.md", "keys", pages.scenario_keys())]


def commands(verbs):
    """All verbs with their options, as Markdown: not format_help(), which depends on Python."""
    return "\n".join(section(name, parser) for name, parser in verbs.items())


def section(name, parser):
    # argparse has no public way to list the arguments of a parser.
    actions = [action for action in parser._actions if action.dest != "help"]
    rows = [("argument", "meaning"), *((f"`{spelled(action)}`", action.help % vars(action))
                                       for action in actions)]
    words = " ".join([name, *(usage(action) for action in actions)])
    return f"## ./vdma {name}\n\n    ./vdma {words}\n\n{parser.description}\n" \
        + ("\n" + pages.markdown(rows) if actions else "")


def spelled(action):
    """An argument as one types it: --name VALUE, --flag or VALUE."""
    value = action.metavar if action.nargs != 0 else None
    return " ".join([*action.option_strings[-1:], *filter(None, [value])])


def usage(action):
    text = spelled(action)
    if action.nargs == "*":
        return f"[{text}...]"
    return text if action.required else f"[{text}]"


def add(verbs):
    verb(verbs, do_table, "print the table of modes that the last './vdma test' saw")
    verb(verbs, do_docs, "write the generated parts of README.md and docs/",
         more="These are the map of upstream's files, the sets, the back ends, the verbs, the keys of"
         " a scenario and the table of modes. './vdma test' fails if one of them is out of date.")

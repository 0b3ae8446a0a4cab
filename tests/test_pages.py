# SPDX-License-Identifier: GPL-2.0-only
"""The pages are true, as far as that can be seen without a boot."""
import contextlib
import functools
import io
import re
import shlex
import unittest
from pathlib import Path

from lab.cli import main, pages as commands
from lab.core.errors import Fail
from lab.flows import pages
from lab.model import mutation, scenario

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "HACKING.md", *sorted((ROOT / "docs").glob("*.md"))]
# A generated page shows what may be typed, not what one types.
BY_HAND = [page for page in PAGES if page.name != "commands.md"]
# One for all commands of all pages: to make it takes far longer than to use it.
parser = functools.cache(main.parser)


def typed(text):
    """The ./vdma commands of a page: whole lines of examples, and those in the text."""
    for line in re.findall(r"^    (?:\w+=\S+ )?\./vdma (.*)$|`(?:\w+=\S+ )?\./vdma ([^`]+)`", text, re.M):
        yield shlex.split("".join(line), comments=True)


def parsed(words):
    """A command's arguments, or nothing if it is not one."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        return parser().parse_args(words)
    return None


def broken(page):
    """The links of a page that lead nowhere."""
    return [target for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
            if not (page.parent / target).exists()]


class Pages(unittest.TestCase):
    def test_blocks_are_up_to_date(self):
        for page, name, text in commands.blocks(parser().get_default("verbs")):
            with self.subTest(page=page, block=name):
                self.assertEqual(pages.shown(page, name), text, "./vdma docs writes it")

    def test_control_a_missing_block_is_seen(self):
        with self.assertRaises(Fail):
            pages.shown("README.md", "no such block")

    def test_links_lead_somewhere(self):
        for page in PAGES:
            self.assertEqual(broken(page), [], page.name)

    def test_entries_that_are_named_exist(self):
        """Their numbers change with those before them."""
        for page in [*PAGES, *(ROOT / "bases").glob("*.toml"), *(ROOT / "lab").rglob("*.toml")]:
            named = re.findall(r"\b(?:qemu/|spec/|swiotlb/)?series/\d\d-[\w-]+", page.read_text())
            with self.subTest(page=page.name):
                self.assertEqual([name for name in named if not (ROOT / name).exists()], [])

    def test_commands_are_commands(self):
        for page in BY_HAND:
            for words in typed(page.read_text()):
                # A verb alone is named, not typed.
                verb = parser().get_default("verbs").keys() & {" ".join(words)}
                with self.subTest(page=page.name, command=" ".join(words)):
                    self.assertTrue(verb or parsed(words))

    def test_scenarios_of_commands_exist(self):
        known = scenario.load()
        for page in BY_HAND:
            for words in filter(lambda words: words[0] == "boot", typed(page.read_text())):
                named = [name for name in getattr(parsed(words), "scenario", ())
                         if name != name.upper()]
                with self.subTest(page=page.name, command=" ".join(words)):
                    self.assertEqual(set(named) - set(known), set())

    def test_mutations_of_commands_exist(self):
        known = mutation.load()
        for page in BY_HAND:
            for words in filter(lambda words: words[0] == "mutate", typed(page.read_text())):
                with self.subTest(page=page.name, command=" ".join(words)):
                    self.assertEqual(set(words[1:]) - set(known), set())

    def test_control_what_is_no_command_is_seen(self):
        self.assertIsNone(parsed(["boot", "--nothing"]))
        self.assertEqual(list(typed("    ./vdma boot a  # b\n`KERNEL=x ./vdma list`")),
                         [["boot", "a"], ["list"]])


if __name__ == "__main__":
    unittest.main()

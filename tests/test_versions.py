# SPDX-License-Identifier: GPL-2.0-only
"""Versions of kernels: read, compared, and taken or refused."""
import os
import random
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

from lab.core.errors import Fail
from lab.patches import base
from lab.patches.base import Base, number, read_release, release_of

# From the oldest to the newest.
ORDER = ["6.1.9", "6.1.170", "6.12.0-rc1", "6.12.0-rc2", "6.12.0-rc10", "6.12.0", "6.12.1",
         "6.12.117", "7.0.0-rc7", "7.0.0", "7.3.4"]


def makefile(version="6", patchlevel="12", sublevel="9", extra=""):
    return ("# SPDX-License-Identifier: GPL-2.0\n"
            f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = {sublevel}\n"
            f"EXTRAVERSION ={' ' + extra if extra else ''}\nNAME = Baby Opossum Posse\n")


class Compare(unittest.TestCase):
    def test_versions_sort(self):
        mixed = random.Random(1).sample(ORDER, len(ORDER))
        self.assertEqual(sorted(mixed, key=number), ORDER)

    def test_no_two_of_them_are_equal(self):
        self.assertEqual(len({tuple(number(release)) for release in ORDER}), len(ORDER))

    def test_control_as_text_they_would_not_sort(self):
        self.assertNotEqual(sorted(ORDER), ORDER)


class Names(unittest.TestCase):
    def test_a_debian_version_has_the_kernel_s_name(self):
        for version, release in (("6.12.48-1", "6.12.48"), ("6.12.48-1~bpo12+1", "6.12.48"),
                                 ("6.17~rc3-1~exp1", "6.17.0-rc3"), ("6.17-1~exp1", "6.17.0"),
                                 ("6.1.170-3", "6.1.170")):
            self.assertEqual(release_of(version), release, version)

    def test_a_makefile_is_read(self):
        self.assertEqual(read_release(makefile()), "6.12.9")
        self.assertEqual(read_release(makefile("7", "0", "0", "-rc2")), "7.0.0-rc2")

    def test_a_makefile_of_something_else_is_refused(self):
        for text in ("", "all:\n\tcc x.c\n", makefile().replace("SUBLEVEL", "SUBLEVELS")):
            with self.assertRaisesRegex(Fail, "no kernel version in the Makefile"):
                read_release(text)


class Check(unittest.TestCase):
    tested = types.SimpleNamespace(name="6.12", version="6.12", tested=("6.12.10", "6.12.20"))

    def check(self, *words, base_=None):
        """What the lab says of a tree with this Makefile, or of none."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(base, "say") as say:
            path = Path(folder) / "Makefile"
            if words:
                path.write_text(makefile(*words))
            base.check_version(path, base_ or self.tested)
        return [call.args[0] for call in say.call_args_list]

    def test_what_is_tested_is_taken(self):
        for sublevel in ("10", "15", "20"):
            self.assertEqual(self.check("6", "12", sublevel), [])

    def test_what_is_newer_is_taken_with_a_note(self):
        note, = self.check("6", "12", "21")
        self.assertIn("Linux 6.12.21 is newer than 6.12.20", note)

    def test_what_is_older_is_tried_with_a_note(self):
        for words in (("6", "12", "9"), ("6", "12", "10", "-rc1")):
            note, = self.check(*words)
            self.assertIn("is older than 6.12.10", note)

    def test_another_one_is_refused(self):
        for words in (("6", "13", "0"), ("6", "1", "200"), ("6", "120", "15")):
            with self.assertRaisesRegex(Fail, "base 6.12 needs a 6.12"):
                self.check(*words)

    def test_what_is_no_tree_is_refused(self):
        with self.assertRaisesRegex(Fail, "is not a kernel tree"):
            self.check()


class Own(unittest.TestCase):
    """A tree of the user's."""

    def test_any_version_can_be_tried_and_no_other_is_taken(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "Makefile").write_text(makefile("6", "18", "3"))
            with mock.patch.dict(os.environ, KERNEL=folder, VDMA_CACHE=f"{folder}/cache"):
                self.assertEqual(Base("mainline", any_version=True).own, folder)
                with self.assertRaisesRegex(Fail, "is Linux 6.18.3: base mainline needs") as caught:
                    Base("mainline")
        self.assertIn("./vdma bases mainline", caught.exception.hint)


class Order(unittest.TestCase):
    def order(self, *versions):
        made = Base.__new__(Base)
        made.tested = "6.12.10", "6.12.20"
        return made.order(list(versions))

    def test_tested_versions_come_first_and_the_newest_of_them(self):
        self.assertEqual(
            self.order("6.12.9-1", "6.12.10-1", "6.12.30-1", "6.12.20-1", "6.12.25-1"),
            ["6.12.20-1", "6.12.10-1", "6.12.30-1", "6.12.25-1"])

    def test_older_ones_are_not_tried(self):
        self.assertEqual(self.order("6.12.9-1", "6.12~rc9-1"), [])

    def test_it_does_not_matter_how_the_archive_lists_them(self):
        versions = ["6.12.11-1", "6.12.9-1", "6.12.100-1", "6.12.19-1"]
        found = {tuple(self.order(*random.Random(n).sample(versions, 4))) for n in range(9)}
        self.assertEqual(found, {("6.12.19-1", "6.12.11-1", "6.12.100-1")})


class Bases(unittest.TestCase):
    def test_an_unknown_base_is_refused_with_those_that_there_are(self):
        with self.assertRaisesRegex(Fail, "unknown base '5.4'") as caught:
            Base("5.4")
        for name in base.names():
            self.assertIn(name, caught.exception.hint)


if __name__ == "__main__":
    unittest.main()

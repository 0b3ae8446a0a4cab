# SPDX-License-Identifier: GPL-2.0-only
"""To whom mails go, and what upstream calls a release."""
import email.header
import email.utils
import functools
import os
import subprocess
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

from lab.core import git
from lab.core.errors import Fail
from lab.core.git import WHO
from lab.patches import earlier, mbox, series
from lab.patches.base import Base, names
from lab.patches.qemu import companions, Qemu
from lab.patches.spec import Spec

from .made import diff, hunk, Made

MAIL = "From 123\nSubject: [PATCH] x\nDate: now\n\nText\n\nTo: nobody\n---\n"
ANN, BOB, LIST = "Ann <ann@a.invalid>", "Bob <bob@b.invalid>", "list@l.invalid"


class Addressed(unittest.TestCase):
    def test_names_go_into_the_header_and_the_rest_stays(self):
        mail = mbox.addressed(MAIL, {"To": [ANN], "Cc": [BOB, LIST]})
        head, _, body = mail.partition("\n\n")
        self.assertEqual(head, "From 123\nSubject: [PATCH] x\nDate: now\n"
                               f"To: {ANN}\nCc: {BOB},\n {LIST}")
        self.assertEqual(body, MAIL.partition("\n\n")[2])

    def test_who_reads_mails_finds_the_names(self):
        read = email.message_from_string(mbox.addressed(MAIL, {"Cc": [BOB, LIST, ANN]}))
        self.assertEqual("".join(read["Cc"].splitlines()), f"{BOB}, {LIST}, {ANN}")
        self.assertIsNone(read["To"])

    def test_each_name_is_there_once(self):
        mail = mbox.addressed(MAIL, {"To": [ANN, BOB, ANN]})
        self.assertEqual(mail.count(ANN), 1)

    def test_without_names_there_is_no_field(self):
        self.assertEqual(mbox.addressed(MAIL, {"To": [], "Cc": []}), MAIL)


class Address(unittest.TestCase):
    """What get_maintainer.pl says is made up."""

    knows = {"1.patch": {"To": [ANN], "Cc": [LIST, ANN]}, "2.patch": {"To": [], "Cc": []},
             "3.patch": {"To": [BOB], "Cc": [LIST]}}

    def setUp(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.base = types.SimpleNamespace(tree=folder)
        self.files = [folder / f"{name}.patch" for name in ("0", "1", "2", "3")]
        for file in self.files:
            file.write_text(MAIL)
        self.there = {"scripts/get_maintainer.pl", "MAINTAINERS"}
        self.asked = []

    def show(self, tree, verb, what):
        """git's answer to what a file was in a commit."""
        commit, _, path = what.partition(":")
        self.assertEqual((tree, verb, commit), (self.base.tree, "show", "last"))
        if path not in self.there:
            raise subprocess.CalledProcessError(128, "git")
        return path

    def maintainers(self, *cmd, cwd, **_):
        """What the script says: maintainers without lists, or all but maintainers."""
        self.asked.append(cmd[-1].name)
        self.assertEqual((cmd[:2], (Path(cwd) / "MAINTAINERS").read_text()),
                         (("perl", "get_maintainer.pl"), "MAINTAINERS\n"))
        field = "Cc" if "--nom" in cmd else "To"
        self.assertEqual("--nol" in cmd, field == "To")
        return "\n".join(self.knows[cmd[-1].name][field])

    def headers(self, covered=True, more=()):
        with mock.patch.object(mbox, "run", self.maintainers), \
                mock.patch.object(mbox, "git", self.show):
            mbox.address(self.base, "last", self.files, covered, more)
        read = [email.message_from_string(file.read_text()) for file in self.files]
        return [tuple("".join((mail[field] or "-").splitlines()) for field in ("To", "Cc"))
                for mail in read]

    def test_each_patch_goes_to_its_own_people_and_the_cover_to_all(self):
        cover, first, second, third = self.headers()
        self.assertEqual(first, (ANN, LIST))
        self.assertEqual(third, (BOB, LIST))
        # Nobody has the file of the second: it goes to those of the patches behind it.
        self.assertEqual(second, (BOB, LIST))
        self.assertEqual(cover, (f"{BOB}, {ANN}", LIST))

    def test_without_a_cover_the_first_patch_has_people_of_its_own(self):
        self.files = self.files[1:]
        self.assertEqual(self.headers(covered=False)[0], (ANN, LIST))

    def test_all_mails_go_to_those_whom_a_set_names_and_to_nobody_twice(self):
        cover, first, second, third = self.headers(more=["Ann B <ann@a.invalid>", "o@o.invalid"])
        self.assertEqual(first, (ANN, f"{LIST}, o@o.invalid"))
        self.assertEqual(third, (BOB, f"{LIST}, Ann B <ann@a.invalid>, o@o.invalid"))
        self.assertEqual(cover, (f"{BOB}, {ANN}", f"{LIST}, o@o.invalid"))
        self.assertEqual(second[0], BOB)

    def test_the_script_is_not_asked_about_the_cover(self):
        self.headers()
        self.assertEqual(sorted(set(self.asked)), ["1.patch", "2.patch", "3.patch"])

    def test_a_tree_without_the_script_leaves_the_mails_alone(self):
        self.there.clear()
        self.assertEqual(self.headers(), [("-", "-")] * 4)


class OfASet(Made):
    def mails(self, only, *args):
        files = mbox.write(self.base(), self.folder / f"out-{only}-{len(args)}", *args)
        return [Path(file).read_text() for file in files]

    def subjects(self, only, reroll=None):
        return [email.message_from_string(mail)["Subject"]
                for mail in self.mails(only, reroll, only, ("Ann", "ann@a.invalid"))]

    def test_what_it_says_is_in_a_cover_or_below_its_only_message(self):
        self.put_set("late", 'commits = ["not-on-old"]\nmail = """Who hits it."""\n')
        self.put_set("early", 'commits = ["first-one", "second-one"]\nneeds = ["late"]\n'
                     'subject = "Two of them"\nmail = """\nWho hits them.\n"""\n')
        who = "Ann", "ann@a.invalid"
        alone, = self.mails("late", None, "late", who)
        self.assertIn("\n---\nWho hits it.\n\n", alone)
        cover, first, _ = self.mails("early", None, "early", who)
        self.assertIn("\nSubject: [PATCH 0/2] Two of them\n", cover)
        self.assertIn("\n\nWho hits them.\n\n", cover)
        self.assertIn("\nprerequisite-patch-id: ", cover)
        self.assertNotIn("Who hits", first)

    def test_one_that_asks_for_comments_says_so(self):
        self.put_set("late", 'commits = ["not-on-old"]\nrfc = true\n'
                     'changes = "v2: less."\n')
        self.assertEqual(self.subjects("late", 2), ["[RFC PATCH v2] kernel: Not on old"])

    def test_its_own_commits_are_mailed_without_a_cover(self):
        self.put_set("late", 'commits = ["not-on-old"]\n')
        self.put_set("early", 'commits = ["first-one", "second-one"]\nneeds = ["late"]\n'
                     'changes = "v2: less."\n')
        self.assertEqual(self.subjects("late"), ["[PATCH] kernel: Not on old"])
        self.assertEqual(self.subjects("early", 2), ["[PATCH v2 1/2] kernel: First one",
                                                     "[PATCH v2 2/2] kernel: Second one"])


    def test_it_says_what_it_applies_to_and_what_it_needs(self):
        self.put_set("late", 'commits = ["not-on-old"]\n')
        self.put_set("early", 'commits = ["first-one", "second-one"]\nneeds = ["late"]\n')
        alone, (first, second) = self.mails("late", None, "late"), self.mails("early", None, "early")
        self.assertRegex(alone[0], r"(?m)^base: v6\.12$")
        self.assertNotIn("prerequisite", alone[0])
        self.assertRegex(first, r"(?m)^base: v6\.12\nprerequisite-patch-id: [0-9a-f]{40}$")
        self.assertNotRegex(second, "base|prerequisite")

    def test_a_patch_that_is_named_gets_its_number(self):
        cover = self.folder / "series" / "cover"
        cover.write_text("all of it\n\nPatch {second-one}, {first-one} to {not-on-old}.\n")
        self.assertIn("\n\nPatch 2, 1 to 3.\n", self.mails("all")[0])
        self.put_set("late", 'commits = ["second-one", "not-on-old"]\nsubject = "Two"\n'
                     'mail = "Patch {not-on-old}."\n')
        self.assertIn("\n\nPatch 2.\n", self.mails("late", None, "late")[0])
        # It is in the series, but does not go out with the set.
        self.put_set("less", 'commits = ["not-on-old"]\nsubject = "One"\nmail = "{first-one}"\n')
        with self.assertRaisesRegex(Fail, "names first-one, which is no patch"):
            self.mails("less", None, "less")
        cover.write_text("all of it\n\nPatches {first-one} and {third-one}.\n")
        with self.assertRaisesRegex(Fail, "names third-one, which is no patch"):
            self.mails("all", None)

    def test_who_sends_it_signs_it(self):
        (self.folder / "series" / "cover").write_text("all of it\n\nText.\n")
        for mail in self.mails("all", None, None, ("Zo\u00eb", "zoe@z.invalid")):
            read = email.message_from_string(mail)
            name, address = email.utils.parseaddr(str(email.header.make_header(
                email.header.decode_header(read["From"]))))
            self.assertEqual((name, address), ("Zo\u00eb", "zoe@z.invalid"))
            self.assertNotIn(WHO["EMAIL"], mail)
            self.assertNotIn("NOT FOR SENDING", mail)

    def test_what_nobody_has_signed_is_not_for_sending(self):
        (self.folder / "series" / "cover").write_text("all of it\n\nText.\n")
        cover, *patches = self.mails("all")
        self.assertEqual(len(patches), 3)
        for mail in (cover, *patches):
            self.assertIn("\nSubject: [NOT FOR SENDING PATCH ", mail)
            self.assertEqual(mail.count(mbox.NOBODY), 1)
        self.assertIn(f"\n\n{mbox.NOBODY}\n", cover)
        # What is behind that line is in no commit.
        self.assertIn(f"\n---\n{mbox.NOBODY}\n", patches[0])

    def test_a_signature_takes_the_place_of_ours_and_no_other(self):
        own = "{NAME} <{EMAIL}>".format(**WHO)
        mail = f"From: {own}\nMessage-ID: <1.git.{WHO['EMAIL']}>\n\n{WHO['NAME']} (2):\n\n" \
            f"Signed-off-by: {own}\n---\n+ * Copyright (c) 2026 {WHO['NAME']}\n"
        self.assertEqual(mbox.signed(mail, ("Ann", "ann@a.invalid")),
                         f"From: {ANN}\nMessage-ID: <1.git.ann@a.invalid>\n\nAnn (2):\n\n"
                         f"Signed-off-by: {ANN}\n---\n+ * Copyright (c) 2026 {WHO['NAME']}\n")
        read = email.message_from_string(mbox.signed(mail, ("Zo\u00eb", "zoe@z.invalid")))
        self.assertEqual(read.get_content_charset(), "utf-8")
        self.assertIn("\nSigned-off-by: Zo\u00eb <zoe@z.invalid>\n", read.get_payload())


class Covers(unittest.TestCase):
    def test_the_covers_name_patches_that_there_are_and_type_no_number(self):
        for base in (*map(Base, names()), *map(Qemu, companions()), Spec()):
            with self.subTest(base.name):
                text = (base.series / "cover").read_text()
                self.assertNotRegex(text, r"\b[Pp]atch(es)? \d")
                self.assertNotIn("{", mbox.numbered(text, base, series.entries(base)))


class Reroll(Made):
    """A second version, from a repository of the test's own."""

    sets = {"late": 'commits = ["not-on-old"]\n',
            "early": 'commits = ["first-one", "second-one"]\nneeds = ["late"]\n'
                     'subject = "Two of them"\nmail = "Who hits them."\n'}

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.object(earlier, "ROOT", self.folder))
        (self.folder / ".gitignore").write_text("/cache\n")
        for name, text in self.sets.items():
            self.put_set(name, text)
        git.git(self.folder, "init", "-q")
        git.git(self.folder, "add", "-A")
        git.git(self.folder, "commit", "-q", "-m", "v1", env=git.identity("@0 +0000"))
        self.write({"02-second-one": {"common.diff": diff(
            hunk(20, "\tline 20;", "\tsecond;"), hunk(30, "\tline 30;", "\tanother;"))}})

    def mails(self, only, changes, since="HEAD"):
        self.put_set(only, self.sets[only] + f'changes = """\n{changes}\n"""\n')
        return [Path(file).read_text() for file in mbox.write(
            self.base(), self.folder / "cache" / "out", 2, only, ("Ann", "ann@a.invalid"), since)]

    def test_a_cover_has_the_changes_and_a_range_diff(self):
        cover, first, _ = self.mails("early", "v2: another line, as Bob said.")
        self.assertIn("\nSubject: [PATCH v2 0/2] Two of them\n", cover)
        self.assertIn("\n\nWho hits them.\n\nv2: another line, as Bob said.\n", cover)
        self.assertRegex(cover, r"(?m)^Range-diff against v1:\n1:  \w+ = 1:  \w+ kernel: First one\n"
                                r"2:  \w+ ! 2:  \w+ kernel: Second one$")
        self.assertRegex(cover, r"(?m)^    -\+\tthird;\n    \+\+\tanother;$")
        # What the set needs has changed neither, and is not of it.
        self.assertNotIn("Not on old", cover)
        self.assertNotIn("Range-diff", first)

    def test_a_patch_that_goes_alone_has_them_below_its_message(self):
        self.write({"03-not-on-old": {"message": "kernel: Not on old\n\nAs Bob said.\n"}})
        alone, = self.mails("late", "v2: says why.")
        self.assertIn("\n---\nv2: says why.\n", alone)
        self.assertRegex(alone, r"(?m)^Range-diff against v1:\n1:  \w+ ! 1:  \w+ kernel: Not on old$")
        self.assertIn("\n    +    As Bob said.\n", alone)

    def test_a_version_that_does_not_say_what_it_changes_is_refused(self):
        for text in ("", "v1: first.", "v22: much.", "v2:"):
            with self.assertRaisesRegex(Fail, "set early does not say what version 2 changes"):
                self.mails("early", text)

    def test_what_was_not_there_is_refused(self):
        with self.assertRaisesRegex(Fail, "'nowhere' is no revision"):
            self.mails("early", "v2: x.", "nowhere")
        self.sets = self.sets | {"new": 'commits = ["first-one"]\n'}
        with self.assertRaisesRegex(Fail, "as of HEAD: base one has no set 'new'"):
            self.mails("new", "v2: x.")


class Sender(unittest.TestCase):
    """Who git says that the user is; HOME is where its configuration is."""

    def sender(self, text):
        with tempfile.TemporaryDirectory() as home:
            (Path(home) / ".gitconfig").write_text(text)
            with mock.patch.dict(os.environ, HOME=home), mock.patch.object(
                    git, "run", functools.partial(git.run, cwd=home)):
                return git.sender()

    def test_it_is_the_user_of_git(self):
        self.assertEqual(self.sender("[user]\nname = Ann\nemail = ann@a.invalid\n"),
                         ("Ann", "ann@a.invalid"))

    def test_it_is_nobody_without_a_name_or_an_address_and_not_we(self):
        self.assertIsNone(self.sender(""))
        self.assertIsNone(self.sender("[user]\nname = Ann\n"))
        self.assertIsNone(self.sender("[user]\nname = {NAME}\nemail = {EMAIL}\n".format(**WHO)))


class Tag(unittest.TestCase):
    def test_linux_has_no_zero_at_the_end(self):
        for release, tag in (("Linux 6.12.0", "v6.12"), ("Linux 6.12.0-rc3", "v6.12-rc3"),
                             ("Linux 6.12.10", "v6.12.10"), ("Linux 6.0.0", "v6.0"),
                             ("Linux 6.1.30", "v6.1.30"), ("QEMU 10.0.0", "v10.0.0")):
            self.assertEqual(mbox.tag(release), tag, release)


if __name__ == "__main__":
    unittest.main()

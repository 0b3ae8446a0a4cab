# SPDX-License-Identifier: GPL-2.0-only
"""The series: its entries, the commits that are made of them, and the way back."""
import os
import subprocess
import unittest
from unittest import mock

from lab.core.errors import Fail
from lab.core.git import git
from lab.model import scenario
from lab.model.scenario import BASE
from lab.patches import series
from lab.patches.base import Base, names
from lab.patches.refresh import refresh
from lab.patches.series import date

from .made import ADDED, AMENDED, change, diff, hunk, Made, SERIES, SOURCE


# A file that the first entry adds and a later one changes, far from what a base amends.
LONG = "int added;\nint common;\n" + "".join(f"int n{n};\n" for n in range(6)) + "int last;\n"
LATER = diff("@@ -6,4 +6,4 @@ int n2;\n int n3;\n int n4;\n int n5;\n-int last;\n+int later;\n",
             path=ADDED)


class WithLater(Made):
    def put_later(self, more=None):
        special = "@@ -1,5 +1,5 @@\n int added;\n-int common;\n+int special;\n" + "".join(
            f" int n{n};\n" for n in range(3))
        two = SERIES["01-first-one"]["two.diff"].replace(AMENDED, diff(special, path=ADDED))
        self.write({"01-first-one": {"two.diff": two}, "04-later": {
            "message": "kernel: Later\n", "overlay.diff": LATER} | (more or {})})
        (self.folder / ADDED).write_text(LONG.replace("last", "later"))


class Entries(Made):
    def entry(self, name):
        return series.Entry(self.folder / "series" / name)

    def test_an_entry_is_read(self):
        first, second = self.entry("01-first-one"), self.entry("02-second-one")
        self.assertEqual((first.name, first.subject, first.adds),
                         ("01-first-one", "kernel: First one", [ADDED]))
        self.assertEqual(second.adds, [])

    def test_a_base_has_its_own_hunks_or_the_common_ones(self):
        first = self.entry("01-first-one")
        self.assertEqual(first.diff("one").name, "common.diff")
        self.assertEqual(first.diff("two").name, "two.diff")
        self.assertEqual(first.edits("one"), [SOURCE])
        self.assertEqual(first.paths("one"), [ADDED, SOURCE])

    def test_a_base_may_amend_a_file_that_is_added(self):
        first = self.entry("01-first-one")
        self.assertEqual(first.amends("two"), {ADDED})
        self.assertEqual(first.amends("one"), set())

    def test_a_diff_may_add_a_file_itself(self):
        self.write({"04-new": {"message": "x\n", "one.diff":
                               "--- /dev/null\n+++ b/kernel/one.c\n@@ -0,0 +1 @@\n+int one;\n"}})
        self.assertEqual(self.entry("04-new").creates(), {"kernel/one.c"})
        self.assertEqual(self.entry("01-first-one").creates(), set())

    def test_an_entry_without_hunks_has_none(self):
        self.write({"04-new": {"message": "x\n", "adds": f"{ADDED}\n"}})
        self.assertIsNone(self.entry("04-new").diff("one"))
        self.assertEqual(self.entry("04-new").paths("one"), [ADDED])

    def test_a_base_that_an_entry_says_nothing_of_is_refused(self):
        self.write({"04-new": {"message": "x\n", "one.diff": diff(hunk(9, "\tline 9;", "x"))}})
        self.assertEqual(self.entry("04-new").diff("one").name, "one.diff")
        with self.assertRaisesRegex(Fail, "commit 04-new has no hunks for base two") as caught:
            self.entry("04-new").diff("two")
        self.assertIn("two.none", caught.exception.hint)

    def test_a_base_without_a_commit_says_why_and_has_one_less(self):
        self.assertEqual(self.entry("03-not-on-old").missing("old"), "old has no line 40")
        self.assertIsNone(self.entry("03-not-on-old").missing("one"))
        count = {name: len(series.entries(self.base(name))) for name in ("old", "one")}
        self.assertEqual(count, {"old": 2, "one": 3})

    def test_which_folders_an_entry_touches(self):
        self.assertTrue(self.entry("01-first-one").touches("one", "kernel/"))
        self.assertFalse(self.entry("01-first-one").touches("one", "arch/"))


class Age(Made):
    def test_what_is_in_no_repository_is_as_old_as_its_newest_file(self):
        base = self.base()
        for path in base.series.rglob("*"):
            os.utime(path, (0, 1000))
        self.assertEqual(date(base), "@1000 +0000")
        os.utime(base.series / "02-second-one" / "message", (0, 2000))
        self.assertEqual(date(base), "@2000 +0000")


class Commits(WithLater):
    def test_each_entry_becomes_a_commit(self):
        base = self.base()
        made = series.commits(base)
        subjects = git(base.tree, "log", "--reverse", "--format=%s", f"base..{made[-1]}")
        self.assertEqual(subjects.splitlines(),
                         ["kernel: First one", "kernel: Second one", "kernel: Not on old"])
        self.assertEqual(git(base.tree, "show", f"{made[-1]}:{ADDED}"), "int added;\nint common;")
        text = git(base.tree, "show", f"{made[1]}:{SOURCE}")
        for number, new in ((10, "first"), (20, "second"), (30, "third"), (40, "line 40")):
            self.assertEqual(text.splitlines()[number - 1], f"\t{new};")
        self.assertEqual(len(series.commits(self.base("old"))), 2)

    def test_an_amended_file_is_its_base_s_own(self):
        base = self.base("two")
        last = series.commits(base)[-1]
        self.assertEqual(git(base.tree, "show", f"{last}:{ADDED}"), "int added;\nint special;")

    def test_a_file_is_added_without_what_later_entries_change(self):
        self.put_later()
        self.put_set("first", 'commits = ["first-one"]\n')
        for name, second in (("one", "common"), ("two", "special")):
            base = self.base(name)
            made = series.commits(base)
            texts = [git(base.tree, "show", f"{commit}:{ADDED}") + "\n" for commit in (
                series.commits(base, only="first")[-1], made[0], made[-2], made[-1])]
            text = LONG.replace("common", second)
            self.assertEqual(texts, [text] * 3 + [text.replace("last", "later")])
        self.assertEqual(series.folders(self.base())[-1].paths("one"), [ADDED])

    def test_a_later_change_that_the_overlay_does_not_have_is_named(self):
        self.put_later()
        (self.folder / ADDED).write_text(LONG)
        with self.assertRaisesRegex(Fail, "taking commit 04-later back: "):
            series.commits(self.base())

    def test_neither_the_tree_nor_its_branches_change(self):
        self.write({})  # They are made here, and not looked up.
        base = self.base()
        before = "", git(base.tree, "show-ref")
        series.commits(base)
        self.assertEqual((git(base.tree, "status", "--porcelain"),
                          git(base.tree, "show-ref")), before)
        self.assertEqual(list((base.tree / ".git").glob("vdma-index-*")), [])

    def test_a_set_has_its_commits_alone(self):
        self.put_set("late", 'commits = ["not-on-old"]\n')
        self.put_set("wrong", 'commits = ["second-one", "nothing"]\n')
        base = self.base()
        made = series.commits(base, only="late")
        self.assertEqual(git(base.tree, "diff", "--name-only", "base", made[-1]), SOURCE)
        self.assertEqual(len(made), 1)
        for name, text in (("never", "base one has no set 'never'"), ("wrong", "names nothing$")):
            with self.assertRaisesRegex(Fail, text):
                series.commits(base, only=name)

    def test_a_set_comes_behind_those_that_it_needs(self):
        self.put_set("early", 'commits = ["second-one"]\nneeds = ["late", "first"]\n')
        self.put_set("first", 'commits = ["first-one"]\nneeds = ["late"]\n')
        self.put_set("late", 'commits = ["not-on-old"]\n')
        found = {name: [e.name[:2] for e in series.entries(self.base(name), "early")]
                 for name in ("old", "one")}
        self.assertEqual(found, {"old": ["01", "02"], "one": ["03", "01", "02"]})

    def test_a_base_has_no_set_of_commits_that_it_lacks(self):
        self.put_set("late", 'commits = ["not-on-old"]\n')
        self.assertEqual(list(series.sets(self.base("one"))), ["late"])
        self.assertEqual(list(series.sets(self.base("old"))), [])

    def test_what_stops_the_series_on_a_tree_of_the_user_s_names_the_sets_that_apply(self):
        self.write({"02-second-one": {"common.diff": diff(hunk(20, "\tline 2000;", "\tx;"))}})
        for name, commit, needs in (("a", "not-on-old", []), ("b", "second-one", []),
                                    ("c", "first-one", ["a"]), ("d", "first-one", ["b"])):
            self.put_set(name, f'commits = ["{commit}"]\nneeds = {needs}\n')
        base = self.base()
        base.own = "linux"
        with mock.patch.object(series, "applies", wraps=series.applies) as tried, \
                self.assertRaisesRegex(Fail, "commit 02-second-one") as caught:
            series.commits(base)
        self.assertEqual(caught.exception.hint, "these sets apply there: a, c")
        # To find out takes a second per commit: what needs one that does not apply is not tried.
        self.assertEqual([call.args[1] for call in tried.call_args_list], ["a", "b", "c"])

    def test_a_hunk_that_does_not_apply_is_named(self):
        self.write({"02-second-one": {"common.diff": diff(
            hunk(20, "\tline 20;", "\tsecond;"), hunk(30, "\tline 3000;", "\tthird;"))}})
        with self.assertRaises(Fail) as caught:
            series.commits(self.base())
        self.assertEqual(str(caught.exception), f"commit 02-second-one: {SOURCE}, hunk 2"
                         " (@@ -27,7 +27,7 @@) does not apply")

    def test_hunks_are_counted_in_their_own_file(self):
        path = self.folder / "two-files.diff"
        path.write_text(diff(hunk(9, "a", "b"), hunk(20, "a", "b"))
                        + diff(hunk(20, "a", "b"), path=ADDED))
        self.assertEqual(series.hunk_of(path, SOURCE, "17"), "hunk 2 (@@ -17,7 +17,7 @@)")
        self.assertEqual(series.hunk_of(path, ADDED, "17"), "hunk 1 (@@ -17,7 +17,7 @@)")
        self.assertEqual(series.hunk_of(path, ADDED, "99"), "line 99")


class Sets(unittest.TestCase):
    """The sets of the kernel's series."""

    known = series.every_set(Base(BASE))

    def test_each_commit_is_in_one_set(self):
        self.assertEqual(sorted(name for data in self.known.values() for name in data["commits"]),
                         sorted(entry.short for entry in series.folders(Base(BASE))))

    def test_a_set_has_known_keys_and_needs_sets_that_exist(self):
        for name, data in self.known.items():
            with self.subTest(name):
                self.assertEqual(set(data.get("needs", ())) - set(self.known), set())
                self.assertEqual(set(data) - {"about", "commits", "needs", "scenario", "answers",
                                              "subject", "mail", "changes", "rfc", "cc"}, set())
                # Several commits have a cover letter with that subject; it has a text.
                self.assertLessEqual({"subject"} & set(data), {"subject"} if "mail" in data else set())
                self.assertTrue(data["answers"])

    def test_a_set_says_who_hits_it(self):
        for name, data in self.known.items():
            with self.subTest(name):
                self.assertIn("mail", data)
                self.assertEqual("subject" in data, len(data["commits"]) > 1)

    def test_the_bit_whose_number_is_not_assigned_goes_last(self):
        for name, data in self.known.items():
            self.assertNotIn("bit", data.get("needs", ()), name)
        last = [entry.short for entry in series.folders(Base(BASE))][-len(self.known["bit"]["commits"]):]
        self.assertEqual(last, self.known["bit"]["commits"])

    def test_each_commit_comes_behind_those_that_its_set_needs(self):
        order = [entry.short for entry in series.folders(Base(BASE))]
        for name, data in self.known.items():
            for need in data.get("needs", ()):
                with self.subTest(set=name, needs=need):
                    self.assertLess(max(map(order.index, self.known[need]["commits"])),
                                    min(map(order.index, data["commits"])))

    def test_documentation_comes_last_in_its_set(self):
        for name, data in self.known.items():
            with self.subTest(name):
                docs = [short.endswith("docs") for short in data["commits"]]
                self.assertEqual(docs, sorted(docs))

    def test_each_base_can_boot_what_proves_its_sets(self):
        for base in map(Base, names()):
            for name, data in series.sets(base).items():
                with self.subTest(base=base.name, set=name):
                    self.assertTrue(scenario.pick([data["scenario"]], base.name))


class RoundTrip(WithLater):
    def refreshed(self, name, *changes):
        """What differs in the series after a checkout, these changes and a refresh."""
        base, before = self.base(name), self.now()
        tree = self.checkout(base)
        for words in changes:
            change(tree, *words)
        refresh(base, tree)
        after = self.now()
        return {path: after.get(path) for path in before | after
                if before.get(path) != after.get(path)}

    def test_nothing_changes_on_any_base(self):
        """On one of them every hunk has moved, a file is amended, another lacks a commit."""
        for name in ("old", "one", "two"):
            with self.subTest(name):
                self.assertEqual(self.refreshed(name), {})

    def test_what_is_beside_the_entries_stays(self):
        self.put_set("late", 'commits = ["not-on-old"]\n')
        self.assertEqual(self.refreshed("one"), {})

    def test_a_commit_that_a_base_does_not_have_keeps_its_place(self):
        self.write({"04-last": {"message": "kernel: Last\n", "common.diff": diff(
            hunk(50, "\tline 50;", "\tlast;"))}})
        self.assertEqual(self.refreshed("old"), {})

    def test_what_changes_for_one_base_is_kept_beside_the_rest(self):
        found = self.refreshed("two", (SOURCE, "\tfourth;", "\tfifth;"))
        self.assertEqual(found, {"series/03-not-on-old/two.diff": diff(
            hunk(40, "\tline 40;", "\tfifth;", 5))})

    def test_a_new_commit_becomes_an_entry_and_its_file_the_overlay_s(self):
        found = self.refreshed("one", ("kernel/more.c", "", "int more;\n", "kernel: Some more"))
        self.assertEqual(found, {
            "series/04-some-more/message": "kernel: Some more\n",
            "series/04-some-more/adds": "kernel/more.c\n", "kernel/more.c": "int more;\n"})

    def test_a_script_stays_one(self):
        self.write({})
        base, script = self.base(), "kernel/script.py"
        tree = self.checkout(base)
        (tree / script).write_text("x\n")
        (tree / script).chmod(0o755)
        git(tree, "add", script)
        git(tree, "commit", "-q", "-m", "kernel: A script")
        refresh(base, tree)
        series.MADE.clear()
        self.assertEqual([git(base.tree, "ls-tree", series.commits(base)[-1], path)[:6]
                          for path in (script, ADDED)], ["100755", "100644"])

    def test_a_commit_may_edit_what_another_adds_and_the_overlay_has_the_end(self):
        found = self.refreshed("one", (ADDED, "int common;", "int other;", "kernel: An edit"))
        self.assertEqual(found, {
            "series/04-an-edit/message": "kernel: An edit\n",
            "series/04-an-edit/overlay.diff": diff(
                "@@ -1,2 +1,2 @@\n int added;\n-int common;\n+int other;\n", path=ADDED),
            ADDED: "int added;\nint other;\n"})

    def test_what_is_edited_later_goes_round_on_any_base(self):
        """On one of them the file is amended, on another there is no later commit."""
        self.put_later({"old.none": "old has no need\n"})
        for name in ("old", "one", "two"):
            with self.subTest(name):
                self.assertEqual(self.refreshed(name), {})

    def change_first(self, tree, old, new):
        """Change what the first of two commits adds."""
        second = git(tree, "rev-parse", "HEAD")
        git(tree, "reset", "-q", "--hard", "HEAD~1")
        change(tree, ADDED, old, new)
        git(tree, "cherry-pick", second)

    def test_a_change_before_a_later_edit_reaches_the_overlay(self):
        self.put_later({"old.none": "old has no need\n"})
        base = self.base("old")
        tree = self.checkout(base)
        self.change_first(tree, "int common;", "int everywhere;")
        refresh(base, tree)
        self.assertEqual((self.folder / ADDED).read_text(),
                         LONG.replace("common", "everywhere").replace("last", "later"))

    def test_a_change_that_a_later_edit_does_not_take_is_refused(self):
        self.put_later({"old.none": "old has no need\n"})
        before, base = self.now(), self.base("old")
        tree = self.checkout(base)
        self.change_first(tree, "int last;", "int gone;")
        with self.assertRaisesRegex(Fail, f"{ADDED} does not take what later commits change"):
            refresh(base, tree)
        self.assertEqual(self.now(), before)

    def test_a_file_that_is_no_longer_added_leaves_the_overlay(self):
        base = self.base()
        tree = self.checkout(base)
        self.put({"04-last": {"message": "kernel: Last\n", "adds": "kernel/last.c\n"}})
        (self.folder / "kernel" / "last.c").write_text("int last;\n")
        refresh(base, tree)
        self.assertEqual({path for path in self.now() if "last" in path}, set())
        self.assertIn(ADDED, self.now())

    def test_what_is_no_clean_tree_is_refused(self):
        base = self.base()
        with self.assertRaisesRegex(Fail, "is not a git tree"):
            refresh(base, self.folder)
        tree = self.checkout(base)
        (tree / SOURCE).write_text("changed\n")
        with self.assertRaisesRegex(Fail, "has uncommitted changes"):
            refresh(base, tree)

    def test_a_checkout_goes_nowhere_that_is_in_use(self):
        base = self.base()
        tree = self.checkout(base)
        self.assertEqual(git(tree, "log", "-1", "--format=%s %an"),
                         "kernel: Not on old virtio platform DMA developers")
        self.assertEqual(git(tree, "remote"), "")
        with self.assertRaisesRegex(Fail, "is in the way"):
            series.checkout(base, tree)

    def test_control_the_made_series_is_as_git_writes_it(self):
        """Else a round trip that changes nothing would say nothing."""
        base = self.base("two")
        last = series.commits(base)
        text = subprocess.run(["git", "-C", base.tree, "diff", f"{last[0]}^", last[0], "--",
                               SOURCE], capture_output=True, text=True, check=True).stdout
        own = SERIES["01-first-one"]["two.diff"].replace(AMENDED, "")
        self.assertEqual([line for line in text.splitlines() if not line.startswith("index")],
                         own.splitlines())


if __name__ == "__main__":
    unittest.main()

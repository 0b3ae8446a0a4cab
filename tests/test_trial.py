# SPDX-License-Identifier: GPL-2.0-only
"""The series tried on a tree that it is not made for."""
import contextlib
import io
import unittest

from lab.core.git import git
from lab.patches import series, trial

from .made import ADDED, diff, hunk, Made, SOURCE


class Trial(Made):
    def said(self, name="one"):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            good = trial.report(self.base(name))
        return good, out.getvalue()

    def test_what_applies_is_counted(self):
        self.assertEqual(self.said(), (True, "Linux 6.12.0, by the hunks of base one:"
                                             " 3 of 3 commits apply\n"))
        self.assertTrue(self.said("old")[1].endswith(": 2 of 2 commits apply\n"))

    def test_each_hunk_that_does_not_apply_is_named_and_the_rest_goes_on(self):
        self.write({"02-second-one": {"common.diff": diff(
            hunk(20, "\tline 20;", "\tsecond;"), hunk(30, "\tline 3000;", "\tthird;"),
            hunk(36, "\tline 36;", "\tsixth;"), hunk(50, "\tline 5000;", "\tfifth;"))
            + diff("@@ -1,2 +1,2 @@\n-int nowhere;\n+int here;\n int common;\n", path=ADDED)},
            # It needs what the third hunk of the one before has changed.
            "03-not-on-old": {"common.diff": diff(
                hunk(38, "\tline 38;", "\teighth;").replace("line 36", "sixth"))}})
        self.assertEqual(self.said(), (False, "Linux 6.12.0, by the hunks of base one:"
                                              " 2 of 3 commits apply\n"
            f"  02-second-one: {SOURCE}, hunk 2 (@@ -27,7 +27,7 @@)\n"
            f"  02-second-one: {SOURCE}, hunk 4 (@@ -47,7 +47,7 @@)\n"
            f"  02-second-one: {ADDED}, hunk 1 (@@ -1,2 +1,2 @@)\n"))

    def test_a_file_that_a_diff_adds_is_one_hunk(self):
        text = "diff --git a/k/n.c b/k/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/k/n.c\n" \
            "@@ -0,0 +1 @@\n+int n;\n"
        self.assertEqual(list(trial.hunks(text)), [("k/n.c", 1, "@@ -0,0 +1 @@", text)])

    def test_the_tree_stays_as_it_is(self):
        base = self.base()
        before = git(base.tree, "status", "--porcelain"), git(base.tree, "show-ref")
        self.said()
        self.assertEqual((git(base.tree, "status", "--porcelain"), git(base.tree, "show-ref")),
                         before)
        self.assertEqual(list((base.tree / ".git").glob("vdma-trial-*")), [])
        self.assertEqual(len(series.commits(base)), 3)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""The commits of a set, compiled one by one: a kernel of three files, and a real compiler."""
import types
import unittest

from lab.core.git import commit, git, identity
from lab.flows.review import each_commit

from .made import Made

MAKEFILE = """MAKEFLAGS += -rR
allmodconfig:
\t@test -f $(KCONFIG_ALLCONFIG)
%.o: %.c
\t@mkdir -p $(O)/$(@D)
\t@gcc -Wall -Iinclude -c -o $(O)/$@ $<
"""
HEADER, USER, OTHER, ARCH = "include/linux/x.h", "drivers/user.c", "net/other.c", "arch/arm64/own.c"
FILES = {"Makefile": MAKEFILE, HEADER: "int x(int);\n",
         USER: "#include <linux/x.h>\nint user(void)\n{\n\tint old;\n\n\treturn x(1);\n}\n",
         OTHER: "int other(void);\n", ARCH: '#include <linux/x.h>\nint own;\n'}


class EachCommit(Made):
    machine = {"name": "here", "kernel_arch": "x86_64", "cross": "", "fragments": ("allmodconfig",),
               "checker": ()}

    def setUp(self):
        super().setUp()
        self.base = types.SimpleNamespace(tree=self.folder / "linux")
        for path, text in FILES.items():
            self.file(path, text)
        commit(self.base.tree, "linux", self.folder / "log")
        self.commits = [git(self.base.tree, "rev-parse", "HEAD")]

    def file(self, path, text):
        where = self.base.tree / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)

    def commit(self, path, old, new):
        """One more commit, which changes a file."""
        tree = self.base.tree
        git(tree, "checkout", "-q", self.commits[-1])
        text = (tree / path).read_text()
        assert old in text
        self.file(path, text.replace(old, new, 1))
        git(tree, "commit", "-q", "-a", "-m", "change", env=identity("@0 +0000"))
        self.commits.append(git(tree, "rev-parse", "HEAD"))

    def walk(self, touched):
        """For each commit what is wrong with it, without what compilers say."""
        files = each_commit.sources(self.base, touched, self.commits)
        return [[check for check in checks if not check.ok] for checks in each_commit.walk(
            self.base, self.machine, self.commits, files)]

    def test_commits_that_compile_are_good(self):
        self.commit(USER, "x(1)", "x(2)")
        self.commit(USER, "x(2)", "x(3)")
        self.assertEqual(self.walk([USER]), [[], []])

    def test_a_broken_commit_that_a_later_one_mends_is_found(self):
        self.commit(USER, "x(1)", "x(2)")
        self.commit(USER, "x(2)", "y + 1")
        self.commit(USER, "y + 1", "x(3)")
        first, broken, mended = self.walk([USER])
        self.assertEqual((first, mended), ([], []))
        self.assertEqual(broken[0].title, "it compiles")
        self.assertRegex(broken[0].detail, f"(?s){USER[:-1]}o.*{USER}:6:.* error: .y. undeclared")

    def test_whom_a_header_breaks_is_found_anywhere(self):
        self.commit(HEADER, "int x(int)", "int x(int, int)")
        self.commit(USER, "x(1)", "x(1, 2)")
        broken, mended = self.walk([HEADER])
        self.assertIn(f"{USER}:6:", broken[0].detail)
        self.assertEqual(mended, [])

    def test_a_warning_is_told_of_the_commit_that_it_comes_with(self):
        self.commit(USER, "x(1)", "x(2)")
        self.commit(USER, "\tint old;", "\tint new;\n\tint old;")
        self.commit(USER, "\tint new;\n", "")
        first, second, third = self.walk([USER])
        self.assertEqual((first, third), ([], []))
        complaint, = second
        self.assertRegex(complaint.detail, f"^{USER}:4:\\d+: warning: unused variable .new.[^\n]*$")

    def test_what_make_does_not_get_to_is_no_success(self):
        self.commit("Makefile", "%.o: %.c", "%.x: %.c")
        self.assertIn("No rule to make target", self.walk([USER])[0][0].detail)

    def test_the_control_finds_its_commit(self):
        self.commit(USER, "x(1)", "x(2)")
        (title, good), (_, control) = each_commit.compiled(
            self.base, self.machine, ["first"], self.commits, [USER])
        self.assertEqual((title, [check.ok for check in (*good, *control)]), ("first", [True] * 4))

    def test_what_never_compiles_is_left_out_and_told(self):
        self.commit(USER, "x(1)", "y")
        self.commit(USER, "y;", "y + 1;")
        # The first commit here is one on which it is broken already.
        del self.commits[0]
        self.assertEqual(self.walk([USER, OTHER]), [[]])
        self.assertEqual(each_commit.left_out(
            self.base, [self.machine], [ARCH, HEADER, OTHER, USER, "tools/x.c"], self.commits), [USER])

    def test_a_source_that_another_includes_compiles_as_a_part_of_it(self):
        suite = "net/suite.c"
        self.file(OTHER, FILES[OTHER] + '#include "suite.c"\n')
        self.file(suite, "int suite(void)\n{\n\treturn x;\n}\n")
        git(self.base.tree, "add", suite)
        self.commit(OTHER, "int other(void);", "int other(int);")
        self.commit(suite, "return x", "return 1")
        self.assertEqual(each_commit.sources(self.base, [suite], self.commits), [OTHER])
        broken, mended = self.walk([OTHER, suite])
        self.assertIn(f"{suite}:3:", broken[0].detail)
        self.assertEqual(mended, [])
        self.assertEqual(each_commit.left_out(
            self.base, [self.machine], [OTHER, suite], self.commits), [])

    def test_a_machine_compiles_its_own_and_what_is_of_no_other(self):
        self.commit(HEADER, "x(int)", "x(int y)")
        files = each_commit.sources(self.base, [HEADER, OTHER], self.commits)
        self.assertEqual(files, [ARCH, USER, OTHER])
        own = {arch: [path for path in files if each_commit.own(path, {"kernel_arch": arch})]
               for arch in ("x86_64", "arm64")}
        self.assertEqual(own, {"x86_64": [USER, OTHER], "arm64": files})
        self.assertTrue(each_commit.own("arch/x86/x.c", {"kernel_arch": "x86_64"}))
        self.assertEqual(list(each_commit.compiled(self.base, {"kernel_arch": "x86_64"}, ["one"],
                                                   self.commits, [ARCH])), [])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""The user's environment changes nothing: each test runs a python that has a bad one."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from lab.core import environment
from lab.core.cache import ROOT

CLEAN = "from lab.core import environment; environment.clean()\n"
COMMIT = """
from pathlib import Path
from lab.core.git import commit
commit(Path("tree"), "tree", "log")
"""
DIFF = """
from lab.core.git import git
print(git("victim", "show", "HEAD"))
"""
TELL = "import json, os; print(json.dumps([dict(os.environ), os.umask(0)]))\n"


class Environment(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def python(self, code, env):
        """What a python says that has this environment, and no more."""
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT),
               "PYTHONDONTWRITEBYTECODE": "1"} | env
        # Without what is installed beside it, which takes longer to load than all the rest.
        run = subprocess.run([sys.executable, "-S", "-c", code], cwd=self.folder, env=env,
                             capture_output=True, text=True, check=False)
        return run.stdout, run.returncode, run.stderr


def run_git(folder, *args):
    """Run git in an environment in which it behaves, whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if environment.kept(name)}
    who = {f"GIT_{role}_{key}": "test@test.invalid" for role in ("AUTHOR", "COMMITTER")
           for key in ("NAME", "EMAIL")}
    return subprocess.run(["git", "-C", folder, *args], env=kept | environment.FIXED | who,
                          check=True, capture_output=True, text=True).stdout


class Git(Environment):
    @classmethod
    def setUpClass(cls):
        """Make a repository with a commit: each test has a copy of its own."""
        cls.made = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.made / "file").write_text("old\n")
        run_git(cls.made, "init", "-q", "-b", "main", "--template=")
        run_git(cls.made, "add", "file")
        run_git(cls.made, "commit", "-q", "-m", "first")

    def setUp(self):
        super().setUp()
        self.victim = shutil.copytree(self.made, self.folder / "victim")

    def seen(self):
        """All that a commit could change of the victim, byte for byte."""
        git = self.victim / ".git"
        return {str(path.relative_to(git)): path.read_bytes()
                for path in git.rglob("*") if path.is_file()}

    def commit(self, code):
        """Make a commit while git's variables name the victim; return what became of both."""
        (self.folder / "tree").mkdir()
        (self.folder / "tree" / "file").write_text("new\n")
        before, git = self.seen(), self.victim / ".git"
        _, status, error = self.python(code, {
            "GIT_DIR": str(git), "GIT_INDEX_FILE": str(git / "index"), "HOME": str(self.folder)})
        self.assertEqual(status, 0, error)
        after = self.seen()
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        return changed, (self.folder / "tree" / ".git").exists()

    def test_variables_do_not_turn_a_commit_to_another_repository(self):
        self.assertEqual(self.commit(CLEAN + COMMIT), (set(), True))
        self.assertEqual(run_git(self.folder / "tree", "show", "HEAD:file"), "new\n")

    def test_control_without_the_cleaning_they_do(self):
        changed, made = self.commit(COMMIT)
        self.assertIn("index", changed)
        self.assertTrue({"HEAD", "refs/heads/main", "refs/heads/base"} & changed, changed)
        self.assertFalse(made)

    def diff(self, code):
        (self.folder / ".gitconfig").write_text("[diff]\nnoprefix = true\n")
        return self.python(code, {"HOME": str(self.folder)})[0]

    def test_the_user_s_configuration_does_not_reach_a_diff(self):
        self.assertIn("\n+++ b/file\n", self.diff(CLEAN + DIFF))

    def test_control_without_the_cleaning_it_does(self):
        self.assertIn("\n+++ file\n", self.diff(DIFF))


BAD = {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE", "LANGUAGE": "de", "LC_MESSAGES": "de_DE",
       "GIT_DIR": "/x", "MAKEFLAGS": "-n", "ARCH": "vax", "KBUILD_OUTPUT": "/x", "CFLAGS": "-O0"}
GOOD = {"HOME": "/home", "http_proxy": "http://p", "HTTPS_PROXY": "http://q", "KERNEL": "/k",
        "VDMA_CACHE": "/c", "TMPDIR": "/var/tmp", "SSH_AUTH_SOCK": "/s"}


class Variables(Environment):
    def after(self, code):
        out, status, error = self.python(code + TELL, BAD | GOOD)
        self.assertEqual(status, 0, error)
        return json.loads(out)

    def test_what_names_places_and_the_network_stays_and_the_rest_goes(self):
        found, umask = self.after("import os; os.umask(0o077)\n" + CLEAN)
        self.assertEqual({n: v for n, v in found.items() if n in BAD}, {"LC_ALL": "C.UTF-8"})
        self.assertEqual({n: v for n, v in found.items() if n in GOOD}, GOOD)
        self.assertEqual(umask, 0o022)

    def test_control_without_the_cleaning_all_of_it_is_there(self):
        found, umask = self.after("import os; os.umask(0o077)\n")
        self.assertEqual({n: v for n, v in found.items() if n in BAD}, BAD)
        self.assertEqual(umask, 0o077)


if __name__ == "__main__":
    unittest.main()

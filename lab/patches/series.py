# SPDX-License-Identifier: GPL-2.0-only
"""The patch series: from series/ to git commits and back."""
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tomllib

from ..core.cache import cache, ROOT
from ..core.errors import Fail
from ..core.git import FAST, git, identity, WHO
from ..core.process import run, say

MADE = {}


class Entry:
    """One commit of the series: a folder with its message, hunks and added paths."""

    def __init__(self, path):
        self.path, self.name = path, path.name
        # Without the number, which changes when the commits before it do.
        self.short = path.name.partition("-")[2]
        self.message = (path / "message").read_text()
        self.subject = self.message.splitlines()[0]
        adds = path / "adds"
        self.adds = adds.read_text().split() if adds.exists() else []
        # Its hunks in files that earlier entries add, which are the same for all bases.
        overlay = path / "overlay.diff"
        self.overlay = overlay if overlay.exists() else None
        self.changes = targets(overlay.read_text()) if self.overlay else []

    def missing(self, base):
        """Why @base does not have this commit, or None if it does."""
        path = self.path / f"{base}.none"
        return path.read_text().strip() if path.exists() else None

    def diff(self, base):
        """The hunks for @base: its own where bases differ, else the common ones."""
        for name in (f"{base}.diff", "common.diff"):
            if (self.path / name).exists():
                return self.path / name
        if set(self.path.glob("*.diff")) - {self.overlay}:
            raise Fail(f"commit {self.name} has no hunks for base {base}",
                       f"port it: add {base}.diff, or {base}.none that says why it has none")
        return None

    def creates(self):
        """The files that its diffs add, for they are not the same on all bases."""
        return {path for diff in self.path.glob("*.diff")
                for path in re.findall(r"^--- /dev/null\n\+\+\+ b/(\S+)", diff.read_text(), re.M)}

    def edits(self, base):
        """The files that its diff for @base has hunks for."""
        diff = self.diff(base)
        return targets(diff.read_text()) if diff else []

    def paths(self, base):
        """The files that it adds or edits on @base."""
        return self.adds + self.changes + self.edits(base)

    def amends(self, base):
        """The files that it adds, and that are not on @base what they are elsewhere."""
        return set(self.adds) & set(self.edits(base))

    def touches(self, base, folder):
        return any(path.startswith(folder) for path in self.paths(base))


def targets(diff):
    """The files that a diff has hunks for."""
    return re.findall(r"^\+\+\+ b/(\S+)", diff, re.M)


def folders(base):
    return [Entry(p) for p in sorted(base.series.iterdir()) if p.is_dir() and p.name != "sets"]


def entries(base, only=None):
    """The commits that @base has, in order: all, or a set's behind those of the sets it needs."""
    found = [e for e in folders(base) if not e.missing(base.name)]
    if not only:
        return found
    known = sets(base)
    if only not in known:
        raise Fail(f"base {base.name} has no set '{only}'",
                   f"it has: {', '.join(known) or 'none'}")
    needed = [e for name in known[only].get("needs", ()) if name in known
              for e in entries(base, name)]
    return list({e.name: e for e in needed + members(base, only)}.values())


def members(base, name):
    """The commits of a set itself, without those of the sets that it needs."""
    wanted = every_set(base)[name]["commits"]
    if unknown := set(wanted) - {e.short for e in folders(base)}:
        raise Fail(f"set {name} names {', '.join(sorted(unknown))}", "see series/")
    return [e for e in entries(base) if e.short in wanted]


def every_set(base):
    """What goes out by itself, by name, on whatever base."""
    return {path.stem: tomllib.loads(path.read_text())
            for path in sorted((base.series / "sets").glob("*.toml"))}


def sets(base):
    """The sets of which @base has any commits."""
    there = {e.short for e in entries(base)}
    return {name: data for name, data in every_set(base).items()
            if not there.isdisjoint(data["commits"])}


def date(base):
    """When the series was last changed: the date of its commits and mails."""
    try:
        seconds = git(ROOT, "log", "-1", "--format=%ct", "--", base.series)
    except subprocess.CalledProcessError:
        seconds = ""
    # What is not in a repository of ours is as old as its newest file.
    return f"@{seconds or max(int(path.stat().st_mtime) for path in base.series.rglob('*'))} +0000"


def hunk_of(diff, file, line):
    """Which hunk of @file git could not place: its number and its header."""
    count, current = 0, None
    for text in diff.read_text().splitlines():
        if text.startswith("--- a/"):
            current, count = text[6:], 0
        if text.startswith("@@"):
            count += 1
            if current == file and text.startswith(f"@@ -{line},"):
                return f"hunk {count} ({text})"
    return f"line {line}"


def stage(tree, diff, env, what, *options):
    try:
        git(tree, "apply", "--cached", "--whitespace=nowarn", *options, diff, env=env)
    except subprocess.CalledProcessError as err:
        error = err.stderr.decode(errors="replace").strip()
        place = re.search(r"patch failed: (\S+):(\d+)", error)
        if place:
            error = f"{place[1]}, {hunk_of(diff, *place.groups())} does not apply"
        raise Fail(f"{what}: {error}",
                   "the base has changed there: './vdma checkout', mend, './vdma refresh'") from err


def add_files(base, entry, env):
    """Put the files that an entry adds into the index, without what later entries change there."""
    for path in entry.adds:
        blob = git(base.tree, "hash-object", "-w", base.overlay / path)
        git(base.tree, "update-index", "--add", "--cacheinfo",
            f"{mode(base.overlay / path)},{blob},{path}", env=env)
        for other in later(base, entry, path):
            stage(base.tree, other.overlay, env, f"taking commit {other.name} back", "-R",
                  f"--include={path}")


def later(base, entry, path):
    """The entries that change a file which an earlier one adds, the last one first.

    Those that a base does not have are among them: the overlay is the same for all bases.
    """
    return [e for e in reversed(folders(base)) if e.name > entry.name and path in e.changes]


@contextlib.contextmanager
def index_of_our_own(base):
    """The environment by which git uses an index of our own, so that the tree's own stays."""
    index = base.tree / ".git" / f"vdma-index-{os.getpid()}"
    try:
        yield {"GIT_INDEX_FILE": str(index)}
    finally:
        index.unlink(missing_ok=True)


def added(base, entry, path):
    """The text of a file as an entry adds it on bases that do not amend it."""
    with index_of_our_own(base) as env:
        add_files(base, entry, env)
        return git(base.tree, "cat-file", "blob", f":{path}", env=env) + "\n"


def applied(base, path, text, diffs):
    """The text of a file with the hunks for it of some diffs."""
    with index_of_our_own(base) as env:
        blob = git(base.tree, "hash-object", "-w", "--stdin", text=text)
        git(base.tree, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
        for diff in diffs:
            git(base.tree, "apply", "--cached", f"--include={path}", "-", env=env, text=diff)
        return git(base.tree, "cat-file", "blob", f":{path}", env=env) + "\n"


def mode(path):
    """What git calls the mode of a file: that of a script, or of any other."""
    return "100755" if os.access(path, os.X_OK) else "100644"


def commits(base, extra=None, only=None):
    """Commit the entries, or a set @only, and the diff @extra, on the base.

    Return the commits in order. What the same text was made into before is looked up: to make
    it takes ten seconds.
    """
    key = inputs(base, extra, only)
    if key not in MADE:
        noted = cache("commits", base.tree.name) / key
        made = noted.read_text().split() if noted.exists() else []
        if not made or not has(base, made[-1]):
            made = attempt(base, extra, only)
            noted.write_text("\n".join(made))
        MADE[key] = made
    return MADE[key]


def attempt(base, extra, only):
    try:
        return commit_all(base, extra, only)
    except Fail as err:
        # A tree that the user brings may be older than what we test.
        if base.own and not extra and (part := alone(base, only)):
            raise Fail(str(err), f"these sets apply there: {', '.join(part)}") from err
        raise


def alone(base, but):
    """The sets that apply to a base, without the one that is known not to."""
    known, failed = sets(base), {but}
    # Those with fewer commits come first, so that a set comes behind those that it needs.
    for name in sorted(known, key=lambda name: len(entries(base, name))):
        if not failed.isdisjoint([name, *known[name].get("needs", ())]) or not applies(base, name):
            failed.add(name)
    return [name for name in known if name not in failed]


def applies(base, name):
    try:
        return bool(commit_all(base, None, name))
    except Fail:
        return False


def has(base, commit):
    try:
        git(base.tree, "cat-file", "-e", commit)
        return True
    except subprocess.CalledProcessError:
        return False


def inputs(base, extra, only):
    """A digest of all that the commits are made of."""
    text = [git(base.tree, "rev-parse", "base"), date(base), only or ""]
    for entry in entries(base, only):
        diff = entry.diff(base.name)
        text += [entry.name, entry.message, diff.read_text() if diff else "", *(
            f"{mode(base.overlay / path)} {path}\n" + (base.overlay / path).read_text()
            for path in entry.adds)]
        text += [other.overlay.read_text() for path in entry.adds
                 for other in later(base, entry, path)]
        text += [entry.overlay.read_text()] if entry.overlay else []
    text += [f"{extra.stem}\n{extra.read_text()}"] if extra else []
    return hashlib.sha256("\0".join(text).encode()).hexdigest()


def commit_all(base, extra, only):
    """Nothing but the repository's objects changes: the work is done in an index of its own."""
    made, commit = [], git(base.tree, "rev-parse", "base")
    with index_of_our_own(base) as env:
        env |= identity(date(base))
        git(base.tree, "read-tree", commit, env=env)
        for entry in entries(base, only):
            add_files(base, entry, env)
            for diff in filter(None, (entry.overlay, entry.diff(base.name))):
                stage(base.tree, diff, env, f"commit {entry.name}")
            commit = git(base.tree, "commit-tree", git(base.tree, "write-tree", env=env),
                         "-p", commit, "-F", entry.path / "message", env=env)
            made.append(commit)
        if extra:
            stage(base.tree, extra, env, f"variant {extra.stem}")
            made.append(git(base.tree, "commit-tree", git(base.tree, "write-tree", env=env),
                            "-p", commit, "-m", f"lab: {extra.stem}", env=env))
    return made


def checkout(base, folder):
    """Make a git tree of the user's own: branch 'series' with one commit per entry."""
    if folder.exists():
        raise Fail(f"{folder} is in the way", "name another folder, or remove it")
    base.fetch()
    last = commits(base)[-1]
    say(f"making {folder} (ten seconds)")
    try:
        run("git", *FAST, "clone", "-q", "--local", "--no-checkout", "-b", "base", base.tree, folder)
        git(folder, "checkout", "-q", "-b", "series", last)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    git(folder, "remote", "remove", "origin")
    for key, value in (("name", WHO["NAME"]), ("email", WHO["EMAIL"])):
        git(folder, "config", f"user.{key}", value)

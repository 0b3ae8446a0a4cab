# SPDX-License-Identifier: GPL-2.0-only
"""The patch series: from series/ to git commits and back."""
import difflib
import os
import re
import shutil
import subprocess
import time
import tomllib

from ..core.git import WHO, git, identity
from ..core.host import Fail, ROOT, lock, run, say

MADE = {}


class Entry:
    """One commit of the series: a folder with its message, hunks and added paths."""

    def __init__(self, path):
        self.path, self.name = path, path.name
        self.message = (path / "message").read_text()
        self.subject = self.message.splitlines()[0]
        adds = path / "adds"
        self.adds = adds.read_text().split() if adds.exists() else []

    def missing(self, base):
        """Why @base does not have this commit, or None if it does."""
        path = self.path / f"{base}.none"
        return path.read_text().strip() if path.exists() else None

    def diff(self, base):
        """The hunks for @base: its own where bases differ, else the common ones."""
        for name in (f"{base}.diff", "common.diff"):
            if (self.path / name).exists():
                return self.path / name
        if list(self.path.glob("*.diff")):
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
        return re.findall(r"^\+\+\+ b/(\S+)", diff.read_text(), re.M) if diff else []

    def paths(self, base):
        """The files that it adds or edits on @base."""
        return self.adds + self.edits(base)

    def amends(self, base):
        """The files that it adds, and that are not on @base what they are elsewhere."""
        return set(self.adds) & set(self.edits(base))

    def touches(self, base, folder):
        return any(path.startswith(folder) for path in self.paths(base))


def folders(base):
    return [Entry(p) for p in sorted(base.series.iterdir()) if p.is_dir()]


def entries(base):
    """The commits that @base has, in order."""
    return [e for e in folders(base) if not e.missing(base.name)]


def date(base):
    """When the series was last changed: the date of its commits and mails."""
    try:
        seconds = git(ROOT, "log", "-1", "--format=%ct", "--", base.series)
    except subprocess.CalledProcessError:
        seconds = ""
    return f"@{seconds or int(time.time())} +0000"


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


def stage(tree, diff, env, what):
    try:
        git(tree, "apply", "--cached", "--whitespace=nowarn", diff, env=env)
    except subprocess.CalledProcessError as err:
        error = err.stderr.decode(errors="replace").strip()
        place = re.search(r"patch failed: (\S+):(\d+)", error)
        if place:
            error = f"{place[1]}, {hunk_of(diff, *place.groups())} does not apply"
        raise Fail(f"{what}: {error}",
                   "the base has changed there: './vdma checkout', mend, './vdma refresh'") from err


def subsets(base):
    """What may be taken alone, by name: its entries, and the scenario that proves it."""
    return tomllib.loads((base.series / "subsets.toml").read_text())


def subset(base, name):
    data = subsets(base)
    if name not in data:
        raise Fail(f"unknown subset '{name}'", f"there are: {', '.join(data)}")
    if unknown := set(data[name]["commits"]) - {e.name for e in folders(base)}:
        raise Fail(f"subset {name} names {', '.join(sorted(unknown))}", "see series/")
    return data[name]


def commits(base, extra=None, only=None):
    """Commit the entries, or a subset @only, and the diff @extra, on the base.

    Return the commits in order. They are made once in a run, which takes seconds.
    """
    key = base.tree, git(base.tree, "rev-parse", "base"), extra, only
    if key not in MADE:
        MADE[key] = commit_all(base, extra, only)
    return MADE[key]


def commit_all(base, extra, only):
    """Nothing but the repository's objects changes: the work is done in an index of its own."""
    index = base.tree / ".git" / f"vdma-index-{os.getpid()}"
    env = {"GIT_INDEX_FILE": str(index)} | identity(date(base))
    made, commit = [], git(base.tree, "rev-parse", "base")
    try:
        git(base.tree, "read-tree", commit, env=env)
        wanted = subset(base, only)["commits"] if only else [e.name for e in entries(base)]
        for entry in [e for e in entries(base) if e.name in wanted]:
            for path in entry.adds:
                blob = git(base.tree, "hash-object", "-w", base.overlay / path)
                git(base.tree, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}",
                    env=env)
            diff = entry.diff(base.name)
            if diff:
                stage(base.tree, diff, env, f"commit {entry.name}")
            commit = git(base.tree, "commit-tree", git(base.tree, "write-tree", env=env),
                         "-p", commit, "-F", entry.path / "message", env=env)
            made.append(commit)
        if extra:
            stage(base.tree, extra, env, f"variant {extra.stem}")
            made.append(git(base.tree, "commit-tree", git(base.tree, "write-tree", env=env),
                            "-p", commit, "-m", f"lab: {extra.stem}", env=env))
    finally:
        index.unlink(missing_ok=True)
    return made


def checkout(base, folder):
    """Make a git tree of the user's own: branch 'series' with one commit per entry."""
    if folder.exists():
        raise Fail(f"{folder} is in the way", "name another folder, or remove it")
    base.fetch()
    with lock(f"src-{base.tree.name}"):
        git(base.tree, "update-ref", "refs/heads/series", commits(base)[-1])
        say(f"making {folder} (ten seconds)")
        try:
            run("git", "clone", "-q", "--local", "-b", "series", base.tree, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    git(folder, "branch", "-q", "base", "origin/base")
    git(folder, "remote", "remove", "origin")
    for key, value in (("name", WHO["NAME"]), ("email", WHO["EMAIL"])):
        git(folder, "config", f"user.{key}", value)


def slug(subject, taken):
    """Keep an entry's name as long as its subject stays; else derive one from it."""
    if subject in taken:
        return taken[subject]
    words = re.sub(r"[^a-z0-9]+", "-", subject.split(":")[-1].lower()).strip("-").split("-")
    return "-".join(words[:5])


def refresh(base, folder):
    """Fold the commits of the user's tree back into the series and its overlay."""
    if not (folder / ".git").exists():
        raise Fail(f"{folder} is not a git tree", f"make one: ./vdma checkout {base.name}")
    if git(folder, "status", "--porcelain", "-uno"):
        raise Fail(f"{folder} has uncommitted changes", "commit or stash them first")
    old = {e.subject: e for e in folders(base)}
    taken = {s: e.name.partition("-")[2] for s, e in old.items()}
    absent = [e for e in old.values() if e.missing(base.name)]
    new, owner = {}, {}
    for commit in git(folder, "rev-list", "--reverse", "base..HEAD").split():
        message = git(folder, "log", "-1", "--format=%B", commit) + "\n"
        before = old.get(message.splitlines()[0])
        while absent and before and absent[0].name < before.name:
            keep(absent.pop(0), new)
        name = f"{len(new) + 1:02}-{slug(message.splitlines()[0], taken)}"
        status = [line.split("\t") for line in git(
            folder, "diff-tree", "-r", "--no-commit-id", "--no-renames", "--name-status",
            commit).splitlines()]
        adds = sorted(path for kind, path in status if kind == "A")
        whole = [path for path in adds if not before or path not in before.creates()]
        edits = [path for _, path in status if path not in whole]
        for path in set(edits) - set(adds):
            if path in owner:
                raise Fail(f"{name} changes {path}, which {owner[path]} adds",
                           "a file of the series is whole from its first commit: squash them")
        owner.update(dict.fromkeys(adds, name))
        diff = git(folder, "-c", "diff.noprefix=false", "diff-tree", "-p", "--no-renames",
                   "--no-commit-id", commit, "--", *edits) + "\n" if edits else ""
        # Object names say nothing to a reader, and differ between bases.
        diff = re.sub(r"^index .*\n", "", diff, flags=re.M)
        texts = {path: git(folder, "cat-file", "blob", f"{commit}:{path}") + "\n"
                 for path in whole}
        for path in sorted(before.amends(base.name)) if before else []:
            if path in texts:
                diff += amendment(path, (base.overlay / path).read_text(), texts.pop(path))
        files = {"message": message, "adds": "".join(f"{path}\n" for path in whole)}
        new[name] = files | diffs(base, diff, before) | texts
    for entry in absent:
        keep(entry, new)
    for path in {p for e in entries(base) for p in e.adds} - set(owner):
        (base.overlay / path).unlink(missing_ok=True)
    temp = base.series.with_name(".series.new")
    shutil.rmtree(temp, ignore_errors=True)
    for name, files in new.items():
        (temp / name).mkdir(parents=True)
        for path, text in files.items():
            # What has a folder of its own belongs to the overlay.
            target = base.overlay / path if "/" in path else temp / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if text:
                target.write_text(text)
    for file in base.series.glob("*"):
        if file.is_file():
            shutil.copy(file, temp / file.name)
    shutil.rmtree(base.series)
    temp.rename(base.series)
    say(f"{base.series.relative_to(ROOT)}/ holds {len(new)} commits")


def amendment(path, common, own):
    """What a base changes in a file that the series adds."""
    lines = difflib.unified_diff(common.splitlines(True), own.splitlines(True),
                                 f"a/{path}", f"b/{path}")
    return f"diff --git a/{path} b/{path}\n" + "".join(lines)


def keep(entry, new):
    """Take over a commit that the refreshed base does not have."""
    name = f"{len(new) + 1:02}-{entry.name.partition('-')[2]}"
    new[name] = {p.name: p.read_text() for p in entry.path.iterdir()}


def diffs(base, diff, before):
    """The files of an entry's hunks: what most bases share is common, the rest is beside it."""
    texts = dict.fromkeys(base.siblings, diff)
    files = {}
    if before:
        for name in base.siblings:
            if before.missing(name):
                files[f"{name}.none"] = before.missing(name) + "\n"
                del texts[name]
            else:
                path = before.diff(name)
                texts[name] = path.read_text() if path else ""
        # Where only the places of hunks have moved, keep the text: git finds them.
        texts[base.name] = next((text for text in (texts[base.name], *texts.values())
                                 if places(text) == places(diff)), diff)
    every = list(texts.values())
    common = max(every, key=every.count)
    if every.count(common) == 1 < len(every):
        common = None
    return files | {"common.diff": common} | {
        f"{name}.diff": text for name, text in texts.items() if text != common}


def places(diff):
    """A diff without the places of its hunks."""
    return re.sub(r"^@@ .*", "@@", diff, flags=re.M)

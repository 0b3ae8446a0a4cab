# SPDX-License-Identifier: GPL-2.0-only
"""Fold the commits of a git tree back into a series and its overlay."""
import difflib
import re
import shutil
import subprocess

from ..core.cache import ROOT
from ..core.errors import Fail
from ..core.git import git
from ..core.process import say
from .series import added, applied, entries, folders, targets


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
    taken = {s: e.short for s, e in old.items()}
    absent = [e for e in old.values() if e.missing(base.name)]
    new, owner, scripts, overlay = {}, set(), set(), {}
    for commit in git(folder, "rev-list", "--reverse", "base..HEAD").split():
        message, _, status = git(folder, "diff-tree", "-r", "--always", "--no-renames",
                                 "--name-status", "--format=%B%x00", commit).partition("\0")
        message = message.rstrip("\n") + "\n"
        before = old.get(message.splitlines()[0])
        while absent and before and absent[0].name < before.name:
            keep(absent.pop(0), new)
        name = f"{len(new) + 1:02}-{slug(message.splitlines()[0], taken)}"
        status = [line.split("\t") for line in status.splitlines() if line]
        adds = sorted(path for kind, path in status if kind == "A")
        whole = [path for path in adds if not before or path not in before.creates()]
        edits = [path for _, path in status if path not in whole]
        ours = [path for path in edits if path in owner]
        owner.update(whole)
        diff = hunks(folder, commit, [path for path in edits if path not in ours])
        on_top = hunks(folder, commit, ours)
        if before and before.overlay and places(before.overlay.read_text()) == places(on_top):
            on_top = before.overlay.read_text()
        texts = {path: git(folder, "cat-file", "blob", f"{commit}:{path}") + "\n"
                 for path in whole}
        for path in sorted(before.amends(base.name)) if before else []:
            if path in texts:
                common = added(base, before, path)
                diff += amendment(path, common, texts[path])
                texts[path] = common
        scripts |= {path for path in whole
                    if git(folder, "ls-tree", commit, path).startswith("100755")}
        overlay |= texts
        new[name] = {"message": message, "adds": "".join(f"{path}\n" for path in whole),
                     "overlay.diff": on_top} | diffs(base, diff, before)
    for entry in absent:
        keep(entry, new)
    # The overlay has a file as it is in the end, with what later commits change in it.
    for path, text in overlay.items():
        later = [files["overlay.diff"] for files in new.values()
                 if path in targets(files.get("overlay.diff", ""))]
        try:
            overlay[path] = applied(base, path, text, later) if later else text
        except subprocess.CalledProcessError as err:
            raise Fail(f"{path} does not take what later commits change in it",
                       "a base that lacks one of them has changed it there") from err
    for path in {p for e in entries(base) for p in e.adds} - owner:
        (base.overlay / path).unlink(missing_ok=True)
    temp = base.series.with_name(".series.new")
    shutil.rmtree(temp, ignore_errors=True)
    for name, files in new.items():
        (temp / name).mkdir(parents=True)
        for path, text in files.items():
            if text:
                (temp / name / path).write_text(text)
    for path, text in overlay.items():
        target = base.overlay / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755 if path in scripts else 0o644)
    for entry in folders(base):
        shutil.rmtree(entry.path)
    for path in temp.iterdir():
        path.rename(base.series / path.name)
    temp.rmdir()
    say(f"{base.series.relative_to(ROOT)}/ holds {len(new)} commits")


def hunks(folder, commit, paths):
    """What a commit changes in files, as a diff."""
    diff = git(folder, "-c", "diff.noprefix=false", "diff-tree", "-p", "--no-renames",
               "--no-commit-id", commit, "--", *paths) + "\n" if paths else ""
    # Object names say nothing to a reader, and differ between bases.
    return re.sub(r"^index .*\n", "", diff, flags=re.M)


def amendment(path, common, own):
    """What a base changes in a file that the series adds."""
    lines = difflib.unified_diff(common.splitlines(True), own.splitlines(True),
                                 f"a/{path}", f"b/{path}")
    return f"diff --git a/{path} b/{path}\n" + "".join(lines)


def keep(entry, new):
    """Take over a commit that the refreshed base does not have."""
    name = f"{len(new) + 1:02}-{entry.short}"
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

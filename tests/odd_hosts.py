# SPDX-License-Identifier: GPL-2.0-only
"""Hosts that are not like ours: what we write is the same there, or one line says why not."""
import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from lab.core.cache import ROOT
from lab.core.git import git
from lab.model.check import Check
from lab.patches import series
from lab.patches.base import Base

# A set with no hunk in common with the others: the cheapest drop-in.
DROP_IN = "debian", "6.12", "out", "--only", "svm-fix"
SETTINGS = """[diff]
noprefix = true
mnemonicPrefix = true
renames = copies
context = 9
algorithm = patience
external = false
orderFile = /nowhere
[format]
pretty = oneline
subjectPrefix = OTHER
numbered = true
coverLetter = true
signature = mine
attach = --
to = nobody@example.org
signOff = true
suffix = .txt
useAutoBase = true
noprefix = true
from = Nobody <nobody@example.org>
thread = deep
outputDirectory = /nowhere
[commit]
gpgSign = true
template = /nowhere
[core]
autocrlf = true
hooksPath = /nowhere
quotePath = true
abbrev = 40
pager = false
excludesFile = /nowhere
attributesFile = /nowhere
fsmonitor = /nowhere
[color]
ui = always
[clone]
defaultRemoteName = elsewhere
[init]
templateDir = /nowhere
defaultBranch = elsewhere
[user]
useConfigOnly = true
[i18n]
commitEncoding = EUC-JP
logOutputEncoding = EUC-JP
[log]
date = relative
showSignature = true
"""
# What a shell may have that is not ours, all at once.
NOISE = {"GIT_EDITOR": "false", "GIT_PAGER": "false", "GIT_EXTERNAL_DIFF": "false",
         "GIT_DIFF_OPTS": "-u9", "GIT_AUTHOR_NAME": "Nobody", "GIT_AUTHOR_DATE": "@1 +0000",
         "GREP_COLORS": "mt=1", "MAKEFLAGS": "-n", "KBUILD_OUTPUT": "/nowhere", "ARCH": "vax",
         "CDPATH": "/", "BASH_ENV": "/nowhere", "PERL5OPT": "-MNoSuchModule", "COLUMNS": "1",
         "PYTHONPATH": "/nowhere", "PYTHONIOENCODING": "ascii", "TERM": "no-such-terminal",
         "POSIXLY_CORRECT": "1", "TZ": "Asia/Tokyo", "LANGUAGE": "de", "TAR_OPTIONS": "--nothing"}


def listing(folder):
    """All that is in a folder: for each name its mode, and what is in it."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        data = path.read_bytes() if path.is_file() else None
        # git makes the ids of mails out of the time.
        data = data and re.sub(rb"(?m)^(Message-ID|In-Reply-To|References): .*", b"", data,
                               flags=re.I)
        found[str(path.relative_to(folder))] = oct(path.lstat().st_mode), data
    return found


def changed(before, after):
    return sorted(name for name in before.keys() | after.keys()
                  if before.get(name) != after.get(name))


def written(lab, *command, under=(), **env):
    """Run a verb that writes the folder out, and take that away: the checks, and what was in it."""
    found = list(lab.judge(lab.start(*command, under=under, **env), status=0, hint=False))
    out = listing(lab.folder / "out")
    shutil.rmtree(lab.folder / "out", ignore_errors=True)
    return [check for check in found if not check.ok], out


def same(lab, title, command, **other):
    """A verb writes the same on a host that is like ours and on another one."""
    (bad, plain), (worse, odd) = written(lab, *command), written(lab, *command, **other)
    yield from bad + worse
    yield Check.of(title, bool(plain) and odd == plain, changed(plain, odd))


def odd_git_hook(lab):
    """What git tells its hooks is of the user's repository, which is none of ours."""
    victim = lab.folder / "victim"
    victim.mkdir()
    git(victim, "init", "-q", "-b", "theirs")
    for name in "committed", "staged":
        (victim / name).write_text(f"{name}\n")
        git(victim, "add", name)
        if name == "committed":
            git(victim, "-c", "user.name=a", "-c", "user.email=b", "commit", "-q", "-m", "theirs")
    before = listing(victim)
    repo = victim / ".git"
    yield from same(lab, "the drop-in is the same", DROP_IN, GIT_DIR=str(repo),
                    GIT_INDEX_FILE=str(repo / "index"), GIT_WORK_TREE=str(victim), GIT_PREFIX="",
                    GIT_OBJECT_DIRECTORY=str(repo / "objects"), GIT_COMMON_DIR=str(repo))
    yield Check.of("the user's repository is as it was", listing(victim) == before,
                   changed(before, listing(victim)))


def odd_settings(lab):
    """Neither settings of git nor variables of a shell are in what we write."""
    home = lab.folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(SETTINGS)
    (home / ".get_maintainer.conf").write_text("--nom\n")
    env = NOISE | {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
                   "VDMA_CACHE": os.environ.get("VDMA_CACHE") or str(Path.home() / ".cache/vdma")}
    yield from same(lab, "the drop-in is the same, modes and all", DROP_IN, **env,
                    under=["sh", "-c", 'umask 077; exec "$@"', "-"])
    # Who sends them is all that is taken of the settings, where the user does not say.
    mails = "mbox", "qemu", "out", "--from", "A <a@b>"
    yield from same(lab, "the mails are the same", mails, **env)


def locales(folder):
    """Locales of other languages and encodings; none where their sources are not installed."""
    for name, source, charset in (("de_DE.UTF-8", "de_DE", "UTF-8"),
                                  ("ja_JP.EUC-JP", "ja_JP", "EUC-JP")):
        with contextlib.suppress(OSError):
            done = subprocess.run(["localedef", "-i", source, "-f", charset, folder / name],
                                  capture_output=True, check=False)
            if done.returncode < 2 and (folder / name).exists():
                yield name


def odd_languages(lab):
    """What git says in another language is understood: which hunk it is."""
    entry = next(e for e in series.entries(Base("6.12")) if e.name.endswith("-sysfs"))
    lab.spoil(entry.diff("6.12").relative_to(ROOT), " static struct attribute *virtio_dev_attrs",
              " static struct attribute *virtio_other_attrs")
    tried = list(locales(lab.folder))
    for name in tried:
        yield from lab.judge(lab.start("debian", "6.12", "out", LOCPATH=str(lab.folder),
                                       LC_ALL=name, LANGUAGE=name[:2]),
                             rf"commit {entry.name}: drivers/virtio/virtio.c, hunk 1 \(@@")
    yield Check.of(f"tried: {', '.join(tried) or 'none, the package locales is not there'}",
                   True, "")


def odd_folders(lab):
    """Folders with every name that one can have, and streams that are closed, do no harm."""
    cache = Path(os.environ.get("VDMA_CACHE") or Path.home() / ".cache/vdma")
    strange = lab.folder / f"a b,c:d'e\"f{'x' * 200}"
    strange.mkdir()
    lab.repo = lab.repo.rename(strange / "repo")
    yield from same(lab, "with strange folders the drop-in is the same", DROP_IN,
                    TMPDIR=str(strange), HOME=str(strange), VDMA_CACHE=str(cache))
    gone = lab.folder / "gone"
    for tmpdir in str(gone), "", "relative", "/proc":
        bad, _ = written(lab, *DROP_IN, TMPDIR=tmpdir)
        yield Check.of(f"TMPDIR={tmpdir!r} does no harm", not bad, bad)
    plain = lab.folder / f"a,b+c@d=e~f%g{'y' * 120}"
    (plain / "src").mkdir(parents=True)
    (plain / "src" / "6.12").symlink_to(cache / "src" / "6.12")
    bad, _ = written(lab, *DROP_IN, VDMA_CACHE=str(plain))
    yield Check.of("a long name of the cache, with a comma, does no harm", not bad, bad)
    bad, _ = written(lab, *DROP_IN, under=["sh", "-c", 'exec "$@" <&-', "-"])
    yield Check.of("a closed standard input does no harm", not bad, bad)
    left = sorted(path.name for path in strange.iterdir())
    yield Check.of("nothing is left in the home folder", left == ["repo"], left)


def odd_cache(lab):
    """A cache in which nothing can be built is refused before anything is fetched."""
    for name in "a b", "a:b", "a'b", 'a"b', "a(b", "a$b", "a;b", "a#b":
        path = lab.folder / name
        yield from lab.judge(lab.start("checkout", "6.12", "tree", VDMA_CACHE=str(path)),
                             "cannot be built in a folder with .* in its name")
        yield Check.of("and not made", not path.exists(), path)
    yield from lab.judge(lab.start("checkout", "6.12", "tree", VDMA_CACHE="", XDG_CACHE_HOME="",
                                   HOME="/proc"), "cannot use the cache folder /proc/.cache")
    yield from lab.judge(lab.start("checkout", "6.12", "tree", VDMA_CACHE="/sys"),
                         "cannot use the cache folder /sys")
    there = lab.folder / "there"
    there.mkdir()
    gone = ["sh", "-c", f"cd {there} && rmdir {there} && exec \"$@\"", "-"]
    yield from lab.judge(lab.start("list", under=gone), "the folder that you are in is gone")


def odd_commands(lab):
    """What is not installed is named by its package."""
    tools = lab.folder / "bin"
    tools.mkdir()
    for name in "env", "sh", "python3", "dirname", "readlink":
        (tools / name).symlink_to(shutil.which(name))
    yield from lab.judge(lab.start("debian", "6.12", "out", PATH=str(tools)),
                         "git is not installed\n.*Debian has it in git")


def odd_point_release(lab):
    """An older kernel is tried, and what stops it is named, and what applies none the less."""
    base = Base("6.12").fetch()
    kernel = lab.folder / "linux"
    kernel.mkdir()
    edits = {path for e in series.entries(base) for path in e.edits("6.12")} - {
        path for e in series.entries(base) for path in e.creates() | set(e.adds)}
    for path in edits | {"Makefile"}:
        (kernel / path).parent.mkdir(parents=True, exist_ok=True)
        (kernel / path).write_text(git(base.tree, "show", f"base:{path}") + "\n")

    def older(path, old, new):
        text = (kernel / path).read_text()
        assert old in text, old
        (kernel / path).write_text(text.replace(old, new))
    older("Makefile", "SUBLEVEL = 117", "SUBLEVEL = 95")
    env = {"KERNEL": str(kernel), "VDMA_CACHE": str(lab.folder / "cache")}
    note = "note: Linux 6.12.95 is older than 6.12.117"
    yield from lab.judge(lab.start(*DROP_IN[:2], "whole", **env), note, status=0, hint=False)
    older("drivers/virtio/virtio.c", "static struct attribute *virtio_dev_attrs",
          "static struct attribute *virtio_old_attrs")
    yield from lab.judge(lab.start(*DROP_IN[:3], **env), note,
                         r"commit \d+-sysfs: drivers/virtio/virtio.c, hunk 1 \(@@ .* does not",
                         r"these sets apply there: 9p, debug-filter, request-size, ring-enomem,"
                         r" ring-leftovers, rng, svm-fix, vdpa-mask, virtiofs$")
    yield from lab.judge(lab.start(*DROP_IN, **env), note, status=0, hint=False)

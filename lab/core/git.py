# SPDX-License-Identifier: GPL-2.0-only
"""git, as the lab uses it: trees that are made from other people's source."""
import os
import re
import subprocess
from pathlib import Path

from .cache import new_entry, room
from .process import run, say

# Objects are written once and read often: no time is spent on packing them.
FAST = ("-c", "core.looseCompression=0", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
        "-c", "core.fsync=none", "-c", "advice.detachedHead=false", "-c", "core.autocrlf=false",
        # KERNEL= may name a tree of somebody else: read it, and run nothing that it configures.
        "-c", "safe.directory=*", "-c", "core.fsmonitor=false")
WHO = {"NAME": "virtio platform DMA developers", "EMAIL": "dev@virtio-platform-dma.invalid"}


def git(tree, *args, env=None, **kwargs):
    return run("git", "-C", tree, *FAST, *args, env=os.environ | (env or {}), **kwargs)


def identity(date):
    """The author of everything the lab commits, as git's environment."""
    return {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER")
            for key, value in (WHO | {"DATE": date}).items()}


def sender():
    """Who the user is to git, as (name, address), or None where that is nobody."""
    # All that is taken of the user's own configuration.
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_CONFIG")}
    try:
        who = tuple(run("git", "config", f"user.{key.lower()}", env=env) for key in WHO)
    except subprocess.CalledProcessError:
        return None
    return who if who != tuple(WHO.values()) else None


def commit(entry, name, log, message="base"):
    """Make a git tree of an unpacked source, with what it holds as commit 'base'."""
    git(entry, "init", "-q", "-b", "base")
    run("git", *FAST, "add", "-A", "-f", ".", cwd=entry, log=log,
        label=f"{name}: making a git tree of it (half a minute)")
    git(entry, "commit", "-q", "-m", message, env=identity("@0 +0000"))


def import_own(own, tree):
    """Take the user's tree as it stands, through a repository of ours."""
    if not tree.exists():
        room(6, "a copy of the source")
        with new_entry(tree) as entry:
            git(entry, "init", "-q", "-b", "base")
    repo = {"GIT_DIR": str(tree / ".git"), "GIT_WORK_TREE": own,
            "GIT_INDEX_FILE": str(tree / ".git" / "import")}
    say(f"reading {own}")
    if (Path(own) / ".git").exists():
        # But for submodules, which are not files.
        files = "".join(f"{path}\0" for mode, path in re.findall(
            r"(\d+) \S+ \d\t([^\0]+)", git(own, "ls-files", "-z", "--stage")) if mode != "160000")
        git(own, "update-index", "--add", "--remove", "-z", "--stdin", env=repo, text=files)
    else:
        git(own, "add", "-A", "-f", ".", env=repo)
    commit = git(tree, "commit-tree", git(own, "write-tree", env=repo), "-m", "base",
                 env=identity("@0 +0000"))
    git(tree, "update-ref", "refs/heads/base", commit)

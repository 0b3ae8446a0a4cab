# SPDX-License-Identifier: GPL-2.0-only
"""The files of a base's source tree, which builds share as long as they want the same commit."""
import contextlib

from ..core.cache import lock
from ..core.git import git


def name(base):
    return f"src-{base.tree.name}"


def mark(base):
    return base.tree / ".git" / "vdma-checked-out"


def switch(base, commit):
    """Check a commit out: write only files that differ, so that make sees no other change.

    Context: the caller holds the tree's lock, and nobody shares it.
    """
    # Whoever is interrupted here leaves a tree that is of no commit.
    mark(base).unlink(missing_ok=True)
    git(base.tree, "checkout", "-q", "--force", "--detach", commit)
    mark(base).write_text(git(base.tree, "rev-parse", commit))


@contextlib.contextmanager
def alone(base):
    """Have the tree to oneself, to switch between commits and to change files."""
    with lock(name(base)):
        yield


@contextlib.contextmanager
def at(base, commit):
    """Have the tree at a commit, and share it with those that want the same one."""
    while True:
        with lock(name(base), shared=True):
            if mark(base).exists() and mark(base).read_text() == commit:
                yield
                return
        with alone(base):
            switch(base, commit)

# SPDX-License-Identifier: GPL-2.0-only
"""A mutation as a commit."""
import os

from ..core.errors import Fail
from ..core.git import git, identity
from ..model.mutation import pick


def mutated(base, below, one):
    """The text of a mutation's file, changed from what it is in the commit @below."""
    text = git(base.tree, "show", f"{below}:{one['file']}") + "\n"
    count = text.count(one["old"])
    if count != 1:
        raise Fail(f"mutation {one['name']}: {one['file']} has {count} times what it changes:\n"
                   f"{one['old']}", f"mend it in lab/mutations/{one['data']}")
    return text.replace(one["old"], one["new"])


def commit(base, below, name):
    """Commit a mutation on top of the commit @below."""
    one = pick([name])[0]
    return commit_file(base, below, one["file"], mutated(base, below, one), f"lab: mutation {name}")


def commit_file(base, below, path, text, message):
    """Commit a file with another text on top of the commit @below."""
    index = base.tree / ".git" / f"vdma-mutant-{os.getpid()}"
    env = {"GIT_INDEX_FILE": str(index)} | identity("@0 +0000")
    try:
        git(base.tree, "read-tree", below, env=env)
        blob = git(base.tree, "hash-object", "-w", "--stdin", text=text)
        git(base.tree, "update-index", "--cacheinfo", f"100644,{blob},{path}", env=env)
        return git(base.tree, "commit-tree", git(base.tree, "write-tree", env=env), "-p", below,
                   "-m", message, env=env)
    finally:
        index.unlink(missing_ok=True)

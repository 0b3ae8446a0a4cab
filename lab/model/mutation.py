# SPDX-License-Identifier: GPL-2.0-only
"""Mutations are data: small changes of the series' C, each with the scenario that must notice."""
import os
import tomllib

from ..core.git import git, identity
from ..core.host import Fail, ROOT

FOLDER = ROOT / "lab" / "mutations"
KEYS = {
    "file": "the file that is changed, at its kernel path",
    "test": "the scenario that must notice: the fastest that does. Its first kernel is changed",
    "old": "what is in the file exactly once",
    "new": "what is there instead",
    "survives": "why no test notices",
}


def load():
    """All mutations by name, in the order of their files."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        common = data.pop("all", {})
        for name, own in data.items():
            one = {"survives": None} | common | own
            if set(one) != set(KEYS):
                raise Fail(f"{path.name}: mutation {name} has not the keys it must have: "
                           + ", ".join(sorted(set(one) ^ set(KEYS))),
                           "lab/model/mutation.py lists the keys")
            found[name] = one | {"name": name, "data": path.name}
    return found


def pick(wanted):
    """The mutations of these names; without any, all of them."""
    known = load()
    for name in wanted:
        if name not in known:
            near = [n for n in known if name.partition("-")[0] in n] or list(known)
            raise Fail(f"unknown mutation '{name}'",
                       f"'./vdma mutate --list' has them all, such as {', '.join(near[:3])}")
    return [known[name] for name in wanted or known]


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
    text = mutated(base, below, one)
    index = base.tree / ".git" / f"vdma-mutant-{os.getpid()}"
    env = {"GIT_INDEX_FILE": str(index)} | identity("@0 +0000")
    try:
        git(base.tree, "read-tree", below, env=env)
        blob = git(base.tree, "hash-object", "-w", "--stdin", text=text)
        git(base.tree, "update-index", "--cacheinfo", f"100644,{blob},{one['file']}", env=env)
        return git(base.tree, "commit-tree", git(base.tree, "write-tree", env=env), "-p", below,
                   "-m", f"lab: mutation {name}", env=env)
    finally:
        index.unlink(missing_ok=True)

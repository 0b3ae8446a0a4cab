# SPDX-License-Identifier: GPL-2.0-only
"""Mutations are data: small changes of the series' C, each with the scenario that must notice."""
import tomllib

from ..core.cache import ROOT
from ..core.errors import Fail
from .scenario import BASE

FOLDER = ROOT / "lab" / "mutations"
KEYS = {
    "file": "the file that is changed, at its kernel path",
    "test": "the scenario that must notice: the fastest that does. Its first kernel is changed",
    "base": "the base whose kernel is changed, if not the default one",
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
            one = {"survives": None, "base": BASE} | common | own
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

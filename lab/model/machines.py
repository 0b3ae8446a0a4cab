# SPDX-License-Identifier: GPL-2.0-only
"""The machines: a file of data each."""
import tomllib

from ..core.cache import ROOT
from ..core.errors import Fail

FOLDER = ROOT / "lab" / "arch"


def load(name):
    path = FOLDER / f"{name}.toml"
    if not path.exists():
        known = sorted(p.stem for p in path.parent.glob("*.toml"))
        raise Fail(f"unknown architecture '{name}'", f"there are: {', '.join(known)}")
    return tomllib.loads(path.read_text()) | {"name": name}

# SPDX-License-Identifier: GPL-2.0-only
"""Distributions that guests are: a file of data. And what is written to their disks."""
import tomllib

from ..core.cache import ROOT
from ..core.errors import Fail


def load(name, arch):
    """What is said of a distribution, and what is said of it for this architecture."""
    known = tomllib.loads((ROOT / "lab" / "distributions.toml").read_text())
    if name not in known:
        raise Fail(f"unknown distribution '{name}'", f"there are: {', '.join(sorted(known))}")
    common = {key: value for key, value in known[name].items() if not isinstance(value, dict)}
    own = {key: value for key, value in known[name].items() if isinstance(value, dict)}
    if arch not in own:
        raise Fail(f"no kernel of '{name}' for {arch}", f"there are: {', '.join(sorted(own))}")
    return common | own[arch]


def lines(seed, count):
    """The file that the guest writes: no two of its blocks are the same."""
    return "".join(f"{seed:#x} {number}\n" for number in range(count)).encode()

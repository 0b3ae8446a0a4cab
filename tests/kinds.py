# SPDX-License-Identifier: GPL-2.0-only
"""The ids of checks that the judges can give, as their sources write them."""
import functools
import re
from pathlib import Path

from lab import judge

CALL = re.compile(r'\bCheck\(\s*f?"([^"]+)"')
# What the judges put together before they name a check.
TOGETHER = {"{at}": "{moment}.{name}"}


@functools.cache
def kinds():
    """Every id, with words in braces where a name goes."""
    found = set()
    for path in Path(judge.__file__).parent.glob("*.py"):
        found |= set(CALL.findall(path.read_text()))
    return {TOGETHER.get(kind[:4], kind[:4]) + kind[4:] for kind in found}


@functools.cache
def pattern(kind):
    """What an id of this kind looks like."""
    parts = re.split(r"\{[^}]+\}", kind)
    return re.compile(r"[\w-]+".join(map(re.escape, parts)))


def kinds_of(name):
    """The kinds that an id may be of: those with the fewest braces, and those as late as can be."""
    def rank(kind):
        return kind.count("{"), -len(kind.partition("{")[0])

    fitting = [kind for kind in kinds() if pattern(kind).fullmatch(name)]
    best = min(map(rank, fitting), default=None)
    return {kind for kind in fitting if rank(kind) == best}

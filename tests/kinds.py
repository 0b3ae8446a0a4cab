# SPDX-License-Identifier: GPL-2.0-only
"""The ids of checks that the judges can give, as their sources write them."""
import re
from pathlib import Path

from lab import judge

CALL = re.compile(r'\bCheck\(\s*f?"([^"]+)"')
# What the judges put together before they name a check.
TOGETHER = {"{at}": "{moment}.{name}"}


def kinds():
    """Every id, with words in braces where a name goes."""
    found = set()
    for path in Path(judge.__file__).parent.glob("*.py"):
        found |= set(CALL.findall(path.read_text()))
    return {TOGETHER.get(kind[:4], kind[:4]) + kind[4:] for kind in found}


def pattern(kind):
    """What an id of this kind looks like."""
    parts = re.split(r"\{[^}]+\}", kind)
    return re.compile(r"[\w-]+".join(map(re.escape, parts)))


def kinds_of(name):
    """The kinds that a check of this id may be of: it names one that fits with fewest braces."""
    fitting = [kind for kind in kinds() if pattern(kind).fullmatch(name)]
    least = min((kind.count("{") for kind in fitting), default=0)
    return {kind for kind in fitting if kind.count("{") == least}

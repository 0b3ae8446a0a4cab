# SPDX-License-Identifier: GPL-2.0-only
"""What a request costs: the difference between two counts, by function and by part."""
import functools
import re
import tomllib

from ..core.cache import ROOT

DATA = tomllib.loads((ROOT / "lab" / "bench.toml").read_text())
PARTS = {name: re.compile(text, re.VERBOSE) for name, text in DATA["parts"].items()}
FEW, MANY = DATA["requests"]


@functools.cache
def part_of(function):
    return next((name for name, text in PARTS.items() if text.fullmatch(function)), None)


class Cost:
    """What MANY - FEW requests execute, by function: whole numbers, to be compared."""

    def __init__(self, few, many):
        self.functions = {name: many[name] - few[name] for name in sorted(few | many)
                          if many[name] != few[name]}
        self.parts = dict.fromkeys(PARTS, 0)
        for name, count in self.functions.items():
            if part := part_of(name):
                self.parts[part] += count
        self.total = sum(self.parts.values())
        self.path = self.total - self.parts["copy"]
        self.steady = self.total - sum(self.functions.get(name, 0) for name in DATA["varies"])

    def barriers(self, kind):
        """The barriers of a kind that the rings take per request, by function."""
        found = {name.partition(":")[0]: round(each(count)) for name, count
                 in self.functions.items() if re.fullmatch(rf"virtqueue_\w+:{kind}", name)}
        return {name: count for name, count in found.items() if count}

    def changes(self, old):
        """How the path differs from another one, function by function and per request."""
        before, after = old.functions, self.functions
        return "".join(f"{name}: {each(before.get(name, 0)):.3f} ->"
                       f" {each(after.get(name, 0)):.3f}\n" for name in sorted(before | after)
                       if part_of(name) and before.get(name) != after.get(name))


def each(count):
    return count / (MANY - FEW)

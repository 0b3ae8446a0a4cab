# SPDX-License-Identifier: GPL-2.0-only
"""A part of the scenarios in which every two properties that meet in one still meet."""
from itertools import combinations


def properties(one):
    """What a scenario is about, as words: where its devices are, how they work, what it does."""
    options = one.get("options", "").split(",")
    return {f"transport {one['transport']}", f"mode {one['mode']}", *filter(None, options),
            *one.get("machine_options", []), *(f"device {d}" for d in one["devices"]),
            *(f"step {s.partition(':')[0]}" for s in one["steps"]),
            *(f"suite {suite}" for suite in one["kunit"]), f"domain {one.get('domain')}",
            *(["smp"] if one["cpus"] > 1 else []), *(["bounce"] if one["bounced"] else [])}


def control(one):
    """A control stays, whatever else meets elsewhere."""
    return bool(one["must_fail"] or one["errors"] or one["stuck"] or one["absent"])


def choose(scenarios):
    """The names of a part that is small: take what adds most until no pair is missing."""
    pairs = {one["name"]: set(combinations(sorted(properties(one)), 2)) for one in scenarios}
    taken = [one["name"] for one in scenarios if control(one)]
    missing = set().union(*pairs.values()) - set().union(*(pairs[name] for name in taken))
    while missing:
        best = max(pairs, key=lambda name: len(pairs[name] & missing))
        taken.append(best)
        missing -= pairs[best]
    return set(taken)

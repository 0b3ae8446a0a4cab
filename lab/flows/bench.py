# SPDX-License-Identifier: GPL-2.0-only
"""What a block request costs in each mode: the table, and what must hold of it."""
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..core.cache import scratch
from ..core.cpus import at_once
from ..core.errors import Fail
from ..core.process import say
from ..model import scenario
from ..model.check import Check
from ..patches.base import Base
from .cost import Cost, DATA, each, FEW, MANY, part_of, PARTS
from .count import Guest

RELATIONS = {"same": ("costs the same as", lambda a, b: abs(a - b) < JITTER),
             "above": ("costs more than", lambda a, b: a > b + JITTER),
             "at_most": ("costs no more than", lambda a, b: a < b + JITTER)}
KEYS = {"about", "scenario", "base", "kernel", "limit", "goal", "sizes", "device", "cpus", "slow",
        "stronger", *RELATIONS}
# The device runs beside the guest: now and then, on a busy machine, it has looked
# at the ring already. What costs an instruction per request is ten times as much.
JITTER = (MANY - FEW) / 10
# Guests at the same time: the figures do not depend on it, the memory does.
JOBS = min(at_once(), 4)


@dataclass
class Row:
    """A line of the table, and by size what was counted for it."""

    name: str
    data: dict
    guest: Guest
    costs: dict

    @property
    def sizes(self):
        return self.data.get("sizes", DATA["sizes"])


def rows(wanted, folder, slow):
    """The rows of the machines @wanted, or of all of them; without the slow ones unless @slow."""
    found = {}
    for name, data in DATA["rows"].items():
        if unknown := set(data) - KEYS:
            raise Fail(f"bench.toml: row {name} has unknown keys: {', '.join(sorted(unknown))}",
                       f"there are: {', '.join(sorted(KEYS))}")
        one = scenario.pick([data["scenario"]], data.get("base", scenario.BASE))[0]
        if wanted in (None, one["arch"]) and (slow or not data.get("slow")):
            found[name] = Row(name, data, Guest.make(
                one, data["kernel"], folder, data.get("device", "blk"), data.get("cpus", 1)), {})
    if not found:
        raise Fail(f"nothing is counted on '{wanted}'", "see lab/bench.toml")
    return found


def measure(todo):
    """The cost of each (row, size)."""
    jobs = [(row.guest, requests, size) for row, size in todo for requests in (FEW, MANY)]
    say(f"counting instructions: {len(jobs)} boots, {len(jobs) * 2 // JOBS} s")
    with ThreadPoolExecutor(JOBS) as pool:
        counts = list(pool.map(lambda job: job[0].count(*job[1:], DATA["helpers"]), jobs))
    return [Cost(few, many) for few, many in zip(counts[::2], counts[1::2])]


def bench(wanted, verify, slow=True):
    """Measure; return the rows and the checks."""
    with scratch() as folder:
        found = rows(wanted, folder, slow)
        todo = [(row, size) for row in found.values() for size in row.sizes]
        again = [t for t in todo if verify or t[0].name in DATA["again"]]
        costs = measure(todo + again)
        for (row, size), cost in zip(todo, costs):
            row.costs[size] = cost
        # What a busy machine does to a figure, it does not do twice.
        doubted = [(found[name], size) for name, size in dict.fromkeys(doubts(found))]
        for (row, size), cost in zip(doubted, measure(doubted) if doubted else []):
            row.costs[size] = cost
    return found, [*judge(found), *repeats(again, costs[len(todo):])]


def doubts(found):
    """The pairs that are not what they must be to each other: each (name, size) of them."""
    for row in found.values():
        for relation in RELATIONS.keys() & row.data.keys():
            other = found[row.data[relation]]
            for size, cost in row.costs.items():
                if not RELATIONS[relation][1](cost.steady, other.costs[size].steady):
                    yield from ((row.name, size), (other.name, size))


def judge(found):
    """What must hold of the figures."""
    for row in found.values():
        own = row.guest.defined()
        for size, cost in row.costs.items():
            what = f"{in_words(size)}: {row.data['about']}:"
            lost = [f for f in cost.functions if f in own and not part_of(f)]
            yield Check.of(f"{what} all of virtio is counted", cost.path > 0 and not lost, lost)
            for relation, (words, holds) in RELATIONS.items():
                if relation in row.data:
                    other = found[row.data[relation]]
                    than = other.costs[size]
                    yield Check.of(f"{what} {words} {other.data['about']}",
                                   holds(cost.steady, than.steady),
                                   f"{each(than.steady):.3f} -> {each(cost.steady):.3f}\n"
                                   + cost.changes(than))
            if "goal" in row.data:
                goal = row.data["goal"][row.sizes.index(size)]
                times = over_limit(row, size, found)
                yield Check.of(f"{what} at most {goal} times the limit", times <= goal, times)
            if "stronger" in row.data:
                weak = found[row.data["stronger"]]
                yield stronger(what, cost, weak.data["about"], weak.costs[size])


def stronger(what, cost, other, than):
    before, after = ([c.barriers(kind) for kind in ("inner", "outer")] for c in (than, cost))
    return Check.of(f"{what} its rings have outer-shareable barriers,"
                    f" {other} has inner-shareable ones",
                    before[0] != {} and before[1] == {} and after == [{}, before[0]],
                    f"inner and outer: {before} -> {after}")


def repeats(again, costs):
    for (row, size), cost in zip(again, costs):
        text = cost.changes(row.costs[size])
        yield Check.of(f"{in_words(size)}: {row.data['about']}: a second run shows the same",
                       not text, text)


def over_limit(row, size, found):
    """How often a row costs what the path of its limit and the copy cost together."""
    cost = row.costs[size]
    limit = found[row.data.get("limit", row.name)].costs[size].path
    return cost.total / (limit + cost.parts["copy"])


def in_words(*sizes):
    """Sizes as a reader takes them."""
    if sizes[0] % 1024:
        return " / ".join(f"{size:,}" for size in sizes) + " bytes"
    return " / ".join(str(size >> 10) for size in sizes) + " KiB"


def table(some, found):
    """The figures of some rows as Markdown, all sizes in a cell."""
    head = f"per request of {in_words(*some[0].sizes)}"
    lines = [[head, "path", "ratio", *PARTS]]
    for row in some:
        cells = []
        for size, cost in row.costs.items():
            cells.append([f"{each(cost.path):,.0f}", f"{over_limit(row, size, found):.1f}",
                          *(f"{each(c):,.0f}" for c in cost.parts.values())])
        lines.append([row.data["about"], *(" / ".join(c) if set(c) != {"0"} else ""
                                           for c in zip(*cells))])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    lines.insert(1, ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])])
    return "\n".join("| " + " | ".join([line[0].ljust(widths[0]), *(
        cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]) + " |"
                     for line in lines)


def tests(slow=False):
    """What "./vdma test" takes of it: (name, checks) of each machine."""
    for name in dict.fromkeys(scenario.load()[data["scenario"]]["arch"]
                              for data in DATA["rows"].values()):
        yield f"{name}: what a block request costs", bench(name, False, slow)[1]


def main(wanted, verify):
    """Print a table for each machine; return whether everything holds."""
    found, checks = bench(wanted, verify)
    machines = {}
    for row in found.values():
        one = row.guest.scenario
        machines.setdefault((one["arch"], one["base"], *row.sizes, one["cpus"] > 1), []).append(row)
    for (name, base, *_), some in machines.items():
        print(f"{name}, {Base(base).release()}: instructions of the guest's kernel\n\n"
              f"{table(some, found)}\n")
    for check in checks:
        if not check.ok:
            print(f"FAILED: {check.title}: {check.detail}")
    print(f"{sum(check.ok for check in checks)} of {len(checks)} checks hold")
    return all(check.ok for check in checks)

# SPDX-License-Identifier: GPL-2.0-only
"""What a test run leaves: how much it checked, and the table of modes of docs/results.md."""
from collections import Counter

from ..core.cache import cache
from ..core.errors import Fail
from ..model import scenario
from ..model.check import Check
from ..model.features import known
from ..judge import data, host, kunit, selftests
from ..judge.modes import devices
from . import pages

BITS = ("ACCESS_PLATFORM", "PLATFORM_DMA")
# What the last run leaves in the cache.
TABLE = "modes.md"
# Where people read it.
PAGE, BLOCK = "docs/results.md", "table of modes"
COUNTED = ("scenarios", "negative controls", "KUnit cases", "kselftests", "fault rounds",
           "bytes of data")


def count(record):
    """What a boot that passed has checked; a negative control has only shown that it is one."""
    if any(record.scenario[key] for key in ("must_fail", "errors", "stuck")):
        return Counter({"negative controls": 1})
    return Counter({
        "scenarios": 1,
        "KUnit cases": sum(int(kunit.totals(record, suite)[1])
                           for suite in record.scenario["kunit"]),
        "kselftests": sum(bool(selftests.PASSED.match(r.get("line", "")))
                          for r in record.all("selftest")),
        "fault rounds": sum(int(r["rounds"]) for r in record.all("faults")),
        "bytes of data": data.transferred(record)})


def line(counts):
    """The counts as people read them."""
    return "checked: " + ", ".join(f"{counts[what]:,} {what}" for what in COUNTED)


def tabled(one):
    """Whether the table shows a scenario: of the default base, or of another if that cannot run it."""
    return "row" in one and (one["base"] == scenario.BASE
                             or bool(scenario.load()[one["name"]]["missing"]))


def row(record):
    """A row of the table: machine, bits offered, whose kernel, and each device's mode."""
    view, said = next(iter(record.views.values())), devices(record)
    bits = {bit for device in view["devices"].values() for bit in known(device["offered"])}
    modes = {}
    for name, device in view["devices"].items():
        modes[name] = said[name]["mode"]
        if modes[name] == "-":  # It cannot say; QEMU can.
            modes[name] = "*physical*" if all(
                host.in_ram(view, a) for a in host.addresses(device)) else "*translated*"
    offered = " and ".join(bit for bit in BITS if bit in bits) or "neither"
    return record.scenario["row"], offered, "no" if record.kind == "stock" else "yes", modes


def table(rows):
    """The rows as Markdown; several boots of a machine may each have a part of its devices."""
    merged = {}
    for *key, modes in rows:
        merged.setdefault(tuple(key), {}).update(modes)
    names = sorted({name for modes in merged.values() for name in modes},
                   key=("blk net rng balloon serial scsi share gpu input").split().index)
    return pages.markdown([["machine", "bit offered", "series", *names], *(
        [*key, *(modes.get(name, "") for name in names)]
        for key, modes in sorted(merged.items()))])


def last():
    path = cache() / TABLE
    if not path.exists():
        raise Fail("no test run has made the table", "run './vdma test'")
    return path.read_text()


def tests(rows):
    """The page must show what was seen; keep that for './vdma docs'."""
    text = table(rows)
    (cache() / TABLE).write_text(text)
    yield f"{PAGE}: the table of modes", [
        Check("page.modes", "it is what this run saw", pages.shown(PAGE, BLOCK) == text,
              f"'./vdma docs' writes it:\n{text}")]

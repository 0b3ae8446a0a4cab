# SPDX-License-Identifier: GPL-2.0-only
"""How much the boots of a test run have checked."""
from collections import Counter

from ..model.media import DISK, SCREEN
from ..judge import checks, selftests

# Each record of bytes that the host has compared, and how often a byte went through a device.
TRANSFERS = {"read": 1, "write": 1, "port": 1, "net": 2, "share": 2}


def count(run):
    """What a boot that passed has checked; a negative control has only shown that it is one."""
    if any(run.scenario[key] for key in ("must_fail", "errors", "stuck")):
        return Counter({"negative controls": 1})
    return Counter({
        "scenarios": 1,
        "KUnit cases": sum(int(checks.totals(run, suite)[1]) for suite in run.scenario["kunit"]),
        "kselftests": sum(bool(selftests.PASSED.match(r.get("line", "")))
                          for r in run.all("selftest")),
        "fault rounds": sum(int(r["rounds"]) for r in run.all("faults")),
        "bytes of data": sum(times * int(r["bytes"]) for verb, times in TRANSFERS.items()
                             for r in run.all(verb))
        + sum(int(r["readers"]) * DISK for r in run.all("flood"))
        + sum(int(r["rounds"]) * DISK for r in run.all("loaded") if r["device"] == "blk")
        + sum(len(p) - len(SCREEN) for p in run.pictures)})


def line(counts):
    """The counts as people read them."""
    return "checked: " + ", ".join(f"{counts[what]:,} {what}" for what in (
        "scenarios", "negative controls", "KUnit cases", "kselftests", "fault rounds",
        "bytes of data"))

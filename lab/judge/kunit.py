# SPDX-License-Identifier: GPL-2.0-only
"""KUnit suites that run while the guest boots."""
import re
from collections import Counter

from ..model.check import Check
from ..patches.base import Base


def totals(record, suite):
    """What the kernel says of a suite that it calls ok: cases that passed, and that failed."""
    return re.search(r"# Totals: pass:(\d+) fail:(\d+) skip:\d+ total:\d+\s"
                     rf".*(?<! not) ok \d+ {suite}$", record.console, re.M)


def survey(record, suite):
    """A suite passes if the kernel says so, and skips a case for a known reason only."""
    result = totals(record, suite)
    known = {*record.scenario["machine"].get("kunit_skips", []),
             *Base(record.scenario["base"]).kunit_skips}
    skips = Counter(reason for reason in re.findall(r" # SKIP (.*)$", record.console, re.M)
                    if reason not in known)
    return Check(f"kunit.{suite}", f"KUnit: {suite}", bool(result) and int(result[1]) > 0
                 and result[2] == "0" and skips == record.scenario["skips"],
                 f"{result and result[0]}; skipped: {skips}")

# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel's own selftests say in a guest, as KTAP whose spaces are underscores."""
import re

from ..model.check import Check
from ..model.selftests import selftests


RESULT = re.compile(r"(not_)?ok_\d+_")
PASSED = re.compile(r"ok_\d+_(?!#_SKIP)")
SKIPPED = re.compile(r"(?:ok_\d+|1\.\.0)_#_SKIP_(.*)")


def survey(record):
    """Each program passes; what is skipped, and for which reason, is what the scenario says."""
    skipped = []
    for name in selftests():
        mine = [r for r in record.all("selftest") if r["name"] == name]
        said = [r["line"] for r in mine if "line" in r]
        reasons = [s[1] for s in map(SKIPPED.match, said) if s]
        skipped += [f"{name}: {reason}" for reason in reasons]
        planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)$", "\n".join(said), re.M))
        whole = [line for line in said if line.startswith("1..0_#_SKIP")]
        results = [line for line in said if RESULT.match(line)]
        yield Check(f"selftest.{name}", f"selftest: {name} passes", len(results) == planned
               and bool(planned) != bool(whole) and not any(r.startswith("not") for r in results)
               and [r["exit"] for r in mine if "exit" in r] == ["4" if whole else "0"],
               "\n".join(said))
    wanted = {text.replace(" ", "_"): count for text, count in record.scenario["skips"].items()}
    yield Check(
        "selftest.skips", "selftest: the kernel skips what the scenario says, and nothing else",
        all(sum(text in s for s in skipped) == count for text, count in wanted.items())
        and all(any(text in s for text in wanted) for s in skipped), "\n".join(skipped))

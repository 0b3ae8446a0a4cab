# SPDX-License-Identifier: GPL-2.0-only
"""What KCSAN says of data races: those that a scenario is about must not be there."""
import re

from ..model.check import Check

# From one line to the next, each with the time before it.
REPORT = re.compile(r"^.*={60,}\n.*BUG: KCSAN: (?:.*\n)*?.*={60,}$", re.M)
# Less would say that KCSAN has not looked: places of memory that it watched for a moment.
LOOKED = 1000


def others(record):
    """The console without reports of races that are none of the scenario's business."""
    if not record.scenario["races"]:
        return record.console
    return REPORT.sub("", record.console)


def survey(record):
    name, found = record.scenario["races"], REPORT.findall(record.console)
    watched = [int(one["watched"]) for one in record.all("races")]
    yield Check("races.looked", "KCSAN looks for data races while the devices work",
                len(watched) == 2 and watched[1] - watched[0] >= LOOKED, watched)
    ours = [report for report in found if name in report]
    yield Check("races.none", f"KCSAN finds no data race in {name}",
                not ours, "\n".join([*ours[:1], f"{len(ours)} of {len(found)} reports"]))

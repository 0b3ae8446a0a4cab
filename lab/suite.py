# SPDX-License-Identifier: GPL-2.0-only
"""What "./vdma test" runs, in the order of what fails fastest."""
from . import base as bases
from . import check, misuse, proof, scenario, series
from .host import Fail, say
from .ktap import Report


def run(junit):
    """Run all of it; return the exit status."""
    say("35 minutes with empty caches on two cores, 15 with warm ones")
    report = Report()
    for name in bases.names():
        guarded(report, check.checks(name))
    guarded(report, check.qemu_checks())
    for one in scenario.load().values():
        for kind in one["kernels"]:
            boot(report, one, kind)
    # Every commit of the series builds, boots and keeps the default as it is.
    default = scenario.load()[scenario.DEFAULT]
    for number, entry in enumerate(series.entries(bases.Base(default["base"])), 1):
        boot(report, default | {"name": f"after {entry.name}"}, f"vdma@{number}")
    guarded(report, misuse.checks())
    return report.close(junit)


def guarded(report, tests):
    """Report tests as they come; what stops them is one more that fails."""
    try:
        for name, checks in tests:
            report.add(name, checks)
    except Fail as err:
        report.add("the rest of it", [(str(err), False, err.hint)])


def boot(report, one, kind):
    try:
        checks = proof.prove(one, kind)[1]
    except Fail as err:
        checks = [("the guest boots", False, f"{err}; {err.hint}")]
    report.add(f"boot {one['name']} on {kind}", checks)

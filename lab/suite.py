# SPDX-License-Identifier: GPL-2.0-only
"""What "./vdma test" runs, in the order of what fails fastest."""
import os
from concurrent.futures import ThreadPoolExecutor

from . import base as bases
from . import bench, check, misuse, proof, scenario, series
from .host import Fail, say
from .ktap import Report


def run(junit):
    """Run all of it; return the exit status."""
    say("50 minutes with empty caches on two cores, 15 with warm ones")
    report = Report()
    for name in bases.names():
        guarded(report, check.checks(name))
    guarded(report, check.qemu_checks())
    boot_all(report)
    guarded(report, bench.tests())
    guarded(report, misuse.checks())
    return report.close(junit)


def guarded(report, tests):
    """Report tests as they come; what stops them is one more that fails."""
    try:
        for name, checks in tests:
            report.add(name, checks)
    except Fail as err:
        report.add("the rest of it", [(str(err), False, err.hint)])


def boots():
    """Every boot: a scenario and a kernel."""
    for one in scenario.load().values():
        for kind in one["kernels"]:
            yield one, kind
    # Every commit of the series builds, boots and keeps the default as it is.
    for name, everywhere in ((scenario.DEFAULT, True), ("ppc-pci-modern", False)):
        one = scenario.load()[name]
        base, own = bases.Base(one["base"]), f"arch/{one['machine']['kernel_arch']}/"
        for number, entry in enumerate(series.entries(base), 1):
            if everywhere or entry.touches(base.name, own):
                yield one | {"name": f"{name} after {entry.name}"}, f"vdma@{number}"


def boot_all(report):
    """Build kernels one after the other; boot them meanwhile, a guest on each CPU."""
    pool, waiting = ThreadPoolExecutor(os.cpu_count()), []
    try:
        for one, kind in boots():
            try:
                result = pool.submit(proof.prove, proof.Run(one, kind)).result
            except Fail as err:
                result = broken(err)
            waiting.append((f"boot {one['name']} on {kind}", result))
            if len(waiting) > 2 * os.cpu_count():
                finish(report, *waiting.pop(0))
        for name, result in waiting:
            finish(report, name, result)
    finally:
        pool.shutdown(cancel_futures=True)


def broken(err):
    return lambda: [("the guest boots", False, f"{err}; {err.hint}")]


def finish(report, name, result):
    try:
        checks = result()
    except Fail as err:
        checks = broken(err)()
    report.add(name, checks)

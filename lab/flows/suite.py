# SPDX-License-Identifier: GPL-2.0-only
"""What "./vdma test" runs, in the order of what fails fastest."""
import datetime
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from tests import bad_input

from ..core.cache import cache
from ..core.cpus import at_once
from ..core.errors import Fail
from ..core.ktap import Report
from ..core.process import say
from ..model import pairwise, scenario
from ..model.check import Check
from ..patches import series
from ..patches.base import Base, wanted
from ..patches.mbox import LAST
from ..patches.qemu import companions, Qemu
from . import bench, mutate, parts, results, run_guest, runner, unit
from .jobs import proof
from .review import checks as review, drop_in, specification
from .since import PARTS, plan as since_plan

# Where another base than the default one boots in each run, for there is time for no more.
FIRST = {"mainline": "arm64"}


def run(junit, base=None, arch=None, full=False, debug=False, companion=None, since=None,
        piece=None):
    """Run what the default base needs and a first look at the others; or all; or a part.

    A base or a machine that is asked for is run in full. Return the exit status.
    """
    if debug:
        return with_debug(junit, base or scenario.BASE, arch)
    if companion:
        Qemu(companion)
        report = Report()
        on_companion(report, companion, base or scenario.BASE, arch)
        return report.close(junit)
    if since:
        return run_since(junit, since)
    # The table of modes is made of all boots: no slice has them.
    chosen = parts.slice_of(piece) - {"results"} if piece else set(parts.every())
    report, seen = Report(), []

    def part(name, tests):
        if name in chosen:
            guarded(report, tests(), name)

    if not (base or arch):
        part("unit", unit.tests)
    for name in wanted(base):
        thorough = full or bool(base or arch)
        whole = thorough or name == scenario.BASE
        part(f"{name}: checks", lambda: review.checks(name, arch, whole, thorough))
        if whole or name in FIRST:
            seen += boot_all(report, name, arch or (None if whole else FIRST[name]), [
                (one, kind) for one, kind in boots(name, whole, thorough)
                if parts.of_boot(name, one) in chosen])
        if full or base:
            part(f"{name}: other configurations", lambda: review.thorough(name, arch))
        if full:
            part(f"{name}: drop-in", lambda: drop_in.tests(name))
            part(f"{name}: sets", lambda: drop_in.alone(name))
    if not (base or arch):
        further(report, seen, chosen, full)
        for name in companions()[1:] if full else []:
            if f"companion: {name}" in chosen:
                on_companion(report, name, scenario.BASE)
    if full and not (base or arch):
        parts.note(report.parts)
    counts = results.line(sum(map(results.count, seen), Counter()))
    status = report.close(junit, counts)
    if not (base or arch or piece):
        # The cover letter quotes it.
        on = ", ".join(Base(name).fetch().release() for name in wanted(base))
        (cache() / LAST).write_text(f"{report.summary}\n({counts};"
                                    f" {datetime.date.today()}; {on}).\n")
    return status


def further(report, seen=(), chosen=PARTS, full=False):
    """What concerns no base, or only the default one."""
    rows = [results.row(record) for record in seen if results.tabled(record.scenario)]
    tests = {"results": lambda: results.tests(rows), "mutations": mutate.tests,
             "companion": review.qemu_checks, "specification": specification.checks,
             "bench": lambda: bench.tests(full), "run": run_guest.tests, "jobs": proof.tests,
             "bad input": bad_input.checks}
    for part in [part for part in PARTS if part in tests and part in chosen]:
        guarded(report, tests[part](), part)


def run_since(junit, rev):
    """Run what depends on what has changed since a revision, and say what that leaves out."""
    plan = since_plan(rev)
    say(plan.left_out())
    report = Report()
    guarded(report, unit.tests())
    for name in wanted(None):
        if name in plan.checks:
            guarded(report, review.checks(name, None, plan.checks[name]))
        boot_all(report, name, FIRST.get(name), [
            (one, kind) for one, kind in boots(name, name == scenario.BASE, False)
            if plan.wants(name, one, kind)])
    further(report, chosen=plan.parts)
    return report.close(junit, plan.left_out())


def with_debug(junit, base, arch):
    """Boot every scenario of the series on debug kernels."""
    report = Report()
    every = ((scenario.with_debug(one), "series") for one in scenario.load(base).values()
             if "series" in one["kernels"])
    seen = boot_all(report, base, arch, every)
    return report.close(junit, results.line(sum(map(results.count, seen), Counter())))


def on_companion(report, companion, base, arch=None):
    """What concerns a further base of the companion QEMU: its checks, and who boots on it."""
    part = f"companion: {companion}"
    guarded(report, review.qemu_checks(companion), part)
    every = [(scenario.with_companion(one, companion), kind)
             for one, kind in boots(base, True, False) if one["companion"]]
    boot_all(report, base, arch, every, f"{companion}: ", part)


def guarded(report, tests, part=None):
    """Report tests as they come; what stops them is one more that fails."""
    try:
        for name, checks in tests:
            report.add(name, checks, part=part)
    except Fail as err:
        report.add("the rest of it", [Check.of(str(err), False, err.hint)], part=part)


def boots(name, full, thorough):
    """The boots of a base, each a scenario and a kernel.

    Unless in full, those scenarios run in which every two properties meet that
    meet in one, and those that only this base has for the table of modes, each on
    the first of its kernels, but none on a variant or on a configuration of its
    own. Unless thorough, what is slow to build is left out.
    """
    every = scenario.load(name)
    # A debug kernel takes half an hour to build, and its guests as long.
    some = [one for one in every.values()
            if thorough or not one["slow"] and "debug" not in one["config"]]
    if not full:
        some = [one for one in some if one["kernels"][0] in ("series", "stock")
                and not one["config"] and one["arch"] == FIRST.get(name) and not one["missing"]]
        chosen = pairwise.choose(some) | {one["name"] for one in some if results.tabled(one)}
        some = [one for one in some if one["name"] in chosen]
    for one in some:
        for kind in one["kernels"] if full else one["kernels"][:1]:
            yield one, kind
    # Every commit of the series builds, boots and keeps the default as it is.
    base = Base(name)
    for default, everywhere in ((scenario.DEFAULT, True), ("ppc-pci-modern", False)):
        one = every[default]
        for number, entry in enumerate(series.entries(base), 1):
            own = entry.touches(name, f"arch/{one['machine']['kernel_arch']}/")
            if thorough and (everywhere or own):
                yield one | {"name": f"{default} after {entry.name}"}, f"series@{number}"


def boot_all(report, base, arch, every, prefix="", part=None):
    """Build kernels one after the other; boot them meanwhile, a guest on each CPU.

    Report each boot as it ends, for one that takes long must not hold up the others.
    Return the records of those that passed.
    """
    guests = at_once()
    pool, running, good = ThreadPoolExecutor(guests), {}, []
    prefix += "" if base == scenario.BASE else f"{base}: "

    def finish(most):
        while len(running) > most:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                good.extend(outcome(report, future, *running.pop(future)))

    try:
        for one, kind in every:
            title, of = f"{prefix}boot {one['name']} on {kind}", part or parts.of_boot(base, one)
            if arch not in (None, one["arch"]):
                continue
            if one["missing"]:
                report.add(title, skip=one["missing"], part=of)
                continue
            try:
                running[pool.submit(runner.prove, runner.Boot(one, kind))] = title, of
            except Fail as err:
                report.add(title, [broken(err)], part=of)
            finish(2 * at_once())
        finish(0)
        return good
    finally:
        pool.shutdown(cancel_futures=True)


def broken(err):
    return Check("guest.boots", "the guest boots", False, f"{err}; {err.hint}")


def outcome(report, future, title, part):
    """Report a boot that has ended; return its record if it passed."""
    try:
        record, checks = future.result()
    except Fail as err:
        report.add(title, [broken(err)], part=part)
        return []
    return [record] if report.add(title, checks, part=part) else []

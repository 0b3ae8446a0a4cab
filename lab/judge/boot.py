# SPDX-License-Identifier: GPL-2.0-only
"""The verdict on a boot: the checks of its record, turned round for a negative control."""
import re

from ..model.check import Check
from . import (backends, data, faults, host, host_actions, installed, kunit, modes,
               races, selftests, soak)

TROUBLE = re.compile(r"WARNING:|BUG:|UBSAN:|Oops|Call [Tt]race|Kernel panic|Unable to handle"
                     r"|DMA-API: (?!preallocated|debugging enabled|Mapped at)"
                     r"|swiotlb buffer is full|event 0x")
# Linux 6.12 counts its deadline server among the tasks of a CPU that goes, if it is due just then.
DYING = "Dying CPU not properly vacated"
# A warning, or the report of a sanitizer, goes on over many lines.
REPORT = re.compile(r"^.*-\[ cut here \](.*\n)*?.*-\[ end trace .*$"
                    r"|^.*={60,}\n.*BUG: (.*\n)*?.*={60,}$", re.M)


def judge(record):
    """All checks of a record. Of a negative control, turn round those that must fail."""
    wanted, checks = record.scenario["must_fail"], list(survey(record))
    missing = set(wanted) - {check.id for check in checks}
    return [control(check) if check.id in wanted else check for check in checks] + [
        Check(name, "control: this check must fail", False, "this run has no such check")
        for name in sorted(missing)]


def control(check):
    return check._replace(title=f"control: this must fail: {check.title}", ok=not check.ok)


def survey(record):
    if record.scenario["stuck"]:
        yield from stuck(record)
        yield from console(record)
        return
    steps = [step.partition(":")[0] for step in record.scenario["steps"]]
    yield end(record)
    yield clean(record, steps)
    yield from modes.survey(record, steps)
    for moment, view in record.views.items():
        yield from host.survey(record, moment, view)
    yield from host.table_writes(record)
    yield from data.survey(record, steps)
    yield from host_actions.survey(record)
    yield from soak.survey(record)
    yield from backends.survey(record)
    if record.scenario["distribution"]:
        yield from installed.survey(record)
    if "selftest" in steps:
        yield from selftests.survey(record)
    if "faults" in steps:
        yield from faults.survey(record)
    if "races" in steps:
        yield from races.survey(record)
    yield from console(record)
    for suite in record.scenario["kunit"]:
        yield kunit.survey(record, suite)


def end(record):
    done, errors = record.all("done"), record.all("error")
    wanted = set(record.scenario["errors"])
    # Each kernel counts those that it has seen itself.
    started = max((i for i, (verb, _) in enumerate(record.said) if verb == "hello"), default=0)
    late = [verb for verb, _ in record.said[started:] if verb == "error"]
    return Check(
        "guest.end", "the guest runs to its end and reports "
        + (f"these errors: {', '.join(sorted(wanted))}" if wanted else "no error"),
        record.finished() and {e["what"] for e in errors} == wanted
        and (done[-1]["errors"] == "0") == (not late),
        "; ".join([record.end] + [str(e) for e in errors]))


def without(text, trouble):
    """The console without the warnings of many lines that have one of these texts in them."""
    return REPORT.sub(lambda w: "" if any(t in w[0] for t in trouble) else w[0], text)


def clean(record, steps):
    """Nothing on the console is a warning, but for what the scenario expects."""
    expected = [record.scenario["machine"].get("harmless", "\n"), *record.scenario["trouble"]]
    if "faults" in steps:
        # An allocation that fails prints where, without a warning.
        expected += ["Call trace:", "Call Trace:"]
    trouble = list(record.scenario["trouble"])
    if any("offline" in step.split(":") for step in record.scenario["steps"]):
        trouble.append(DYING)
    found = [line for line in without(record.console, trouble).splitlines()
             if TROUBLE.search(line) and not any(text in line for text in expected)]
    return Check("console.clean", "the kernel prints no warning", not found,
                 "\n".join(found[:5]))


def console(record):
    """The texts that the scenario wants on the console."""
    for text in record.scenario["trouble"]:
        yield Check("console.trouble", f"the console shows '{text}'", text in record.console,
                    "it does not")
    for text, wanted in record.scenario["console"].items():
        count = record.console.count(text)
        yield Check("console.count", f"the console shows '{text}' {wanted} times",
                    count == wanted, count)


def stuck(record):
    """The device's DMA is aborted: the guest says so and does not come up."""
    text = record.scenario["stuck"]
    yield Check("stuck.console", f"the console shows '{text}'", text in record.console,
                record.console[-500:])
    yield Check("stuck.silent", "the guest does not come up",
                record.end == "silent" and not record.said, record.end)
    view = record.views["stuck"]
    rings = [a for d in view["devices"].values() for a in host.addresses(d)]
    yield Check("stuck.rings", "QEMU sees rings at physical addresses",
                bool(rings) and all(host.in_ram(view, a) for a in rings), rings)
    if record.scenario["secure"]:
        state = view["hypervisor"]
        yield Check("stuck.refused", "devices tried to access private pages",
                    state["secure"] and state["refused"] > 0, state["refused"])

# SPDX-License-Identifier: GPL-2.0-only
"""A distribution: what its system says of itself, and what its disks have in the end."""
from ..model.check import Check
from ..model.distribution import lines
from ..model.record import digest

CLEAN = {"blk": "e2fsck -fn", "data": "xfs_repair -n"}
TYPES = ["ext4", "xfs"]


def survey(record):
    steps = record.scenario["steps"]
    found, wanted = record.all("system"), steps.count("system")
    yield Check("system.running", f"systemd reaches its target in each of {wanted} boots, and no"
                " unit fails", [(s["state"], s["failed"], s["target"]) for s in found]
                == [("running", "-", "active")] * wanted, found)
    yield Check("system.boots", f"the guest boots {steps.count('reboot') + 1} times",
                len(record.all("hello")) == steps.count("reboot") + 1, record.all("hello"))
    if any(step.startswith("install:") for step in steps):
        yield installed(record)
    for step in steps:
        if step.startswith("fill:"):
            yield from filled(record, lines(record.seed, int(step[5:])), steps.count("compare"))
    for name, command in CLEAN.items():
        one = record.written.get(name, {})
        yield Check(f"{name}.clean", f"{name}: the host finds the file system clean: {command}",
                    one.get("status") == 0, one.get("said"))


def installed(record):
    """The guest has the package that the host served, and the same bytes of it."""
    got, served = record.all("install"), record.written.get("net", {})
    return Check("net.installed", f"net: apt-get installs {served.get('package')} from the host's"
                 " repository", [g["sha256"] for g in got] == [served.get("sha256")]
                 and [f"/./{served['package']}", 200] in served["asked"], [got, served])


def filled(record, data, times):
    """Both file systems give back what was written, and the host sees it on the disks."""
    got = [(c["type"], c["sha256"]) for c in record.all("compare")]
    yield Check("files.same", "the guest reads what it wrote to ext4 and xfs, also after it has"
                " started again", got == [(kind, digest(data)) for kind in TYPES] * times, got)
    for name in CLEAN:
        one = record.written.get(name, {})
        yield Check(f"{name}.blocks", f"{name}: the host finds each block of it on the disk",
                    one.get("missing") == 0, one.get("missing"))

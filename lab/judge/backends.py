# SPDX-License-Identifier: GPL-2.0-only
"""What the back ends of vhost-user devices say at the end: what they served and touched, and lies."""
from ..model.check import Check
from .host import pool, side

DRAW = 4096  # bytes, each time that the guest's rng step draws
# Lies that a ring does not survive: lab/backend/liar.h.
BREAKING = ("nothing", "beyond", "other", "jump", "back", "never")
# What the guest tells of that went through a device, and how often: a ping goes there and back.
MOVES = {"rng": {"rng": 1}, "blk": {"read": 1, "write": 1}, "net": {"ping": 2}, "vsock": {"sock": 1}}


def survey(record):
    scenario = record.scenario
    for name, report in record.backends.items():
        if "bytes" in report or scenario["behind"][name] == "lab":
            told = sum(times * int(r["bytes"]) for verb, times in MOVES[name].items()
                       for r in record.all(verb))
            yield Check(f"{name}.served", f"{name}: its back end served what the guest tells of",
                        0 < told <= report.get("bytes", 0),
                        f"{report.get('bytes')} of {told} bytes")
        if "ended" in report:
            yield Check(f"{name}.host", f"{name}: QEMU ended well on the host whose kernel served it",
                        report["ended"] == 1, report["ended"])
        if scenario["behind"][name] == "lab":
            yield Check(f"{name}.outside", f"{name}: its back end was handed no address outside of"
                        " what it may access", report.get("refused") == 0,
                        [hex(at) for at in report.get("refused_at", [])])
        if "packets" in report:
            sent = sum(int(r["packets"]) for r in record.all("ping"))
            yield Check(f"{name}.served", f"{name}: its back end sent what the guest has received",
                        0 < sent <= report["packets"], f"{report['packets']} of {sent} packets")
        if name in scenario["queues"]:
            wanted, found = scenario["queues"][name], report.get("streams")
            yield Check(f"{name}.streams", f"{name}: packets went through {wanted} pairs of queues",
                        found == wanted, found)
        if "misses" in report:
            yield translated(record, name, report)
        if name in scenario["bounced"] and scenario["behind"][name] == "lab":
            low, high = pool(record)
            touched = report.get("data", [])
            yield Check(f"{name}.touched", f"{name}: all buffers that its back end ever touched lie"
                        " in the swiotlb pool",
                        bool(touched) and all(low <= at <= high for at in touched),
                        f"{[hex(at) for at in touched]} in {low:#x}-{high:#x}")
        if scenario["lies"]:
            yield from lies(record, name, report)


def mended(record, name):
    """All that the guest does once the host has looked at it is right: the lies have ended."""
    verbs = [verb for verb, _ in record.said]
    last = verbs[verbs.index("ready"):] if "ready" in verbs else []
    return Check(f"{name}.mended", f"{name}: bound to a device that does not lie any more, it works",
                 "error" not in last and any(verb in last for verb in MOVES[name]), last)


def translated(record, name, report):
    """The back end follows the guest: it asks QEMU for translations, or asks for none."""
    asks = record.scenario["asks"]
    wanted = side(record, name) == "iova" if asks is None else asks
    faults = report.get("faults", 0)
    return Check(f"{name}.translated", f"{name}: its back end asked for "
                 + ("no translation" if not wanted else "translations"
                    + (", and each was there" if "faults" in report else "")),
                 (report["misses"] > 0) == wanted and faults == 0,
                 f"{report['misses']}, {faults} in vain")


def lies(record, name, report):
    """The back end has lied, and to somebody who believed it."""
    buffers, least, *breaking = record.scenario["lies"]
    told = report.get("lies", {})
    yield Check(f"{name}.lies", f"{name}: its back end lied about {least} of {buffers} buffers, or"
                " more", report.get("buffers", 0) >= buffers and sum(told.values()) >= least,
                f"{report.get('buffers')}: {told}")
    if breaking:
        found = sum(told.get(lie, 0) for lie in BREAKING)
        yield Check(f"{name}.breaks", f"{name}: {breaking[0]} of them are such that break a ring, or"
                    " more", found >= breaking[0], found)
        yield mended(record, name)
    failed = [int(r["failed"]) for r in record.all("read") if name == "blk" and "failed" in r]
    if told.get("field") and failed and not record.scenario["errors"]:
        yield Check(f"{name}.failed", f"{name}: the guest saw requests fail, as the back end has said"
                    " wrongly of some", 0 < sum(failed) <= told["field"], failed)
    if name == "rng" and told.get("shorter") and not record.scenario["errors"]:
        # Each time it was eight bytes or more; the kernel draws some for itself.
        wanted = sum(DRAW * int(step.partition(":")[2] or 1) for step in record.scenario["steps"]
                     if step.partition(":")[0] == "rng") + 8 * told["shorter"]
        yield Check(f"{name}.short", f"{name}: the guest has drawn again what it was not told of",
                    report["bytes"] >= wanted, f"{report['bytes']} bytes, not {wanted}")

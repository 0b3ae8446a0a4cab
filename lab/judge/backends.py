# SPDX-License-Identifier: GPL-2.0-only
"""What the back ends of vhost-user devices say at the end: what they served and touched, and lies."""
from ..model.check import Check
from .host import pool, side

DRAW = 4096  # bytes, each time that the guest's rng step draws


def survey(record):
    scenario, drawn = record.scenario, sum(int(r["bytes"]) for r in record.all("rng"))
    for name, report in record.backends.items():
        if scenario["behind"][name] == "lab":
            yield Check(f"{name}.served", f"{name}: its back end served what the guest has drawn",
                        0 < drawn <= report.get("bytes", 0),
                        f"{report.get('bytes')} of {drawn} bytes")
            yield Check(f"{name}.outside", f"{name}: its back end was handed no address outside of"
                        " what it may access", report.get("refused") == 0,
                        [hex(at) for at in report.get("refused_at", [])])
        if "packets" in report:
            sent = sum(int(r["packets"]) for r in record.all("ping"))
            yield Check(f"{name}.served", f"{name}: its back end sent what the guest has received",
                        0 < sent <= report["packets"], f"{report['packets']} of {sent} packets")
        if "misses" in report:
            yield translated(record, name, report)
        if name in scenario["bounced"]:
            low, high = pool(record)
            touched = report.get("data", [])
            yield Check(f"{name}.touched", f"{name}: all buffers that its back end ever touched lie"
                        " in the swiotlb pool",
                        bool(touched) and all(low <= at <= high for at in touched),
                        f"{[hex(at) for at in touched]} in {low:#x}-{high:#x}")
        if scenario["lies"]:
            yield from lies(record, name, report)


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
    buffers, least = record.scenario["lies"]
    told = report.get("lies", {})
    yield Check(f"{name}.lies", f"{name}: its back end lied about {least} of {buffers} buffers, or"
                " more", report.get("buffers", 0) >= buffers and sum(told.values()) >= least,
                f"{report.get('buffers')}: {told}")
    if told.get("shorter") and not record.scenario["errors"]:
        # Each time it was eight bytes or more; the kernel draws some for itself.
        wanted = sum(DRAW * int(step.partition(":")[2] or 1) for step in record.scenario["steps"]
                     if step.partition(":")[0] == "rng") + 8 * told["shorter"]
        yield Check(f"{name}.short", f"{name}: the guest has drawn again what it was not told of",
                    report["bytes"] >= wanted, f"{report['bytes']} bytes, not {wanted}")

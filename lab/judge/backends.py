# SPDX-License-Identifier: GPL-2.0-only
"""What the back ends of vhost-user devices say at the end: all that they touched."""
from ..model.check import Check
from .host import pool


def survey(record):
    scenario, drawn = record.scenario, sum(int(r["bytes"]) for r in record.all("rng"))
    for name, report in record.backends.items():
        yield Check(f"{name}.served", f"{name}: its back end served what the guest has drawn",
                    0 < drawn <= report.get("bytes", 0), f"{report.get('bytes')} of {drawn} bytes")
        yield Check(f"{name}.outside", f"{name}: its back end was handed no address outside of what"
                    " it may access", report.get("refused") == 0,
                    [hex(at) for at in report.get("refused_at", [])])
        if name in scenario["bounced"]:
            low, high = pool(record)
            touched = report.get("data", [])
            yield Check(f"{name}.touched", f"{name}: all buffers that its back end ever touched lie"
                        " in the swiotlb pool",
                        bool(touched) and all(low <= at <= high for at in touched),
                        f"{[hex(at) for at in touched]} in {low:#x}-{high:#x}")

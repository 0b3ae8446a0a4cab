# SPDX-License-Identifier: GPL-2.0-only
"""The devices of a boot, as people read them."""
from ..core.text import table
from ..model.features import ALIAS, BIT
from .modes import devices

HEAD = ("DEVICE", "NAME", "TRANSPORT", "MODE", "RINGS (HOST)", "I/O", "FEATURES (HOST)")


def device_table(record, checks):
    rows = [HEAD]
    for name, device in next(iter(record.views.values()), {"devices": {}})["devices"].items():
        said = devices(record).get(name, {})
        good = [check.ok for check in checks if check.id.startswith(f"{name}.")]
        rows.append((name, said.get("name", "-"), device["parent"], said.get("mode", "-"),
                     ",".join(f"{ring[0]:#x}" for ring in device["rings"]) or "-",
                     "refused" if name in record.scenario["absent"] else
                     "ok" if good and all(good) else "FAILED",
                     ",".join(sorted(set(device["bits"]) & {*BIT, *ALIAS})) or "-"))
    return table(rows)

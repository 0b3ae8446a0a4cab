# SPDX-License-Identifier: GPL-2.0-only
"""What QEMU says at a moment: features, rings and buffers of every device."""
import re

from ..model.check import Check
from ..model.features import BIT, known, MAPPED
from ..model.scenario import domain_at
from .modes import devices, mode_of

POOL = re.compile(r"software IO TLB: mapped \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]")
WHERE = {"iova": "at IOVAs, outside RAM", "ram": "in RAM"}


def addresses(device):
    """Where QEMU sees a device's rings, and buffers that are queued."""
    return [a for ring in device["rings"] for a in ring] + device["buffers"]


def in_ram(view, address):
    return any(low <= address <= high for low, high in view["ram"])


def listed(numbers):
    return " ".join(f"{n:#x}" for n in numbers)


def survey(record, moment, view):
    said = devices(record)
    for name, device in view["devices"].items():
        at = f"{moment}.{name}"
        if name in record.scenario["absent"]:
            yield Check(f"{at}.absent", f"{moment}: {name} has no ring and no driver",
                        not device["rings"] and not device["ok"], device["rings"])
            continue
        yield from features(record, moment, name, device, said.get(name, {}))
        yield place(record, moment, name, view)
        if name in record.scenario["bounced"]:
            yield bounced(record, moment, name, device)
        if name in record.scenario["queues"]:
            yield queues(record, moment, name, device)
        if "page" in record.scenario:
            yield aligned(record, moment, name, device)
    yield from memory(record, moment, view)
    if record.scenario["secure"]:
        yield from secure(record, moment, view)


def features(record, moment, name, device, said):
    bits, offered = known(device["bits"]), known(device["offered"])
    own = int(said.get("features", "0"), 16)
    agree = {bit for bit, number in BIT.items() if own >> number & 1} == bits & set(BIT)
    # The balloon declines bits of the ring, so that bits are wanted of it by its name only.
    wanted = {bit: has for bit, has in of_device(record.scenario["bits"], name).items()
              if "." in bit or name != "balloon"}
    yield Check(f"{moment}.{name}.features",
                f"{moment}: {name}: QEMU and guest agree on the features, and they are the"
                " scenario's", agree and all((b in bits) == has for b, has in wanted.items()),
                f"QEMU: {sorted(bits)}, guest: {own:#x}")
    if record.scenario["offered"]:
        yield Check(f"{moment}.{name}.offered",
                    f"{moment}: {name}: QEMU offers what the scenario says",
                    all((b in offered) == has for b, has in of_device(
                        record.scenario["offered"], name).items()), sorted(offered))


def of_device(wanted, name):
    """What is wanted of a device: as of all of them, unless it is said by its name."""
    return {bit: has for bit, has in wanted.items() if bit.startswith(f"{name}.")
            or "." not in bit and f"{name}.{bit}" not in wanted}


def side(record, name, moment=None):
    """Where the scenario has the host see a device's rings and buffers."""
    scenario = record.scenario
    wanted = scenario.get("rings")
    if isinstance(wanted, dict):
        wanted = wanted.get(name)
    domain = (domain_at(scenario, f"sync:{moment}") or [scenario.get("domain")])[0]
    # A domain that does not translate leaves addresses as they are, whoever maps.
    return wanted or ("iova" if domain != "identity"
                      and mode_of(record, name, False, domain) in MAPPED else "ram")


def place(record, moment, name, view):
    """Rings and buffers lie where the mode puts them, or where the scenario says."""
    scenario, device = record.scenario, view["devices"][name]
    where = side(record, name, moment)
    found = addresses(device)
    return Check(f"{moment}.{name}.rings", f"{moment}: {name}: rings and buffers {WHERE[where]}",
                 bool(found) and all(in_ram(view, a) == (where == "ram") for a in found)
                 and min(found) >= scenario.get("above", 0)
                 and max(found) < scenario.get("below", 1 << 64), listed(found))


def pool(record):
    """The first and the last address of the swiotlb pool, as the guest's kernel says at boot."""
    found = POOL.search(record.console)
    return tuple(int(a, 16) for a in found.groups()) if found else (0, 0)


def bounced(record, moment, name, device):
    low, high = pool(record)
    return Check(f"{moment}.{name}.bounced",
                 f"{moment}: {name}: buffers lie in the swiotlb pool", bool(device["buffers"])
                 and all(low <= a <= high for a in device["buffers"]),
                 f"{listed(device['buffers'])} in {low:#x}-{high:#x}")


def queues(record, moment, name, device):
    """All queues are there, of a card two for each pair and one for control; QEMU served its own."""
    count = record.scenario["queues"][name]
    wanted, served = 2 * count + 1 if name == "net" else count, device.get("served", [])
    return Check(f"{moment}.{name}.queues", f"{moment}: {name}: QEMU sees {wanted} queues in use",
                 len(device["rings"]) == wanted and all(served),
                 f"{len(device['rings'])}, which have served {served}")


def aligned(record, moment, name, device):
    """Linux allocates a ring by pages; a legacy one has its used part at a page as well."""
    page, parts = record.scenario["page"], [0] if "VERSION_1" in device["bits"] else [0, 2]
    found = [ring[part] for ring in device["rings"] for part in parts]
    return Check(f"{moment}.{name}.pages", f"{moment}: {name}: rings begin at pages of"
                 f" {page >> 10} KiB", bool(found) and not any(at % page for at in found),
                 listed(found))


def memory(record, moment, view):
    """How the guest maps its rings, and what the balloon does to its memory."""
    if "aliases" in view:
        yield Check(f"{moment}.linear-map", f"{moment}: the guest maps rings in its linear map",
                    not view["aliases"],
                    "mapped elsewhere, or not cacheable: " + "; ".join(view["aliases"]))
    if "noncacheable" in view:
        # The kernel's own pools for atomic allocations are all that may be.
        pools = sum(int(k) << 10 for k in re.findall(r"preallocated (\d+) KiB", record.console))
        want = record.scenario["cacheable"]
        yield Check(f"{moment}.cacheable", f"{moment}: memory for DMA is "
                    + ("cacheable" if want else "not all cacheable"),
                    pools > 0 and (view["noncacheable"] == pools) == want,
                    f"{view['noncacheable']} bytes are not, the kernel's pools have {pools}")
    if "balloon" in view:
        yield Check(f"{moment}.balloon", f"{moment}: the balloon takes memory and gives it back",
                    view["balloon"] == [-(64 << 20), 0], view["balloon"])


def secure(record, moment, view):
    """A secure guest: devices are handed shared pages, and tried to access no others."""
    state = view["hypervisor"]
    yield Check(f"{moment}.secure", f"{moment}: the guest is a secure VM", state["secure"],
                state["secure"])
    yield Check(f"{moment}.refused", f"{moment}: no device tried to access a private page",
                state["refused"] == 0, state["refused"])
    for name, device in view["devices"].items():
        # Of an IOVA the host does not know the page.
        if name in record.scenario["absent"] or side(record, name) != "ram":
            continue
        seen = addresses(device)
        yield Check(f"{moment}.{name}.shared",
                    f"{moment}: {name}: rings and buffers in shared pages", bool(seen)
                    and all(any(s["base"] <= a < s["base"] + s["size"] for s in state["shared"])
                            for a in seen), listed(seen))


def table_writes(record):
    """Whether I/O wrote entries of the IOMMU's table, where the scenario says."""
    wanted = record.scenario["tce"]
    if wanted is not None:
        calls = [view["hypervisor"]["tce-hcalls"] for view in record.views.values()]
        yield Check("tce", "I/O writes TCEs" if wanted else "I/O writes no TCE",
                    len(calls) > 1 and (calls[0] != calls[-1]) == wanted, calls)

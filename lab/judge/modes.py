# SPDX-License-Identifier: GPL-2.0-only
"""What the guest says of its devices: mode, domain, and what a rebind does to them."""
from ..model.check import Check
from ..model.scenario import domain_at, parent


def mode_of(record, name, shown=True, domain=None):
    """The mode that the scenario wants of a device; a stock kernel does not show it."""
    if shown and not record.shows_mode:
        return "-"
    mode = record.scenario["domains"].get(domain, record.scenario["mode"])
    return record.scenario["modes"].get(name, mode)


def devices(record):
    """The guest's last word on each device, by the name that the scenario gives it."""
    first = next(iter(record.views.values()), {"devices": {}})
    names = {device["parent"]: name for name, device in first["devices"].items()}
    return {names[d["parent"]]: d for d in record.all("device") if d["parent"] in names}


def survey(record, steps):
    yield from unnamed(record)
    seen = devices(record)
    for name in record.scenario["devices"]:
        if name in record.scenario["absent"]:
            text = record.scenario["absent"][name]
            yield Check(f"{name}.absent", f"{name}: its probe fails with one message",
                        record.console.count(text) == 1, text)
            continue
        mine = [d for d in record.all("device")
                if name in seen and d["parent"] == seen[name]["parent"]]
        yield from changing(record, name, mine) if record.scenario["domains"] \
            else always(record, name, mine)
        if "rebind" in steps and mine:
            yield rebound(record, name, mine[0]["name"])


def unnamed(record):
    """Devices that QEMU's arguments bring besides go by the name of their driver: an IOMMU."""
    placed = {parent(record.scenario, n) for n in range(len(record.scenario["devices"]))}
    for name in {d["driver"] for d in record.all("device") if d["parent"] not in placed}:
        said = {d["mode"] for d in record.all("device") if d["driver"] == name}
        want = mode_of(record, name)
        yield Check(f"{name}.mode", f"{name}: the guest reports mode {want}", said == {want},
                    f"it reports {said}")


def always(record, name, mine):
    """A device has the same mode and domain each time that the guest looks."""
    want, said = mode_of(record, name), {d["mode"] for d in mine}
    yield Check(f"{name}.mode", f"{name}: the guest reports mode {want}", said == {want},
                f"it reports {said or 'nothing'}")
    if mine and "domain" in record.scenario:
        want, said = record.scenario["domain"], {d["domain"] for d in mine}
        yield Check(f"{name}.domain", f"{name}: the guest reports IOMMU domain {want}",
                    said == {want}, f"it reports {said}")


def changing(record, name, mine):
    """The guest changes the type of a device's domain: the mode follows at each binding."""
    types = domain_at(record.scenario, "devices")
    modes = [mode_of(record, name, domain=one) for one in types]
    said = [d["mode"] for d in mine]
    yield Check(f"{name}.mode", f"{name}: the guest reports modes {', '.join(modes)}",
                said == modes, f"it reports {said or 'nothing'}")
    said = [d["domain"] for d in mine]
    yield Check(f"{name}.domain", f"{name}: the guest reports IOMMU domains {', '.join(types)}",
                said == types, f"it reports {said or 'nothing'}")
    wanted = [(one, mode_of(record, name, domain=one))
              for one in domain_at(record.scenario, "domain")]
    found = [(d["type"], d["mode"]) for d in record.all("domain")
             if mine and d["parent"] == mine[0]["parent"]]
    yield Check(f"{name}.retyped", f"{name}: each time that the type of its domain is changed, it"
                " is bound in the mode that goes with it", found == wanted, found)


def rebound(record, name, device):
    want = mode_of(record, name)
    rounds = [r for r in record.all("rebind") if r["name"] == device]
    gone = "-" if want == "-" else "!ENODATA"
    return Check(f"{name}.rebind", f"{name}: no mode while unbound, mode {want} when bound again",
                 {(r["unbound"], r["bound"]) for r in rounds} == {(gone, want)}, rounds)

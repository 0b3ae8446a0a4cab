# SPDX-License-Identifier: GPL-2.0-only
"""Look at a guest from outside, through QMP."""
import contextlib
import time

from ..core.errors import Fail
from ..model.scenario import parent, starts_another
from . import arm64_page_tables
from .backend import in_kernel


def observe(machine, scenario, image, backends=None):
    """What is seen of every virtio device of the scenario, and where RAM lies.

    QMP says it, or the back end of a device that has one of its own.
    """
    view = {"ram": machine.ram(), "devices": {}}
    if scenario["secure"] or scenario["tce"] is not None:
        view["hypervisor"] = machine.hypervisor()
    paths = {d["path"].split("/")[3]: d["path"] for d in machine.qmp("x-query-virtio")
             if d["path"].startswith("/machine/peripheral/")}
    for index, name in enumerate(scenario["devices"]):
        # Of a device behind vhost-user only the companion's QEMU can be asked.
        if name in scenario["behind"] and not scenario["companion"]:
            view["devices"][name] = {"parent": parent(scenario, index)} | backends.view(name)
            continue
        path = paths[name]
        status = machine.qmp("x-query-virtio-status", path=path)
        bits = names(name, status["guest-features"])
        rings, buffers = [], []
        for queue in range(status["num-vqs"]):
            found = ring(machine, path, queue, name in scenario["behind"])
            if found[0]:
                rings.append(found)
        if (name == "net" and rings and "RING_PACKED" not in bits and not scenario["stuck"]
                and scenario["behind"].get(name) != "lab"):
            # The receive queue always has buffers for the host to look at.
            element = machine.qmp("x-query-virtio-queue-element", path=path, queue=0)
            buffers = [d["addr"] for d in element["descs"]]
        if scenario["behind"].get(name) == "lab":
            buffers = backends.view(name)["buffers"]
        view["devices"][name] = {"parent": parent(scenario, index), "bits": bits, "rings": rings,
                                 "offered": names(name, status["host-features"]),
                                 "buffers": buffers, "ok": "VIRTIO_CONFIG_S_DRIVER_OK" in
                                 str(status["status"])}
        if name in scenario["queues"] and name not in scenario["behind"]:
            view["devices"][name]["served"] = served(machine, path, len(rings))
    # A kernel that QEMU has not started itself lies elsewhere, and memory of a guest on another
    # host is not here.
    walkable = scenario["machine"].get("page_tables", False) and not (
        starts_another(scenario) or scenario["distribution"] or scenario["firmware"] == "uefi"
        or in_kernel(scenario))
    if walkable:
        entries, linear_end = arm64_page_tables.walk(machine, image)
        view["noncacheable"] = arm64_page_tables.noncacheable(entries)
        if scenario["mode"] == "phys" and not scenario["stuck"]:
            rings = [a for d in view["devices"].values() for ring in d["rings"] for a in ring]
            view["aliases"] = arm64_page_tables.aliases(entries, linear_end, rings)
    if "balloon" in scenario["devices"]:
        view["balloon"] = squeeze(machine)
    if scenario["firmware"]:
        view["loaded"] = loaded(machine)
    return view


def ring(machine, path, queue, vhost):
    """The addresses of a ring's three parts."""
    parts = ("desc", "avail", "used")
    if vhost:
        # The query below has a back end stop the ring. It is for what QEMU keeps to itself: one
        # queue of a network card, and a device that is not started.
        with contextlib.suppress(Fail):
            state = machine.qmp("x-query-virtio-vhost-queue-status", path=path, queue=queue)
            return [state[f"{part}-phys"] for part in parts]
    state = machine.qmp("x-query-virtio-queue-status", path=path, queue=queue)
    return [state[f"vring-{part}"] for part in parts]


def served(machine, path, queues):
    """How many requests of each queue have come back, as the ring counts them."""
    return [machine.qmp("x-query-virtio-queue-status", path=path, queue=queue)["used-idx"]
            for queue in range(queues)]


def names(device, features):
    """The names of feature bits, and all of them again as those of the device."""
    words = {text.partition(":")[0].rpartition("_F_")[2] for text in features["transports"]}
    own = words | {t.partition(":")[0].rpartition("_F_")[2] for t in features["dev-features"]}
    return sorted(words | {f"{device}.{word}" for word in own})


def loaded(machine):
    """How many bytes were read from the firmware's disk, by whomever."""
    return next(one["stats"]["rd_bytes"] for one in machine.qmp("query-blockstats")
                if one["device"] == "esp0")


def squeeze(machine):
    """Have the balloon take 64 MiB and give it back; return both sizes that it reports."""
    sizes, full = [], machine.qmp("query-balloon")["actual"]
    for target in (full - (64 << 20), full):
        machine.qmp("balloon", value=target)
        end = time.monotonic() + 20
        while time.monotonic() < end and machine.qmp("query-balloon")["actual"] != target:
            time.sleep(0.05)
        sizes.append(machine.qmp("query-balloon")["actual"] - full)
    return sizes

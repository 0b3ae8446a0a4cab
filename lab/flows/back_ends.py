# SPDX-License-Identifier: GPL-2.0-only
"""The table of docs/backends.md: devices that QEMU does not serve, as scenarios have them."""
from ..model.scenario import BASE, load
from ..patches.base import NEWEST
from . import pages

HEAD = ("device", "behind", "machine", "bit offered", "series", "mode", "who translates",
        "data", "shown by")
# What a machine has, by which options say so.
MACHINES = {"smmuv3": "SMMUv3", "pci-dma-offset": "RAM at an offset", "x-pkvm": "protected guest",
            "x-ultravisor": "secure VM", "swiotlb=force": "swiotlb=force",
            "only=": "reaches a part of RAM"}
# Bytes that a step moves through a device, both ways.
MOVED = {"blk": {"read": 64 << 20, "write": 4 << 20}, "share": {"share": 2 << 20},
         "net": {"ping": 2 * 1472}, "rng": {"rng": 4 << 10}, "vsock": {"sock": 2 << 16}}


def table():
    return pages.markdown([HEAD, *(row(one, device) for one in there()
                                   for device in one["behind"])])


def there():
    """Those that a base can run, but for the ones whose back end lies."""
    default, newest = load(BASE), load(NEWEST)
    for name, one in default.items():
        if one["behind"] and not one["lies"] and not name.startswith("liar-"):
            yield newest[name] if one["missing"] else one


def row(one, device):
    options = " ".join([*one.get("machine_options", ()), *one["backend"], one.get("append", "")])
    words = [text for option, text in MACHINES.items() if option in options]
    mode = one["modes"].get(device, one["mode"])
    newest = "" if one["base"] == BASE else f" --base {one['base']}"
    return (device, one["behind"][device], ", ".join([one["arch"], *words]),
            "yes" if one["offered"].get("PLATFORM_DMA", one.get("options")) else "no",
            "no" if one["kernels"][0] == "stock" else "yes", mode, translates(one),
            moved(one, device), f"`./vdma boot {one['name']}{newest}`")


def translates(one):
    """Who makes an address in RAM of what the guest hands out."""
    if one["errors"]:
        return "nobody, and the device does not work"
    if one["asks"]:
        return "nobody, but the back end asks what it may access"
    return "the back end asks QEMU" if one.get("rings") == "iova" else "nobody"


def moved(one, device):
    """How much data the steps move through a device, all of which is compared."""
    total = sum(MOVED[device][verb] * int(numbers[0] if numbers else 1) for verb, *numbers in
                (step.split(":") for step in one["steps"]) if verb in MOVED[device])
    return f"{total / (1 << 20):.0f} MiB" if total >> 20 else f"{total >> 10} KiB"

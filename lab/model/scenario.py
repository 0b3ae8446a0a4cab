# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios are data: read them, and refuse what is not one."""
import functools
import tomllib

from ..core.cache import ROOT
from ..core.errors import Fail
from . import machines

FOLDER = ROOT / "lab" / "scenarios"
KEYS = {
    "about": "one line for './vdma list'",
    "arch": "the machine, a name in lab/arch/",
    "kernels": "which kernels run it: series, stock, swiotlb or a variant in lab/variants",
    "config": "further fragments of the kernel's configuration, names in lab/arch/",
    "compiler": "the kernel's compiler, where it is not gcc, by the name of its package",
    "transport": "pci, mmio or pcie: PCI, each device in a slot from which it can be taken",
    "devices": "virtio devices: blk, net, rng, balloon, scsi, serial, share, gpu, input, swap, vsock;"
               " data, the second disk of a distribution",
    "options": "properties of every virtio device",
    "behind": "what is behind a device, if that is not QEMU, by device: a name in lab/backends.toml",
    "backend": "further options of such a process; lab/backend/main.c has those of the lab's own",
    "distribution": "the guest is not the lab's own, but one of lab/distributions.toml",
    "companion": "true: needs the companion QEMU",
    "vmm": "the guest is one of the lab's own VMM, on a host with KVM that QEMU boots: words for lab/vmm/main.c",
    "firmware": "what must have read the disk esp: uefi, which starts the kernel from it; slof; or"
                " none, the control",
    "machine_options": "properties of the QEMU machine",
    "qemu": "further QEMU arguments",
    "dtb": "edits of the device tree: [node prefix, property, value], '-' deletes; '/NODE' is made if it is not there",
    "restricted_pool": "address and size of a restricted DMA pool of the PCI host bridge: in its device"
                       " tree, and where rings and buffers must be",
    "memory": "as QEMU's -m takes it",
    "cpus": "number of CPUs",
    "queues": "number of queues by device, of a network card pairs of them: the host must see all"
              " in use",
    "append": "further kernel parameters",
    "patience": "seconds without a word before the guest counts as hung",
    "steps": "what the guest's init does, in this order; [3, STEP, STEP] does both three times",
    "next": "the kernel that the guest starts by kexec or as it crashes, where it is another",
    "mode": "the dma_mode of every device that 'modes' does not name",
    "modes": "the dma_mode by device, where they differ",
    "rings": "where the host sees rings and buffers: ram or iova (by default as the mode says),"
             " for all devices or by device",
    "bits": "feature bits that must, or must not, be negotiated; 'balloon.X' for one device",
    "offered": "feature bits that devices must, or must not, offer; 'balloon.X' for one device",
    "row": "the machine's name in the table of modes in docs/results.md, where the scenario is part of it",
    "bounced": "devices whose buffers must lie in the swiotlb pool",
    "grows": "true: the swiotlb pool must have more slots at the last step 'pool' than at the first",
    "domain": "the type of the IOMMU domain of every device, as sysfs has it; '-' for none",
    "domains": "the dma_mode by the type of that domain, where the guest changes it",
    "console": "texts that the console must show, with how often",
    "trouble": "warnings that the console must show, and that do not count as such",
    "kunit": "KUnit suites that must pass while the guest boots",
    "skips": "cases of the selftests that must be skipped: a part of the reason, with how often;"
             " of KUnit, all of a reason that machine and base do not give",
    "short": "true: the rng says that it wrote more than it did; the rest of its buffer is zero",
    "requests": "the fewest and the most requests in which the guest may read its disk",
    "segment": "the most bytes that a segment of a request to the disk may have",
    "page": "the size of the guest's pages: each ring begins at one",
    "above": "the lowest address that a ring or buffer may have",
    "below": "the first address that is too high for one",
    "asks": "true: a back end in a process of its own must ask for translations, whatever the mode",
    "lies": "the fewest buffers that the vhost-user back end must have, and of them the fewest lies;"
            " where it breaks rings, how often, and it must work in the end",
    "absent": "devices whose probe fails: the text that the console must show for each",
    "cacheable": "false: some of the kernel's memory for DMA must be non-cacheable",
    "errors": "what the guest must find wrong: this is a negative control",
    "secure": "the guest must be a secure VM, and what devices are handed in shared pages",
    "tce": "false: I/O must write no TCE, true: it must",
    "stuck": "the guest must not come up, and its console must show this text",
    "after": "properties of every virtio device in the QEMU that goes on with a saved guest",
    "unsaved": "why QEMU must refuse to save the guest, where that is a step",
    "slow": "true: it takes a kernel of its own, or minutes, and is left to --all, --base and --arch",
    "missing": "why the base cannot run it",
    "must_fail": "checks that must fail: this is a negative control",
    "debug": "the keys that differ on a kernel that watches itself",
    "on": "by base: the keys that differ there",
}
DEFAULT = "pci-modern"
BASE = "6.12"
# The base of the companion QEMU that boots, unless another is asked for.
COMPANION = "qemu"


def load(base=BASE):
    """All scenarios by name, as they are on @base."""
    return read(FOLDER, base)


@functools.cache
def read(folder, base):
    """Read the scenarios of a folder, once in a run."""
    # A machine has dozens of scenarios.
    found, machine = {}, functools.cache(machines.load)
    for path in sorted(folder.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        common = data.pop("all", {})
        for name, own in data.items():
            scenario = {"base": base, "must_fail": [], "absent": {}, "bits": {}, "offered": {},
                        "bounced": [], "console": {}, "kunit": [], "missing": None, "slow": False,
                        "modes": {}, "config": [], "errors": [], "skips": {}, "cacheable": True,
                        "companion": False, "stuck": None, "secure": False, "compiler": None,
                        "tce": None, "trouble": [], "unsaved": None, "short": False, "after": "",
                        "behind": {}, "asks": None, "backend": [], "vmm": [], "lies": None,
                        "debug": {}, "watched": False, "next": None, "domains": {},
                        "distribution": None, "grows": False, "firmware": None, "queues": {},
                        "patience": SILENCE} | common | own
            scenario |= scenario.pop("on", {}).get(base, {})
            unknown = set(scenario) - set(KEYS) - {"base", "watched"}
            if unknown:
                raise Fail(f"{path.name}: scenario {name} has unknown keys: "
                           + ", ".join(sorted(unknown)), "lab/model/scenario.py lists the keys")
            scenario |= pool_of(*scenario.get("restricted_pool", ()))
            scenario["name"], scenario["steps"] = name, [*spread(scenario["steps"])]
            scenario["behind"] = {device: kind for device, kind in scenario["behind"].items()
                                  if device in scenario["devices"]}
            scenario["companion"] = scenario["companion"] and COMPANION
            scenario["machine"] = machine(scenario["arch"]) | {
                "fragments": scenario["config"], "compiler": scenario["compiler"]}
            found[name] = scenario
    return found


def spread(steps):
    """The steps one by one, where a list is a number and the steps that come so often."""
    for step in steps:
        yield from step[1:] * step[0] if isinstance(step, list) else [step]


def pool_of(start=None, size=None):
    """What a restricted DMA pool of the PCI host bridge makes of a scenario."""
    if start is None:
        return {}
    memory, pool, label = "/reserved-memory", f"/reserved-memory/pool@{start:x}", "9000"
    return {"above": start, "below": start + size, "dtb": [
        [memory, "#address-cells", "-tx", "2"], [memory, "#size-cells", "-tx", "2"], [memory, "ranges"],
        [pool, "compatible", "-ts", "restricted-dma-pool"],
        [pool, "reg", "-tx", "0", f"{start:x}", "0", f"{size:x}"], [pool, "phandle", "-tx", label],
        ["pcie@", "memory-region", "-tx", label]]}


def with_debug(scenario):
    """The scenario on a debug kernel."""
    fragments = ["debug", *(name for name in scenario["config"] if name != "debug")]
    return scenario | scenario["debug"] | {
        "watched": True, "config": fragments, "machine": scenario["machine"] | {"fragments": fragments}}


def with_companion(scenario, companion):
    """The scenario on another base of the companion QEMU, if it takes one."""
    return scenario | {"companion": scenario["companion"] and companion}


def pick(wanted, base=BASE):
    """The scenarios of these names; without any, the default one."""
    known = load(base)
    for name in wanted:
        if name not in known:
            near = [n for n in known if name in n] or list(known)
            raise Fail(f"unknown scenario '{name}'",
                       f"'./vdma list' has them all, such as {', '.join(near[:3])}")
        if known[name]["missing"]:
            raise Fail(f"base {base} cannot run {name}: {known[name]['missing']}",
                       "name another base with --base")
    return [known[name] for name in wanted or [DEFAULT]]

FIRST_SLOT = 8

SILENCE = 40  # seconds without a word before a guest counts as hung


def starts_another(scenario):
    """Whether the guest starts another kernel, by a step or while its devices work."""
    return any({"kexec", "crash"} & set(step.split(":")) for step in scenario["steps"])


def domain_at(scenario, wanted):
    """The type of the devices' IOMMU domain at each step of this name, as steps change it."""
    now, found = scenario.get("domain"), []
    for step in scenario["steps"]:
        words = step.split(":")
        if "domain" in words:
            now = words[words.index("domain") + 1]
        if step == wanted or wanted == "domain" and wanted in words:
            found.append(now)
    return found


def parent(scenario, index):
    """The name that the guest gives the device's parent, from where it is plugged."""
    if scenario["transport"] == "pcie":
        return f"0000:{index + 1:02x}:00.0"
    if scenario["transport"] == "pci":
        return f"0000:00:{FIRST_SLOT + index:02x}.0"
    if scenario["firmware"] == "uefi" and "acpi=off" not in scenario["machine_options"]:
        return f"LNRO0005:{index:02x}"
    arch = scenario["machine"]
    return f"{arch['mmio_base'] + index * arch['mmio_step']:x}.virtio_mmio"

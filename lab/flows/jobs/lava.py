# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios as job definitions for LAVA, which runs test farms: what plain QEMU can do."""
import functools
import hashlib
import re
from pathlib import Path

from ...core.errors import Fail
from ...model import scenario
from ...model.media import DISK, pattern
from ...model.scenario import parent
from ...model.selftests import selftests
from ...patches.base import names
from ...vm.command_line import command
from ...judge.boot import TROUBLE

# What a farm has in place of the files that the lab gives a guest: a disk of
# zeros that keeps what is written to it, and its own random numbers.
FARM = {"file=disk.img,format=raw":
        f"file.driver=null-co,file.size={DISK},file.read-zeroes=on,format=raw,snapshot=on",
        "filename=entropy.img": "filename=/dev/urandom"}
DEVICES = {"blk", "net", "rng", "balloon", "scsi"}
# Steps that need an answer of the lab's.
HOST = ("net", "sync")
# Steps in which the lab does something to the machine.
ORDEALS = {"hotplug", "loaded", "choked", "canary"}
# What LAVA's device type 'qemu' takes from the context; the rest are further options.
CONTEXT = {"aarch64": ("cpu", "machine"), "ppc64": ("machine",)}
SEED, OFFSET, BYTES = 0x5eed, DISK // 2, 4 << 20


def unfit(one):
    """Why a farm with plain QEMU cannot run a scenario, or nothing."""
    alien = set(one["devices"]) - DEVICES
    return (one["companion"] and "needs the companion QEMU"
            or (one["must_fail"] or one["errors"] or one["stuck"])
            and "what must go wrong there is judged from outside"
            or one["vmm"] and "the host of its VMM is the lab's"
            or one["config"] and "its kernel has a configuration of its own"
            or one.get("dtb") and "its device tree is edited"
            or ORDEALS & {s.partition(":")[0] for s in one["steps"]}
            and "what is done to it there is done by the lab"
            or alien and f"the lab itself is behind {', '.join(sorted(alien))}")


@functools.cache
def digest(written):
    """The disk's SHA-256, before and after the guest's writes."""
    disk = bytearray(DISK)
    if written:
        disk[OFFSET:OFFSET + BYTES] = pattern(SEED, BYTES)
    return hashlib.sha256(disk).hexdigest()


def expected(one, kind):
    """What the guest's init prints, in this order: pairs of a name and a pattern."""
    for suite in one["kunit"]:
        yield f"kunit-{suite}", rf"(?<!not )ok \d+ {suite}\s"
    written, steps = False, [s for s in one["steps"] if s.partition(":")[0] not in HOST]
    for number, step in enumerate(steps, 1):
        verb = step.partition(":")[0]
        title, written = f"{number:02}-{verb}", written or verb == "write"
        if verb in ("devices", "rebind"):
            for index, name in enumerate(one["devices"]):
                mode = "-" if kind == "stock" else one["modes"].get(name, one["mode"])
                if verb == "devices":
                    said = "-" if name in one["absent"] else rf"virtio\S+ mode={mode}"
                    yield (f"{title}-{name}", r"vdma device name=\S+ id=\S+ parent="
                           rf"{re.escape(parent(one, index))} driver={said} ")
                elif name not in one["absent"]:
                    yield f"{title}-{name}", rf"vdma rebind name=\S+ unbound=\S+ bound={mode}\s"
        elif verb == "selftest":
            for name in selftests():
                yield f"{title}-{name}", rf"vdma selftest name={name} exit=[04]\s"
        else:
            yield title, {"read": rf"vdma read disk=\S+ bytes={DISK} sha256={digest(written)}",
                          "write": rf"vdma write disk=\S+ offset={OFFSET} bytes={BYTES}\s",
                          }.get(verb, f"vdma {verb} ")
    yield "done", r"vdma done errors=0\s"


def definition(one, kind, kernel, ramdisk):
    """The definition of a job: a scenario on a kernel."""
    steps = [s for s in one["steps"] if s.partition(":")[0] not in HOST]
    append = f"vdma.seed={SEED:#x} vdma.steps={','.join(steps)}"
    qemu, *words = command(one, Path("{kernel}"), "{ramdisk}", append)
    arch, options = qemu.rpartition("-")[2], {}
    # Up to the kernel's command line it is what all scenarios have.
    while "-append" not in options:
        name = words.pop(0)
        options[name] = None if words[0].startswith("-") else words.pop(0)
    # The report is on the console alone, where it goes anyway.
    line = re.sub(r"vdma\.report=\S+ ", "", options["-append"])
    context = {"arch": arch, "no_kvm": True, "memory": options["-m"], "model": "model=e1000"}
    extra = [f"-smp {options['-smp']}", "-no-reboot", "-vga none"]
    for name, short in (("machine", "-M"), ("cpu", "-cpu")):
        if name in CONTEXT.get(arch, ()):
            context[name] = options[short]
        else:
            extra.append(f"-{name} {options[short]}")
    extra += [functools.reduce(lambda text, own: text.replace(own, FARM[own]), FARM, f"{a} {b}")
              for a, b in zip(words[::2], words[1::2])]
    script = [{"name": name, "command": None, "wait_for_prompt": False,
               "successes": [{"message": text}],
               "failures": [{"message": f"vdma error|{TROUBLE.pattern}"}]}
              for name, text in expected(one, kind)]
    return {
        "device_type": "qemu", "job_name": f"vdma {one['base']} {one['name']} {kind}",
        "visibility": "public", "priority": "medium",
        "timeouts": {"job": {"minutes": 20}, "action": {"minutes": 10},
                     "connection": {"minutes": 5}},
        "metadata": {"about": one["about"]},
        "context": context | {"extra_options": extra},
        "actions": [
            {"deploy": {"to": "tmpfs", "images": {
                "kernel": {"image_arg": f'-kernel {{kernel}} -append "{line}"', "url": kernel},
                "ramdisk": {"image_arg": "-initrd {ramdisk}", "url": ramdisk}}}},
            # What a console shows before its prompt is lost to the test.
            {"boot": {"method": "qemu", "media": "tmpfs",
                      "prompts": ["KTAP version 1" if one["kunit"] else "vdma hello"]}},
            {"test": {"interactive": [{
                "name": one["name"], "script": script,
                "prompts": ["vdma done errors=[1-9]", "reboot: Power down"]}]}}]}


def definitions(url):
    """All definitions by file name, of what is below @url; why other scenarios have none."""
    if not re.match(r"[a-z]+://\S+$", url or ""):
        raise Fail(f"a farm cannot fetch kernels from '{url or ''}'",
                   "--url https://HOST/PATH, with what './vdma build' names in BASE-ARCH-KERNEL/")
    made, left = {}, {}
    for base in names():
        for name, one in scenario.load(base).items():
            if reason := unfit(one):
                left[f"{base} {name}"] = reason
                continue
            for kind in one["kernels"]:
                place = f"{url.rstrip('/')}/{base}-{one['arch']}-{kind}"
                image = Path(one["machine"]["image"]).name
                made[f"{base}-{name}-{kind}.yaml"] = definition(
                    one, kind, f"{place}/{image}", f"{place}/initrd")
    return made, left

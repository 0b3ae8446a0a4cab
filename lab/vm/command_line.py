# SPDX-License-Identifier: GPL-2.0-only
"""The QEMU command line of a scenario."""
import re
from pathlib import Path

from ..core.process import run
from ..model.scenario import FIRST_SLOT
from . import firmware
from .backend import in_kernel

# What a device of a scenario needs besides itself.
BACKENDS = {
    "blk": (["-drive", "if=none,id=disk0,file=disk.img,format=raw"],
            "drive=disk0,serial=disk0"),
    "net": (["-netdev", "user,id=net0"], "netdev=net0"),
    "rng": (["-object", "rng-random,id=rng0,filename=entropy.img"], "rng=rng0"),
    "balloon": ([], "free-page-reporting=on"),
    "scsi": (["-drive", "if=none,id=disk0,file=disk.img,format=raw"], ""),
    "serial": (["-chardev", "file,id=port0,path=port.out"], "max_ports=2"),
    "share": (["-fsdev", "local,id=dir0,path=share,security_model=none"],
              "fsdev=dir0,mount_tag=share"),
    "gpu": ([], "xres=640,yres=480"),
    "input": ([], ""),
    "swap": (["-drive", "if=none,id=swap0,file=swap.img,format=raw"],
             "drive=swap0,serial=swap"),
    "data": (["-drive", "if=none,id=data0,file=data.img,format=raw"],
             "drive=data0,serial=data"),
    "esp": (["-drive", "if=none,id=esp0,file=esp.img,format=raw"],
            "drive=esp0,serial=esp,bootindex=0"),
}

# What QEMU calls a device, where the lab has another name for it.
QEMU_NAME = {"share": "9p", "input": "keyboard", "swap": "blk", "data": "blk", "esp": "blk"}
# The same with a back end of its own.
VHOST_NAME = {"share": "user-fs", "vsock": "vsock"}

# How many queues a device has: what is said of its back end, and of itself.
QUEUES = {"blk": ("", "num-queues={}"), "net": (",queues={}", "mq=on")}

# What is plugged into the device.
PLUGGED = {"scsi": "scsi-hd,drive=disk0,bus=scsi.0",
           "serial": "virtserialport,chardev=port0,bus=serial.0"}


def command(scenario, kernel, initrd, append, dtb=None):
    """The QEMU command line of a scenario, but for where its ports lead.

    What is behind its devices goes by its name in the folder that QEMU runs in.
    """
    arch = scenario["machine"]
    machine = ",".join([arch["machine"], *scenario.get("machine_options", [])])
    cmd = [arch["qemu"], "-M", machine, "-cpu", arch["cpu"], "-m", scenario["memory"],
           "-smp", str(scenario["cpus"]), "-nodefaults", "-display", "none",
           *([] if "reboot" in scenario["steps"] else ["-no-reboot"])]
    if scenario["firmware"] not in (None, "none"):
        cmd += ["-bios", firmware.CODE]
    if scenario["firmware"] != "uefi":
        cmd += ["-kernel", str(kernel / arch["image"].rpartition("/")[2])]
        if initrd:
            cmd += ["-initrd", str(initrd)]
        if dtb:
            cmd += ["-dtb", str(dtb)]
        cmd += ["-append", parameters(scenario, append)]
    cmd += scenario.get("qemu", [])
    for index, name in enumerate(scenario["devices"]):
        behind = name in scenario["behind"]
        backend, props = vhost(name, scenario["behind"][name]) if behind else BACKENDS[name]
        cmd += backend
        count = scenario["queues"].get(name)
        behind_it, of_it = QUEUES[name] if count else ("", "")
        cmd[-1] += behind_it.format(count)
        pci = scenario["transport"] != "mmio"
        place = f"addr={FIRST_SLOT + index:#x}" if pci else f"bus=virtio-mmio-bus.{index}"
        if scenario["transport"] == "pcie":
            cmd += ["-device", f"pcie-root-port,id=port{index},chassis={index + 1},{place}"]
            place = f"bus=port{index}"
        device = qemu_name(name, pci, behind)
        cmd += ["-device", ",".join(filter(None, (
            device, f"id={name}", place, props,
            # No boot ROM: it is in a package of its own, and nothing boots from it.
            "romfile=" if pci else "",
            of_it.format(count), scenario.get("options", ""))))]
        if name in PLUGGED:
            cmd += ["-device", PLUGGED[name]]
    return cmd


def parameters(scenario, append):
    """The command line of the kernel."""
    arch = scenario["machine"]
    return (f"console={arch['console']} panic=-1 suspend.pm_test_delay=0"
            f" vdma.report={arch['report']} {append} {scenario.get('append', '')}").strip()


def vhost(name, kind):
    """What a device needs whose back end is another process, or the kernel, besides itself."""
    if kind == "vhost-vsock":
        return [], "guest-cid=3"
    if kind == "vhost-net":
        return ["-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no,vhost=on"], "netdev=net0"
    socket = ["-chardev", f"socket,id={name}.end,path={name}.sock"]
    if name == "net":
        return [*socket, "-netdev", "vhost-user,id=net0,chardev=net.end"], "netdev=net0"
    return socket, f"chardev={name}.end" + (",tag=share" if name == "share" else "")


def qemu_name(name, pci, behind):
    """What QEMU calls a device on PCI, or on a bus of its own."""
    if behind and name != "net":
        return f"vhost-{VHOST_NAME.get(name, f'user-{name}')}" + ("-pci" if pci else "")
    return f"virtio-{QEMU_NAME.get(name, name)}-{'pci' if pci else 'device'}"


def backed(cmd, scenario):
    """The same, with RAM of its own kind: what another process may have, or what takes no more
    of this host than the guest touches.
    """
    if "-numa" in cmd:
        # Nodes have RAM of their own.
        return cmd
    others = scenario["behind"] and not in_kernel(scenario)
    return with_ram(cmd, "memfd", "share=on") if others else unreserved(cmd)


def unreserved(cmd):
    """The same, with RAM that takes of this host only what the guest touches.

    A host without swap reserves no more than it has, and scenarios have up to 24 GiB. Where
    the kernel reserves all memory that is mapped, QEMU cannot ask for anything else.
    """
    policy = Path("/proc/sys/vm/overcommit_memory")
    if policy.exists() and policy.read_text().strip() == "2":
        return cmd
    return with_ram(cmd, "ram", "reserve=off")


def with_ram(cmd, kind, options):
    """The same, with RAM of a back end of this kind."""
    machine, memory = cmd.index("-M") + 1, cmd.index("-m") + 1
    size = cmd[memory].partition(",")[0].removeprefix("size=")
    # A number alone is MiB to the one option, and bytes to the other.
    size += "M" if re.fullmatch(r"\d+", size) else ""
    # machine.py knows RAM by the end of this name.
    return [*cmd[:machine], f"{cmd[machine]},memory-backend=guest.ram", *cmd[machine + 1:],
            "-object", f"memory-backend-{kind},id=guest.ram,size={size},{options}"]


def dump_dtb(cmd, folder, edits):
    """The device tree that QEMU would hand out, edited by a list of fdtput arguments."""
    dtb = folder / "machine.dtb"
    place = cmd.index("-M") + 1
    run(*cmd[:place], f"{cmd[place]},dumpdtb={dtb.name}", *cmd[place + 1:], cwd=folder)
    for node, name, *value in edits:
        if node.startswith("/"):
            run("fdtput", "-p", dtb, node, name, *value)
            continue
        nodes = [n for n in run("fdtget", "-l", dtb, "/").split() if n.startswith(node)] \
            if node else [""]
        for found in nodes:
            if value == ["-"]:
                run("fdtput", "-d", dtb, f"/{found}", name)
            else:
                run("fdtput", dtb, f"/{found}", name, *value)
    return dtb


def prepare(scenario, image, initrd, folder, append):
    """The QEMU command line, after the device tree edits that the scenario asks for.

    With firmware, put what that starts into the folder.
    """
    if scenario["firmware"]:
        firmware.write(scenario, image, initrd, folder, parameters(scenario, append))
    cmd = backed(command(scenario, image, initrd, append), scenario)
    if scenario.get("dtb"):
        # Nobody is behind a vhost-user device yet, and no tree has its name.
        own = [name for name in scenario["devices"] if name not in scenario["behind"]]
        alone = command(scenario | {"devices": own}, image, initrd, append)
        dtb = dump_dtb(backed(alone, scenario), folder, scenario["dtb"])
        cmd = backed(command(scenario, image, initrd, append, dtb), scenario)
    return cmd

# SPDX-License-Identifier: GPL-2.0-only
"""Build kernels, once for each content that goes into them."""
import hashlib
import os
import re
import shutil
import subprocess

from ..core.cache import cache, lock, new_entry, room, ROOT
from ..core.ccache import with_ccache
from ..core.cpus import at_once
from ..core.errors import Fail
from ..core.git import git
from ..core.packages import need, TOOLS
from ..core.process import run, say, tail
from ..patches import mutant as mutants, series, tree
from ..patches.swiotlb import Swiotlb

LAB = ROOT / "lab"
VARIANTS = LAB / "variants"
# Objects whose per-request code the hot path check compares.
OBJECTS = ("drivers/virtio/virtio_ring.o", "drivers/block/virtio_blk.o",
           "drivers/net/virtio_net.o", "drivers/virtio/virtio_mmio.o",
           "drivers/virtio/virtio_pci_common.o", "drivers/virtio/virtio_pci_modern.o")


def fragments(machine):
    """The configuration of a machine: what all have, its own, and what a check adds."""
    return "common", machine["name"], *machine.get("fragments", ())


def config(*names):
    return "".join((LAB / "arch" / f"{name}.config").read_text() for name in names)


def required(base, machine):
    """The configuration of a machine, without what it or the base does not have."""
    text = config(*fragments(machine))
    without = base.without + base.broken.get(machine["name"], []) + machine.get("without", [])
    # What the last word on it switches off, another fragment had on.
    words = dict(re.findall(r"^(?=(?:# )?(CONFIG_\w+))(.*)$", text, re.M))
    without = without + [name for name, word in words.items() if word.startswith("#")]
    return "".join(line for line in text.splitlines(True)
                   if line.partition("=")[0] not in without)


def compiler(machine):
    """The compiler of a machine's kernels."""
    return machine.get("compiler") or f"{machine['cross']}gcc"


def commit_of(base, kind):
    """The commit of a kind of kernel: stock, series, swiotlb or a variant.

    Of the series, series@N takes the first N commits and only:NAME a set; of
    that for swiotlb, swiotlb@N. With +NAME the kernel has that mutation.
    """
    below, _, mutant = kind.partition("+")
    if mutant:
        return mutants.commit(base, commit_of(base, below), mutant)
    name, _, count = kind.partition("@")
    if name == "swiotlb":
        return commit_of(Swiotlb(base.name), kind.replace(name, "series"))
    if kind.startswith("only:"):
        return series.commits(base, only=kind.partition(":")[2])[-1]
    if kind == "stock":
        return git(base.tree, "rev-parse", "base")
    if name == "series":
        made = series.commits(base)
        if count and not (count.isdecimal() and 0 < int(count) <= len(made)):
            raise Fail(f"unknown kernel '{kind}'", f"the series has {len(made)} commits")
        return made[int(count or len(made)) - 1]
    known = sorted({p.name.split(".")[0] for p in VARIANTS.glob("*.diff")})
    if kind not in known:
        raise Fail(f"unknown kernel '{kind}'",
                   f"there are: stock, series, swiotlb, {', '.join(known)}")
    own = VARIANTS / f"{kind}.{base.name}.diff"
    return series.commits(base, own if own.exists() else VARIANTS / f"{kind}.diff")[-1]


def make(base, machine, *targets, **kwargs):
    """Run the kernel's make outside its source tree, with nothing of the host in the result."""
    env = with_ccache() | {"KBUILD_BUILD_TIMESTAMP": "1970-01-01", "KBUILD_BUILD_USER": "vdma",
                           "KBUILD_BUILD_HOST": "vdma", "LOCALVERSION": "", "LC_ALL": "C"}
    return run("make", "-C", base.tree, f"O={objdir(base, machine)}", f"-j{at_once()}",
               f"ARCH={machine['kernel_arch']}", f"CROSS_COMPILE={machine['cross']}",
               f"CC={compiler(machine)}", *told(machine), *targets, env=env, **kwargs)


def told(machine):
    """What fragments have make told: what no configuration can say."""
    # Some name no more than a folder of objects.
    own = [name for name in machine.get("fragments", ()) if (LAB / "arch" / f"{name}.config").exists()]
    return re.findall(r"^# make: (.*)$", config(*own), re.M)


def objdir(base, machine):
    return cache("obj", "-".join((base.tree.name, machine["name"],
                                  *machine.get("fragments", ()))))


def configure(base, machine, log):
    """Configure from the fragments, and refuse an option that Kconfig drops."""
    obj = objdir(base, machine)
    wanted = required(base, machine)
    fragment = obj / "vdma.config"
    fragment.write_text(wanted + config("series"))
    # Not olddefconfig: it forgets what the series adds once a kernel without it was built.
    make(base, machine, f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig", log=log)
    got = set((obj / ".config").read_text().splitlines())
    last = {line.partition("=")[0]: line for line in wanted.splitlines()
            if line.startswith("CONFIG_")}
    lost = [line for line in last.values() if line not in got]
    if lost:
        raise Fail(f"base {base.name} does not take {', '.join(lost)}", "see lab/arch/*.config")


def build(base, machine, kind):
    """Return the folder of a built kernel: Image, System.map, config, objects, tools.

    One that is in the cache waits for nobody. Builds for different machines run beside each
    other as long as they are of the same commit.
    """
    need([*TOOLS, *machine["packages"], *filter(None, [machine.get("compiler")])])
    base.fetch()
    commit = commit_of(base, kind)
    # Documentation goes into no kernel, so writing it builds none.
    inputs = ("".join(line for line in git(base.tree, "ls-tree", commit).splitlines(True)
                      if not line.endswith("\tDocumentation\n")),
              required(base, machine) + config("series"),
              run(compiler(machine), "--version").splitlines()[0])
    entry = cache("kernel") / hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
    if not entry.exists():
        obj = objdir(base, machine)
        with lock(f"obj-{obj.name}"), tree.at(base, commit):
            if not entry.exists():
                compile_into(entry, base, machine, kind)
    return entry


def shows_mode(entry):
    """Whether a built kernel has the dma_mode file: one with a part of the series may not have it."""
    return any(b"dma_mode_show" in path.read_bytes() for path in
               [entry / "System.map", *entry.glob("lib/**/virtio.ko")])


def compile_into(entry, base, machine, kind):
    """Build the kernel of the commit that is checked out, and keep what a boot needs of it."""
    room(3, "a kernel build")
    obj = objdir(base, machine)
    log = cache("log") / f"build-{obj.name}.log"
    name = " ".join((base.release(), machine["name"], *machine.get("fragments", ()), kind))
    # Of what is there already make does not say how much it will do again.
    steps = 0 if (obj / "vmlinux").exists() else machine.get("steps", 0)
    try:
        configure(base, machine, log)
        modular = "CONFIG_MODULES=y\n" in (obj / ".config").read_text()
        make(base, machine, os.path.basename(machine["image"]), *["modules"] * modular, log=log,
             label=f"{name}: building", steps=steps)
    except subprocess.CalledProcessError as err:
        raise Fail(f"{name} does not build:\n{tail(log)}", f"see {log}") from err
    with new_entry(entry) as new:
        if modular:
            make(base, machine, "modules_install", f"INSTALL_MOD_PATH={new}",
                 "INSTALL_MOD_STRIP=1", log=log)
        # A kernel may have been configured without one of them.
        objects = [path for path in OBJECTS if (obj / path).exists()]
        for path in (machine["image"], "System.map", "usr/gen_init_cpio", ".config", *objects):
            shutil.copy2(obj / path, new / path.rpartition("/")[2].lstrip("."))
        (new / "name").write_text(name + "\n")
    say(f"{name}: built")

# SPDX-License-Identifier: GPL-2.0-only
"""A distribution as a guest: its kernel, with the series or without, and a disk of packages."""
import contextlib
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..core.apt import Apt
from ..core.cache import cache, new_entry, room, ROOT
from ..core.errors import Fail
from ..core.packages import need, SUDO
from ..core.process import run, tail
from ..patches import debian
from ..patches.base import Base
from . import kernel, package

# What the lab puts into the user space.
OWN = ROOT / "lab" / "distribution"
ROOM, LABEL = "1G", "root"
BINFMT = Path("/proc/sys/fs/binfmt_misc")


@contextlib.contextmanager
def archive(data):
    """The distribution's archive, of packages for the machine."""
    with tempfile.TemporaryDirectory(prefix=".apt-", dir=cache("tools")) as temp:
        yield Apt(Path(temp) / "apt", data["sources"], cache("log") / "fetch-distribution.log",
                  data["architecture"])


def stock(data, machine):
    """The distribution's own package of a kernel: what a boot needs of it."""
    release = Base(data["base"]).fetch().release().split()[1]
    pattern = data["kernel"].format(release=re.escape(release))
    entry = cache("kernel") / (hashlib.sha256(pattern.encode()).hexdigest()[:16] + "-stock")
    if not entry.exists():
        with new_entry(entry) as new, archive(data) as apt:
            package.unfold(apt.binary(apt.newest(pattern), "30 to 80 MB"), new, machine)
    return entry


def with_series(data, machine):
    """A package of the distribution's source with the drop-in, reduced as its file says."""
    base, own = Base(data["base"]).fetch(), stock(data, machine)
    modules = "".join(f"{name} 0 0\n" for name in ["Module", *data["modules"]])
    wanted = [f"CONFIG_{word}" for word in data["config"]]
    # Kconfig takes the last word on an option.
    text = (own / "config").read_text() + "".join(f"{line}\n" for line in wanted)

    def configure(base, machine, log):
        obj = kernel.objdir(base, machine)
        (obj / ".config").write_text(text)
        (obj / "modules").write_text(modules)
        kernel.make(base, machine, "olddefconfig", log=log)
        kernel.make(base, machine, f"LSMOD={obj / 'modules'}", "localmodconfig", log=log)
        got = (obj / ".config").read_text().splitlines()
        lost = [line for line in wanted
                if (line[:-1] + "y" in got if line.endswith("=n") else line not in got)]
        if lost:
            raise Fail(f"the kernel does not take {', '.join(lost)}", "see lab/distributions.toml")

    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        drop = Path(temp) / "drop"
        debian.write(base, drop)
        return package.build(base, machine | {"fragments": ("distribution",)}, drop,
                             text + modules, configure)


def build(data, machine, kind):
    """Return the folder of a disk, with the image and the initramfs that the guest boots."""
    kernels = {"stock": stock, "series": with_series}
    if kind not in kernels:
        raise Fail(f"a distribution has no kernel '{kind}'", f"there are: {', '.join(kernels)}")
    built, below = kernels[kind](data, machine), packages(data)
    own = "".join(path.read_text() for path in sorted(OWN.rglob("*")) if path.is_file())
    key = hashlib.sha256("\0".join((built.name, below.name, own)).encode()).hexdigest()[:16]
    entry = cache("images") / f"{key}-{kind}"
    if not entry.exists():
        prepare(data)
        with new_entry(entry) as new:
            (new / "repository").symlink_to(below / "repository")
            install(data, built, below, new)
            for name in (Path(machine["image"]).name, "System.map", "config"):
                shutil.copy2(built / name, new)
    return entry


def packages(data):
    """The packages of the user space, installed: they take minutes, and are the same for all."""
    wanted = data["suite"], str(data["packages"]), data["extra"], data["architecture"]
    entry = cache("images") / (hashlib.sha256("\0".join(wanted).encode()).hexdigest()[:16]
                               + "-packages")
    if not entry.exists():
        prepare(data)
        with new_entry(entry) as new, archive(data) as apt:
            repository(data, apt, new / "repository")
            as_root(data, "installing packages", "mmdebstrap", "--variant=minbase",
                    f"--architectures={data['architecture']}", "--include=" + ",".join(
                        data["packages"]), data["suite"], new / "root.tar", apt.folder / "sources")
    return entry


def prepare(data):
    """Have what it takes, and have this host run the guest's programs: packages have scripts.

    The package of qemu-user sees to that, but not in a container.
    """
    room(4, "a distribution")
    need(["mmdebstrap", "qemu-user-static", "e2fsprogs", "dpkg-dev"])
    name = data["emulator"]
    if not (BINFMT / name).exists():
        run(*SUDO, "sh", "-c", f"[ -e {BINFMT}/register ] || mount -t binfmt_misc none {BINFMT};"
            f" cat /usr/lib/binfmt.d/{name}.conf > {BINFMT}/register")


def repository(data, apt, folder):
    """A repository of one package, which the guest installs from the host."""
    folder.mkdir()
    shutil.copy2(apt.binary(data["extra"], "1 MB"), folder)
    (folder / "Packages").write_text(run("dpkg-scanpackages", "--multiversion", ".", cwd=folder)
                                     + "\n")


def as_root(data, label, *command):
    """Run a command that makes a root file system."""
    log = cache("log") / "distribution.log"
    try:
        run(*SUDO, *command, log=log, label=f"{data['about']}: {label}")
    except subprocess.CalledProcessError as err:
        raise Fail(f"{data['about']} cannot be installed:\n{tail(log)}", f"see {log}") from err


def install(data, built, below, new):
    """Install a kernel and what is the lab's beside the packages, and make a disk of it."""
    root = new / "root"
    chroot = f"unshare -m sh -ec 'mount -t proc proc {root}/proc; exec chroot {root} \"$@\"' -"
    as_root(data, "installing a kernel", "sh", "-ec", f"""
        mkdir {root}
        tar -C {root} -xf {below}/root.tar
        cp {built / package.DEB} {root}/kernel.deb
        {chroot} dpkg -i kernel.deb
        rm {root}/kernel.deb {root}/etc/apt/sources.list.d/*
        cp -r {OWN}/. {root}
        echo vdma > {root}/etc/hostname
        echo 'LABEL={LABEL} / ext4 defaults 0 1' > {root}/etc/fstab
        {chroot} systemctl enable systemd-networkd vdma
        {chroot} passwd -d root
        cp -L {root}/boot/initrd.img-* {new}/initrd
        mke2fs -q -t ext4 -L {LABEL} -d {root} {new}/disk.img {ROOM}
        chmod 666 {new}/initrd {new}/disk.img
        rm -r {root}""")

# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernel source with the drop-in, and a package of it: what a maintainer makes."""
import contextlib
import copy
import gzip
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from ..core.apt import Apt
from ..core.cache import cache, lock, new_entry, room
from ..core.errors import Fail
from ..core.packages import need, TOOLS
from ..core.process import run, say, tail
from ..patches.base import unpack
from . import kernel

PACKAGES = TOOLS + ["dpkg-dev", "debhelper", "fakeroot", "quilt", "rsync"]
# The package in its cache entry.
DEB = "linux-image.deb"


def source(base, folder):
    """Debian's kernel source, patched and ready for quilt: its tree, and what it is.

    The archive may have dropped the files of a version that it still lists, so
    that others are tried; the last resort is the package of the base.
    """
    log = cache("log") / f"debian-{base.name}.log"
    lines = [line.replace("deb ", "deb-src ", 1) for line in base.sources]
    apt = Apt(folder / "apt", base.sources + lines, log)
    shown = run("apt-cache", *apt.options, "showsrc", base.package)
    # Two releases of Debian may have it from source packages with names of their own.
    name = {version: package for package, version in re.findall(
        r"^Package: (\S+)$(?:\n.+)*?\nVersion: (\S+)$", shown, re.M)}
    for version in base.order(name):
        try:
            return (apt.source(f"{name[version]}={version}", "150 MB"),
                    f"{name[version]} {version}")
        except Fail as err:
            say(err)
            for left in apt.folder.glob("*.dsc"):
                left.unlink()
    tree = folder / "tree"
    (tree / "debian" / "patches").mkdir(parents=True)
    unpack(apt, base.package, base.order(apt.versions(base.package)), tree)
    return tree, f"{base.package}, the archive having no source package"


@contextlib.contextmanager
def patched(base, drop, log):
    """Add the drop-in to Debian's source as a maintainer does: a base of that, and what it is."""
    # Always in the same place, because ccache knows an object by its folders.
    home = cache("src") / f".debian-{base.name}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    try:
        own = copy.copy(base)
        tree, what = source(base, home)
        own.tree = tree.rename(home / f"debian-{base.name}")
        patches = own.tree / "debian" / "patches"
        shutil.copytree(drop / "features", patches / "features", dirs_exist_ok=True)
        with (patches / "series").open("a") as file:
            file.write((drop / "series").read_text())
        run("quilt", "push", "-a", "--fuzz=0", cwd=own.tree, log=log,
            label=f"{what}: quilt push -a --fuzz=0",
            env=os.environ | {"QUILT_PATCHES": "debian/patches"})
        yield own, what
    finally:
        shutil.rmtree(home)


def build(base, machine, drop, config, configure=kernel.configure):
    """Make a package of Debian's source with the drop-in; return it, unpacked for a boot.

    @config is what @configure makes the configuration of.
    """
    need(PACKAGES + machine["packages"])
    # Documentation goes into no kernel, so writing it builds none.
    inputs = [text for p in sorted(drop.glob("features/**/*.patch"))
              if re.search(r"^\+\+\+ b/(?!Documentation/)", text := p.read_text(), re.M)]
    inputs += [base.release(), config]
    key = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
    entry = cache("kernel") / f"{key}-deb"
    if not entry.exists():
        with lock(f"debian-{base.name}"):
            if not entry.exists():
                make(entry, base, machine, drop, configure)
    return entry


def make(entry, base, machine, drop, configure):
    """Make the package, while nobody else makes one of this base."""
    room(12, "Debian's kernel source and a build of it")
    log = cache("log") / f"deb-{base.name}.log"
    what = base.release()
    try:
        with patched(base, drop, log) as (own, what):
            configure(own, machine, log)
            kernel.make(own, machine, "bindeb-pkg", "DPKG_FLAGS=-d", log=log,
                        label=f"{what}: building a package")
            keep(entry, kernel.objdir(own, machine), machine, what)
    except subprocess.CalledProcessError as err:
        raise Fail(f"{what} with the drop-in: {err.cmd[0]} fails:\n{tail(log)}",
                   f"see {log}") from err


def keep(entry, obj, machine, what):
    """Keep the package and what a boot needs of it; remove what it was made of."""
    made = list(obj.parent.glob("linux-*"))
    deb = next(p for p in made if re.match(r"linux-image-(?!.*-dbg_).*\.deb$", p.name))
    with new_entry(entry) as new:
        unfold(deb, new, machine)
        shutil.copy2(obj / "usr/gen_init_cpio", new)
        (new / "name").write_text(f"{deb.name} of {what}\n")
    for path in made:
        path.unlink()
    shutil.rmtree(obj)


def unfold(deb, new, machine):
    """Put a package of a kernel into a cache entry, and beside it what the lab reads of it."""
    shutil.copy2(deb, new / DEB)
    run("dpkg-deb", "-x", deb, new / "deb")
    boot = {p.name.partition("-")[0]: p for p in (new / "deb" / "boot").iterdir()}
    image = (boot.get("vmlinuz") or boot["vmlinux"]).read_bytes()
    # bindeb-pkg has a compressed image for arm64, which QEMU takes uncompressed.
    (new / Path(machine["image"]).name).write_bytes(
        gzip.decompress(image) if image.startswith(b"\x1f\x8b") else image)
    for name in ("System.map", "config"):
        shutil.copy2(boot[name], new / name)
    shutil.rmtree(new / "deb")

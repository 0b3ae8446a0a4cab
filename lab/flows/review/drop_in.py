# SPDX-License-Identifier: GPL-2.0-only
"""The drop-in, from its headers to the boot of a package of Debian's source."""
import copy
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...core.apt import Apt
from ...core.cache import cache, new_entry, room
from ...core.errors import Fail
from ...core.packages import need, TOOLS
from ...core.process import run, say, tail
from ...model import scenario
from ...model.check import Check
from ...patches import series
from ...patches.base import Base, unpack
from ...patches.debian import write
from ...build import kernel
from ...flows import runner

# DEP-3, by the names that it allows for patches that git wrote.
FIELDS = ("From", "Date", "Subject", "Forwarded", "Last-Update")

PACKAGES = TOOLS + ["dpkg-dev", "debhelper", "fakeroot", "quilt", "rsync"]


def lacks(patch):
    """The fields of DEP-3 that a patch does not have."""
    head = patch.partition("\n\n")[0]
    return [field for field in FIELDS if not re.search(rf"^{field}: \S", head, re.M)]


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


def package(base, machine, drop):
    """Add the drop-in to Debian's source as a maintainer does, and make a package of it.

    Return the package, unpacked for a boot.
    """
    need(PACKAGES + machine["packages"])
    inputs = [p.read_text() for p in sorted(drop.glob("features/**/*.patch"))]
    inputs += [base.release(), kernel.required(base, machine) + kernel.config("series")]
    key = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
    entry = cache("kernel") / f"{key}-deb"
    if entry.exists():
        return entry
    room(12, "Debian's kernel source and a build of it")
    log = cache("log") / f"deb-{base.name}.log"
    with tempfile.TemporaryDirectory(prefix=".debian-", dir=cache("src")) as temp:
        own = copy.copy(base)
        tree, what = source(base, Path(temp))
        own.tree = tree.rename(Path(temp) / f"debian-{base.name}")
        patches = own.tree / "debian" / "patches"
        shutil.copytree(drop / "features", patches / "features", dirs_exist_ok=True)
        with (patches / "series").open("a") as file:
            file.write((drop / "series").read_text())
        try:
            run("quilt", "push", "-a", "--fuzz=0", cwd=own.tree, log=log,
                label=f"{what}: quilt push -a --fuzz=0",
                env=os.environ | {"QUILT_PATCHES": "debian/patches"})
            kernel.configure(own, machine, log)
            kernel.make(own, machine, "bindeb-pkg", "DPKG_FLAGS=-d", log=log,
                        label=f"{what}: building a package (5 minutes)")
        except subprocess.CalledProcessError as err:
            raise Fail(f"{what} with the drop-in: {err.cmd[0]} fails:\n{tail(log)}",
                       f"see {log}") from err
        obj = kernel.objdir(own, machine)
        made = list(obj.parent.glob("linux-*"))
        deb = next(p for p in made if re.match(r"linux-image-(?!.*-dbg_).*\.deb$", p.name))
        with new_entry(entry) as new:
            run("dpkg-deb", "-x", deb, new / "deb")
            boot = {p.name.partition("-")[0]: p for p in (new / "deb/boot").iterdir()}
            image = boot["vmlinuz"].read_bytes()
            # arm64 packages a compressed image, which QEMU takes uncompressed.
            (new / Path(machine["image"]).name).write_bytes(
                gzip.decompress(image) if image.startswith(b"\x1f\x8b") else image)
            for name in ("System.map", "config"):
                shutil.copy2(boot[name], new / name)
            shutil.copy2(obj / "usr/gen_init_cpio", new)
            (new / "name").write_text(f"{deb.name} of {what}\n")
        for path in made:
            path.unlink()
        shutil.rmtree(obj)
    return entry


def tests(name):
    """The drop-in, from its headers to the boot of its package."""
    base = Base(name).fetch()
    need(PACKAGES)
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        drop = Path(temp) / "drop"
        patches = write(base, drop)
        text = patches[0].read_text()
        yield f"{name}: drop-in: headers", [
            *(Check.of(p.name, not lacks(p.read_text()), lacks(p.read_text())) for p in patches),
            Check.of("control: a lost one is noticed", lacks(text.replace("Forwarded:", "X:")) ==
                     ["Forwarded"], lacks(text))]
        one = scenario.pick([scenario.DEFAULT], name)[0]
        image = package(base, one["machine"], drop)
    yield (f"{name}: drop-in: boot {one['name']} on {(image / 'name').read_text().strip()}",
           runner.prove(runner.Boot(one, "series", image=image))[1])


def alone(name):
    """Each set, without the rest of the series."""
    base = Base(name).fetch()
    for only, data in series.sets(base).items():
        one = scenario.pick([data["scenario"]], name)[0]
        yield f"{name}: {only} alone: boot {one['name']}", runner.prove(
            runner.Boot(one, f"only:{only}"))[1]

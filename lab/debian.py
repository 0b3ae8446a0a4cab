# SPDX-License-Identifier: GPL-2.0-only
"""The series as a drop-in for Debian's kernel package, and the proof of it."""
import datetime
import gzip
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from . import kernel, proof, scenario, series
from .apt import Apt
from .base import Base
from .git import git, identity
from .host import Fail, TOOLS, cache, lock, need, new_entry, room, run, tail

# Where Debian's kernel team keeps what is not in a stable release.
PLACE = "features/all/virtio-platform-dma"
# DEP-3, by the names that it allows for patches that git wrote.
FIELDS = ("From", "Date", "Subject", "Forwarded", "Last-Update")
PACKAGES = TOOLS + ["dpkg-dev", "debhelper", "fakeroot", "quilt", "rsync"]


def write(base, folder, only=None):
    """Write the drop-in, as it goes into debian/patches; return its patches."""
    base.fetch()
    if folder.exists() and any(folder.iterdir()):
        raise Fail(f"{folder} is not empty", "name another folder")
    date = series.date(base)
    day = datetime.datetime.fromtimestamp(int(date.split()[0][1:]), datetime.UTC).date()
    with lock(f"src-{base.tree.name}"), tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        last = series.commits(base, only=only)[-1]
        names = git(base.tree, "format-patch", "--no-signature", "--zero-commit", "-N", "-o",
                    temp, f"base..{last}", env=identity(date)).splitlines()
        place = folder / PLACE
        place.mkdir(parents=True)
        for name in names:
            head, blank, body = Path(name).read_text().partition("\n\n")
            head = head.partition("\n")[2] + f"\nForwarded: no\nLast-Update: {day}"
            (place / Path(name).name).write_text(head + blank + body)
    patches = sorted(place.iterdir())
    (folder / "series").write_text("".join(f"{PLACE}/{p.name}\n" for p in patches))
    return patches


def lacks(patch):
    """The fields of DEP-3 that a patch does not have."""
    head = patch.partition("\n\n")[0]
    return [field for field in FIELDS if not re.search(rf"^{field}: \S", head, re.M)]


def add(base, drop):
    """Add the drop-in to Debian's source package as a maintainer does; return the tree of it."""
    room(8, "Debian's kernel package")
    log = cache("log") / f"debian-{base.tree.name}.log"
    with tempfile.TemporaryDirectory(prefix=".debian-", dir=cache("src")) as temp:
        apt = Apt(Path(temp) / "apt", [line.replace("deb ", "deb-src ", 1)
                                       for line in base.sources], log)
        # The source package whose binary the base is made of.
        name = re.search(r"^Package: (\S+)", run("apt-cache", *apt.options, "showsrc",
                                                 base.package), re.M)[1]
        tree = apt.source(name, "150 MB")
        patches = tree / "debian" / "patches"
        shutil.copytree(drop / "features", patches / "features", dirs_exist_ok=True)
        with (patches / "series").open("a") as file:
            file.write((drop / "series").read_text())
        run("quilt", "push", "-a", "--fuzz=0", cwd=tree, log=log, label="quilt push -a --fuzz=0",
            env=os.environ | {"QUILT_PATCHES": "debian/patches"})
        for extra in (".pc", "debian"):
            shutil.rmtree(tree / extra)
        # The one file that the lab changes when it takes a kernel's source.
        (tree / ".gitignore").write_text(git(base.tree, "show", "base:.gitignore") + "\n")
        env = {"GIT_INDEX_FILE": f"{temp}/index", "GIT_WORK_TREE": str(tree),
               "GIT_DIR": str(base.tree / ".git")}
        git(tree, "add", "-A", "-f", ".", env=env)
        return git(tree, "write-tree", env=env)


def package(base, machine):
    """Build a package of the kernel (bindeb-pkg), and unpack it for a boot."""
    need(PACKAGES + machine["packages"])
    with lock(f"src-{base.tree.name}"):
        commit = kernel.commit_of(base, "vdma")
        inputs = (git(base.tree, "rev-parse", f"{commit}^{{tree}}"),
                  kernel.config(*kernel.fragments(machine), "series"))
        key = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
        entry = cache("kernel") / f"{key}-deb"
        if entry.exists():
            return entry
        room(3, "a kernel package")
        git(base.tree, "checkout", "-q", "--force", "--detach", commit)
        obj, log = kernel.objdir(base, machine), cache("log") / f"deb-{base.tree.name}.log"
        kernel.configure(base, machine, log)
        for old in obj.parent.glob("linux-*"):
            old.unlink()
        kernel.make(base, machine, "bindeb-pkg", "DPKG_FLAGS=-d", log=log,
                    label=f"{base.name}: building a Debian package (3 minutes)")
        deb = next(obj.parent.glob("linux-image-*.deb"), None)
        if not deb:
            raise Fail(f"bindeb-pkg made no package:\n{tail(log)}", f"see {log}")
        with new_entry(entry) as new:
            run("dpkg-deb", "-x", deb, new / "deb")
            boot = {p.name.partition("-")[0]: p for p in (new / "deb/boot").iterdir()}
            image = boot["vmlinuz"].read_bytes()
            # arm64 packages a compressed image, which QEMU takes uncompressed.
            (new / Path(machine["image"]).name).write_bytes(
                gzip.decompress(image) if image.startswith(b"\x1f\x8b") else image)
            for name, file in (("System.map", "System.map"), ("config", "config")):
                shutil.copy2(boot[name], new / file)
            shutil.copy2(obj / "usr/gen_init_cpio", new)
            (new / "name").write_text(deb.name + "\n")
        for made in obj.parent.glob("linux-*"):
            made.unlink()
    return entry


def tests(name):
    """The drop-in, from its headers to the boot of its package; what may be taken alone."""
    base = Base(name).fetch()
    need(PACKAGES)
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        drop = Path(temp) / "drop"
        patches = write(base, drop)
        text = patches[0].read_text()
        yield f"{name}: drop-in: headers", [
            *((p.name, not lacks(p.read_text()), lacks(p.read_text())) for p in patches),
            ("control: a lost one is noticed", lacks(text.replace("Forwarded:", "X:")) ==
             ["Forwarded"], lacks(text))]
        ours = git(base.tree, "rev-parse", f"{kernel.commit_of(base, 'vdma')}^{{tree}}")
        theirs = add(base, drop)
        yield f"{name}: drop-in: Debian's source package with it", [
            ("quilt applies it with fuzz 0, and the result is the tree of the series",
             ours == theirs, git(base.tree, "diff", "--stat", ours, theirs))]
    one = scenario.pick([scenario.DEFAULT], name)[0]
    image = package(base, one["machine"])
    checks = proof.prove(proof.Run(one, "vdma", image=image))
    yield f"{name}: drop-in: boot {one['name']} on {(image / 'name').read_text().strip()}", checks


def alone(name):
    """Each subset of the series, without the rest."""
    base = Base(name).fetch()
    for only, data in series.subsets(base).items():
        one = scenario.pick([data["scenario"]], name)[0]
        yield f"{name}: {only} alone: boot {one['name']}", proof.prove(
            proof.Run(one, f"only:{only}"))

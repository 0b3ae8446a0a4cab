# SPDX-License-Identifier: GPL-2.0-only
"""Kernel bases: where their source comes from, and which releases are known to work."""
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

from ..core.apt import Apt
from ..core.cache import cache, lock, new_entry, room, ROOT
from ..core.errors import Fail
from ..core.git import commit, git, import_own
from ..core.process import run, say, tail

# What goes to the mailing lists applies to it.
NEWEST = "mainline"


def names():
    return sorted(p.stem for p in (ROOT / "bases").glob("*.toml"))


def wanted(name):
    """The base that is asked for, or all of them."""
    if not name and os.environ.get("KERNEL"):
        raise Fail("KERNEL is one tree, and there are several bases",
                   f"say which of them it is: {', '.join(names())}")
    return [name] if name else names()


class Base:
    """A base of the series, and the git repository that holds its source."""

    series, overlay = ROOT / "series", ROOT
    # Where it is has changed; its name has not.
    list = "virtualization@"

    def __init__(self, name, any_version=False):
        if name not in names():
            raise Fail(f"unknown base '{name}'", f"the bases are: {', '.join(names())}")
        self.name, self.siblings = name, names()
        data = tomllib.loads((ROOT / "bases" / f"{name}.toml").read_text())
        self.version, self.package = data["version"], data["package"]
        self.sources, self.without = data["sources"], data.get("without", [])
        self.broken = data.get("broken", {})
        self.sparse, self.follow = data.get("sparse"), data.get("follow", self.package)
        self.kunit_skips, self.userspace = data.get("kunit_skips", []), data.get("userspace", [])
        self.unchecked = data.get("unchecked", [])
        self.tested = data["tested_min"], data["tested_max"]
        self.own = os.environ.get("KERNEL")
        slot = name
        if self.own:
            path = Path(self.own).resolve()
            slot += "-" + hashlib.sha256(str(path).encode()).hexdigest()[:8]
            if not any_version:
                check_version(path / "Makefile", self)
        self.tree = cache("src") / slot

    def fetch(self):
        """Bring the source, unless it is here; return self. Commit 'base' is pristine."""
        if self.tree.exists() and not self.own:
            return self
        with lock(f"fetch-{self.tree.name}"):
            if self.own:
                import_own(self.own, self.tree)
            elif not self.tree.exists():
                self._import_package()
        return self

    def _import_package(self):
        room(6, "the kernel source")
        with new_entry(self.tree) as entry:
            log = cache("log") / f"fetch-{self.name}.log"
            apt = Apt(entry / ".apt", self.sources, log)
            unpack(apt, self.package, self.order(apt.versions(self.package)), entry)
            shutil.rmtree(apt.folder)
            check_version(entry / "Makefile", self)
            commit(entry, f"base {self.name}", log)

    def order(self, versions):
        """Which of a package's versions to try: the tested ones, then newer ones, newest first."""
        low, high = map(number, self.tested)
        known = {version: number(release_of(version)) for version in sorted(
            versions, key=lambda v: number(release_of(v)), reverse=True)}
        return [*(v for v in known if low <= known[v] <= high),
                *(v for v in known if known[v] > high)]

    def release(self, commit="base"):
        return "Linux " + read_release(git(self.tree, "show", f"{commit}:Makefile"))


def read_release(makefile):
    words = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) =[ ]*(\S*)$",
                            makefile, re.M))
    if "SUBLEVEL" not in words:
        raise Fail("no kernel version in the Makefile", "KERNEL must name a Linux source tree")
    return f"{words['VERSION']}.{words['PATCHLEVEL']}.{words['SUBLEVEL']}" \
           f"{words['EXTRAVERSION']}"


def release_of(version):
    """The kernel's own name for the version of a Debian package."""
    upstream, _, candidate = version.partition("-")[0].partition("~rc")
    if upstream.count(".") == 1:
        upstream += ".0"
    return upstream + (f"-rc{candidate}" if candidate else "")


def number(release):
    """A version in a form that compares: a release candidate comes before its release."""
    head, _, candidate = release.partition("-rc")
    parts = [int(n) for n in re.findall(r"\d+", head)]
    return parts + ([-1, int(re.match(r"\d*", candidate)[0] or 0)] if candidate else [0])


def check_version(makefile, base):
    """Refuse a tree of another version; report a point release that is untested."""
    try:
        release = read_release(makefile.read_text())
    except OSError as err:
        raise Fail(f"{makefile.parent} is not a kernel tree", "KERNEL=/path/to/linux") from err
    low, high = base.tested
    if not release.startswith(base.version + "."):
        raise Fail(f"{makefile.parent} is Linux {release}: base {base.name} needs"
                   f" a {base.version}", f"'./vdma bases {base.name}' says what of the series"
                   " applies there")
    if number(release) > number(high):
        say(f"note: Linux {release} is newer than {high}, the newest tested: trying")
    if number(release) < number(low):
        say(f"note: Linux {release} is older than {low}, the oldest tested: trying")


def unpack(apt, package, versions, folder):
    """Bring the first of a kernel source's versions that the archive still has the file of.

    Unpack it as git should see it.
    """
    if not versions:
        raise Fail(f"Debian has no {package} that is new enough", "see the sources in bases/")
    for version in versions:
        try:
            deb = apt.binary(f"{package}={version}", "about 150 MB")
            break
        except Fail as err:
            if version == versions[-1]:
                raise
            say(err)
    script = (f"set -o pipefail; dpkg-deb --fsys-tarfile {deb.name}"
              f" | tar -xO ./usr/src/{package}.tar.xz"
              f" | tar -xJ --strip-components=1 -C {shlex.quote(str(folder))}")
    try:
        run("bash", "-c", script, cwd=apt.folder, log=apt.log, label=f"unpacking {deb.name}")
    except subprocess.CalledProcessError as err:
        raise Fail(f"{deb.name} cannot be unpacked", tail(apt.log)) from err
    deb.unlink()
    # Debian's tail ignores every file at the top: it would hide the user's own.
    ignore = folder / ".gitignore"
    ignore.write_text(ignore.read_text().partition("#\n# Debian packaging")[0])

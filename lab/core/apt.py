# SPDX-License-Identifier: GPL-2.0-only
"""Debian's archive, on suites that the machine does not list; its configuration is left alone."""
import os
import re
import shutil
import subprocess

from .cache import cache, new_entry
from .errors import Fail
from .packages import need
from .process import run, say, tail


class Apt:
    """apt with sources of its own: lines of sources.list, SITE and SECURITY for the mirror.

    It is for packages of this machine, or of another one that is named.
    """

    def __init__(self, folder, lines, log, arch=None):
        self.folder, self.log = folder, log
        folder.mkdir()
        if not shutil.which("apt-get"):
            raise Fail("there is no apt-get to bring the source",
                       "set KERNEL=/path/to/linux or QEMU=/path/to/qemu")
        pairs = run("apt-get", "indextargets", "--format", "$(LABEL) $(SITE)",
                    "Created-By: Packages").splitlines()
        sites = dict(reversed([p.split() for p in pairs if len(p.split()) == 2]))
        if "Debian" not in sites:
            raise Fail("apt knows no Debian mirror",
                       "run 'apt-get update', or set KERNEL= or QEMU=")
        security = sites.get("Debian-Security", sites["Debian"] + "-security")
        for name in ("lists/partial", "cache/archives/partial", "parts"):
            (folder / name).mkdir(parents=True)
        self.options = [f"-o{key}={folder}/{name}" for key, name in (
            ("Dir::Etc::sourcelist", "sources"), ("Dir::Etc::sourceparts", "parts"),
            ("Dir::State::lists", "lists"), ("Dir::Cache", "cache"))]
        # apt drops its privileges to a user that cannot write to the cache.
        self.options.append("-oAPT::Sandbox::User=root")
        if arch:
            self.options += [f"-oAPT::Architecture={arch}", f"-oAPT::Architectures={arch}"]
        self._update([line.replace("SITE", sites["Debian"]).replace("SECURITY", security)
                      for line in lines])

    def _update(self, lines):
        """Read the lists of all suites; one that is not there, or is no longer, does no harm."""
        (self.folder / "sources").write_text("".join(f"{line}\n" for line in lines))
        try:
            # Without the option, lists that cannot be had are missing, and nobody is told.
            self("update", "-oAPT::Update::Error-Mode=any", label="reading the package lists of "
                 + " and ".join(dict.fromkeys(line.split()[2] for line in lines)))
        except Fail:
            absent = re.findall(r"^E: The repository '\S+ (\S+) Release' does no",
                                self.log.read_text(errors="replace"), re.M)
            left = [line for line in lines if line.split()[2] not in absent]
            if not left or left == lines:
                raise
            say(f"note: there is no {' and no '.join(dict.fromkeys(absent))}: going on without")
            self._update(left)

    def __call__(self, *args, label):
        try:
            run("apt-get", *self.options, "-q", *args, cwd=self.folder, log=self.log, label=label,
                env=os.environ | {"LC_ALL": "C"})
        except subprocess.CalledProcessError as err:
            raise Fail(f"{label}: {tail(self.log, 1).strip()}",
                       "check the network, or set KERNEL= or QEMU= to a tree of your own") from err

    def versions(self, package):
        """The versions of a package in all suites, the newest first.

        Not the one that apt would install: it is shy of experimental and of backports.
        """
        rows = run("apt-cache", *self.options, "madison", package).splitlines()
        return list(dict.fromkeys(row.split("|")[1].strip() for row in rows
                                  if row.endswith(" Packages")))

    def newest(self, pattern):
        """The newest package whose name matches, by the numbers in it."""
        names = [n for n in run("apt-cache", *self.options, "pkgnames").splitlines()
                 if re.fullmatch(pattern, n)]
        name = max(names, key=lambda n: [int(i) for i in re.findall(r"\d+", n)], default=None)
        if not name:
            raise Fail(f"no package matches {pattern}", "see the sources in bases/")
        return name

    def binary(self, package, about):
        """Download a package, or package=version, without installing it; return its file."""
        self("download", package, label=f"fetching {package} ({about})")
        return next(self.folder.glob(f"{package.partition('=')[0]}_*.deb"))

    def source(self, package, about):
        """Download and unpack a source package with Debian's patches; return its folder."""
        need(["dpkg-dev"])
        self("source", "--download-only", package, label=f"fetching the source of {package}"
             f" ({about})")
        run("dpkg-source", "--no-check", "-x", next(self.folder.glob("*.dsc")),
            self.folder / "tree", log=self.log, label=f"unpacking {package}")
        return self.folder / "tree"


def tool(name, lines, make):
    """A tool that the machine's suite has in too old a form, kept in the cache: its folder.

    @make fills the new folder with what it takes from the Apt that it is given.
    """
    entry = cache("tools") / name
    if not entry.exists():
        with new_entry(entry) as new:
            apt = Apt(new / ".apt", lines, cache("log") / f"fetch-{name}.log")
            make(apt, new)
            shutil.rmtree(apt.folder)
        say(f"{name}: ready")
    return entry

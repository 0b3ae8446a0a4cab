# SPDX-License-Identifier: GPL-2.0-only
"""Debian's archive, on suites that the machine does not list; its configuration is left alone."""
import re
import shutil
import subprocess

from .cache import cache, new_entry
from .errors import Fail
from .packages import need
from .process import run, say, tail


class Apt:
    """apt with sources of its own: lines of sources.list, SITE and SECURITY for the mirror."""

    def __init__(self, folder, lines, log):
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
        (folder / "sources").write_text("".join(
            line.replace("SITE", sites["Debian"]).replace("SECURITY", security) + "\n"
            for line in lines))
        for name in ("lists/partial", "cache/archives/partial", "parts"):
            (folder / name).mkdir(parents=True)
        self.options = [f"-o{key}={folder}/{name}" for key, name in (
            ("Dir::Etc::sourcelist", "sources"), ("Dir::Etc::sourceparts", "parts"),
            ("Dir::State::lists", "lists"), ("Dir::Cache", "cache"))]
        # apt drops its privileges to a user that cannot write to the cache.
        self.options.append("-oAPT::Sandbox::User=root")
        self("update", label="reading the package lists of "
             + " and ".join(dict.fromkeys(line.split()[2] for line in lines)))

    def __call__(self, *args, label):
        try:
            run("apt-get", *self.options, "-q", *args, cwd=self.folder, log=self.log, label=label)
        except subprocess.CalledProcessError as err:
            raise Fail(f"{label}: {tail(self.log, 1).strip()}",
                       "check the network, or set KERNEL= or QEMU= to a tree of your own") from err

    def newest(self, pattern):
        """The newest package whose name matches, by name and then by version, and its version."""
        names = [n for n in run("apt-cache", *self.options, "pkgnames").splitlines()
                 if re.fullmatch(pattern, n)]
        name = max(names, key=lambda n: [int(i) for i in re.findall(r"\d+", n)], default=None)
        if not name:
            raise Fail(f"no package matches {pattern}", "see the sources in bases/")
        shown = run("apt-cache", *self.options, "policy", name)
        return name, re.search(r"Candidate: (\S+)", shown)[1]

    def binary(self, package, about):
        """Download a package without installing it; return its file."""
        self("download", package, label=f"fetching {package} ({about})")
        return next(self.folder.glob(f"{package}_*.deb"))

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

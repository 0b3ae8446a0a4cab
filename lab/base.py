# SPDX-License-Identifier: GPL-2.0-only
"""Kernel bases: where their source comes from, and which releases are known to work."""
import hashlib
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from .host import Fail, ROOT, cache, lock, new_entry, room, run, say, tail

# Objects are written once and read often: no time is spent on packing them.
FAST = ("-c", "core.looseCompression=0", "-c", "gc.auto=0", "-c", "core.fsync=none",
        "-c", "advice.detachedHead=false", "-c", "core.autocrlf=false")
WHO = {"NAME": "virtio platform DMA developers", "EMAIL": "dev@virtio-platform-dma.invalid"}


def git(tree, *args, env=None, **kwargs):
    return run("git", "-C", tree, *FAST, *args, env={**os.environ, **(env or {})}, **kwargs)


def identity(date):
    """The author of everything the lab commits, as git's environment."""
    return {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER")
            for key, value in (WHO | {"DATE": date}).items()}


def names():
    return sorted(p.stem for p in (ROOT / "bases").glob("*.toml"))


class Base:
    """A base of the series, and the git repository that holds its source."""

    series, overlay = ROOT / "series", ROOT

    def __init__(self, name):
        if name not in names():
            raise Fail(f"unknown base '{name}'", f"the bases are: {', '.join(names())}")
        self.name, self.siblings = name, names()
        data = tomllib.loads((ROOT / "bases" / f"{name}.toml").read_text())
        self.version, self.package = data["version"], data["package"]
        self.tested = data["tested_min"], data["tested_max"]
        self.kernel = os.environ.get("KERNEL")
        slot = name
        if self.kernel:
            path = Path(self.kernel).resolve()
            slot += "-" + hashlib.sha256(str(path).encode()).hexdigest()[:8]
            check_version(path / "Makefile", self)
        self.tree = cache("src") / slot

    def fetch(self):
        """Bring the source, unless it is here; return self. Commit 'base' is pristine."""
        with lock(f"src-{self.tree.name}"):
            if self.kernel:
                import_own(self.kernel, self.tree)
            elif not (self.tree / ".git").exists():
                self._import_package()
        return self

    def _import_package(self):
        room(6, "the kernel source")
        with new_entry(self.tree) as entry:
            log = cache("log") / f"fetch-{self.name}.log"
            deb = download(self.package, entry, log)
            say(f"base {self.name}: unpacking {deb.name}")
            unpack = (f"set -o pipefail; dpkg-deb --fsys-tarfile {deb.name}"
                      f" | tar -xO ./usr/src/{self.package}.tar.xz"
                      f" | tar -xJ --strip-components=1")
            try:
                run("bash", "-c", unpack, cwd=entry, log=log, label="unpacking the source")
            except subprocess.CalledProcessError as err:
                raise Fail(f"{deb.name} cannot be unpacked", tail(log)) from err
            deb.unlink()
            check_version(entry / "Makefile", self)
            # Debian's tail ignores every file at the top: it would hide the user's own.
            ignore = entry / ".gitignore"
            ignore.write_text(ignore.read_text().partition("#\n# Debian packaging")[0])
            git(entry, "init", "-q", "-b", "base")
            run("git", *FAST, "add", "-A", "-f", ".", cwd=entry, log=log,
                label=f"base {self.name}: making a git tree of it (half a minute)")
            git(entry, "commit", "-q", "-m", "base", env=identity("@0 +0000"))

    def release(self, commit="base"):
        return "Linux " + read_release(git(self.tree, "show", f"{commit}:Makefile"))


def import_own(own, tree):
    """Take the user's tree as it stands, through a repository of ours."""
    if not tree.exists():
        room(6, "a copy of the source")
        with new_entry(tree) as entry:
            git(entry, "init", "-q", "-b", "base")
    repo = {"GIT_DIR": str(tree / ".git"), "GIT_WORK_TREE": own,
            "GIT_INDEX_FILE": str(tree / ".git" / "import")}
    say(f"reading {own}")
    if (Path(own) / ".git").exists():
        files = git(own, "ls-files", "-z")
        git(own, "update-index", "--add", "--remove", "-z", "--stdin", env=repo, text=files)
    else:
        git(own, "add", "-A", "-f", ".", env=repo)
    commit = git(tree, "commit-tree", git(own, "write-tree", env=repo), "-m", "base",
                 env=identity("@0 +0000"))
    git(tree, "update-ref", "refs/heads/base", commit)


def read_release(makefile):
    words = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) =[ ]*(\S*)$",
                            makefile, re.M))
    if "SUBLEVEL" not in words:
        raise Fail("no kernel version in the Makefile", "KERNEL must name a Linux source tree")
    return f"{words['VERSION']}.{words['PATCHLEVEL']}.{words['SUBLEVEL']}" \
           f"{words['EXTRAVERSION']}"


def number(release):
    return [int(n) for n in re.findall(r"\d+", release)]


def check_version(makefile, base):
    """Refuse a tree of another version; report a point release that is untested."""
    try:
        release = read_release(makefile.read_text())
    except OSError as err:
        raise Fail(f"{makefile.parent} is not a kernel tree", "KERNEL=/path/to/linux") from err
    low, high = base.tested
    if not release.startswith(base.version + ".") or number(release) < number(low):
        raise Fail(f"{makefile.parent} is Linux {release}: base {base.name} needs"
                   f" {low} or a later {base.version}", "see bases/ for what each base takes")
    if number(release) > number(high):
        say(f"note: Linux {release} is newer than {high}, the newest tested: trying")


def download(package, folder, log):
    """Have apt bring a package file, without installing it."""
    if not shutil.which("apt-get"):
        raise Fail(f"there is no apt-get to bring {package}",
                   "set KERNEL=/path/to/linux to a source tree of your own")
    # apt drops its privileges to a user that cannot write to the cache.
    cmd = ("apt-get", "-o", "APT::Sandbox::User=root", "download", package)
    try:
        run(*cmd, cwd=folder, log=log, label=f"fetching {package} (about 140 MB)")
    except subprocess.CalledProcessError:
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        try:
            run(*sudo, "apt-get", "update", log=log, label="updating the package lists")
            run(*cmd, cwd=folder, log=log, label=f"fetching {package}")
        except subprocess.CalledProcessError as err:
            raise Fail(f"cannot fetch {package}: {tail(log, 1).strip()}",
                       "check the network, or set KERNEL=/path/to/linux") from err
    return next(folder.glob("*.deb"))

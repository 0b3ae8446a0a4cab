# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages that the lab needs on this machine."""
import os
import shutil
import subprocess

from .cache import cache
from .errors import Fail
from .process import run, say

TOOLS = ["git", "make", "gcc", "flex", "bison", "bc", "libssl-dev", "libelf-dev", "cpio",
         "kmod", "xz-utils", "libc6-dev", "device-tree-compiler", "ccache"]


# What runs a command as root.
SUDO = [] if os.geteuid() == 0 else ["sudo"]
# What is known to be installed.
HAVE = set()


def installed(packages):
    """Those of some packages that are installed."""
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Status}\\n", *packages],
                           capture_output=True, text=True, check=False)
    return {line.split()[0] for line in query.stdout.splitlines() if line.endswith(" installed")}


def need(packages):
    """Install the Debian packages that are missing, and name them; 'a | b' is either."""
    if HAVE >= set(packages):
        return
    if not shutil.which("dpkg-query"):
        say("not a Debian system: taking the tools for granted")
        HAVE.update(packages)
        return
    have = installed([name for p in packages for name in p.split(" | ")])
    missing = [p for p in dict.fromkeys(packages) if not have & set(p.split(" | "))]
    HAVE.update(packages)
    if not missing:
        return
    log = cache("log") / "apt.log"
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    # Another vdma, or the machine's own upgrade, may be installing just now.
    install = [*SUDO, "apt-get", "-oDPkg::Lock::Timeout=600", "satisfy", "-y",
               "--no-install-recommends", *missing]
    stdin = None if SUDO else subprocess.DEVNULL
    label = f"installing {' '.join(missing)}"
    try:
        try:
            run(*install, log=log, label=label, env=env, stdin=stdin)
        except subprocess.CalledProcessError:
            # The package lists may be missing or old.
            run(*SUDO, "apt-get", "update", log=log, label="updating the package lists", env=env)
            run(*install, log=log, label=label, env=env, stdin=stdin)
    except subprocess.CalledProcessError as err:
        reason = next((line for line in log.read_text(errors="replace").splitlines()
                       if line.startswith("E: ")), f"apt-get exited with {err.returncode}")
        raise Fail(f"cannot install {' '.join(missing)}: {reason}",
                   f"see {log}, or install them by hand") from err

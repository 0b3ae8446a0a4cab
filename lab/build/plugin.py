# SPDX-License-Identifier: GPL-2.0-only
"""The TCG plugin that counts what a kernel's functions execute."""
import subprocess

from ..core.cache import ROOT
from ..core.errors import Fail
from ..core.git import git
from ..core.packages import need
from ..core.process import run
from ..patches.base import number
from ..patches.qemu import Qemu

PLUGIN = ROOT / "lab" / "plugin" / "functions.c"


def build_plugin(binary, folder):
    """Build the plugin for a QEMU; any header will do, for what it uses has never changed."""
    version = number(run(binary, "--version").partition("version ")[2])
    api = 1 if version[0] < 9 else 2
    plugin = folder / f"functions-{api}.so"
    if not plugin.exists():
        need(["gcc", "libc6-dev", "pkg-config", "libglib2.0-dev"])
        header = git(Qemu().fetch().tree, "show", "base:include/qemu/qemu-plugin.h")
        (folder / "qemu-plugin.h").write_text(header)
        try:
            run("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-DAPI={api}",
                f"-I{folder}", *run("pkg-config", "--cflags", "glib-2.0").split(),
                "-o", plugin, PLUGIN)
        except subprocess.CalledProcessError as err:
            raise Fail("the plugin does not build:\n" + err.stderr.decode()) from err
    return plugin

# SPDX-License-Identifier: GPL-2.0-only
"""The guest's user space: a static init and the kernel's selftests, packed into an initramfs."""
import hashlib
import subprocess

from ..core.cache import cache, new_entry, ROOT
from ..core.errors import Fail
from ..core.git import git
from ..core.process import run
from ..model.selftests import SELFTESTS, selftests
from .initramfs import pack

SOURCES = ROOT / "lab" / "guest"
SPEC = """dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
file /init {folder}/init 755 0 0
dir /modules 755 0 0
dir /selftests 755 0 0
"""


def modules(kernel):
    """The kernel's modules, each after those it needs, as lines of the initramfs."""
    needs, order = {}, []
    for dep in kernel.glob("lib/modules/*/modules.dep"):
        for line in dep.read_text().splitlines():
            path, _, others = line.partition(":")
            needs[dep.parent / path] = [dep.parent / o for o in others.split()]

    def visit(path):
        for other in needs[path]:
            visit(other)
        if path not in order:
            order.append(path)

    for path in sorted(needs):
        visit(path)
    return "".join(f"file /modules/{n:02}-{path.name} {path} 644 0 0\n"
                   for n, path in enumerate(order))


def compile_all(compiler, harness, new):
    """The init, and the selftests as they stand, with the header that they include."""
    run(*compiler, "-Werror", "-idirafter", "/usr/include/libdrm", "-o", new / "init",
        *SOURCES.rglob("*.c"))
    (new / "kselftest.h").write_text(harness)
    (new / "virtio").mkdir()
    for name in selftests():
        run(*compiler, "-iquote", new / "virtio", "-o", new / name, SELFTESTS / f"{name}.c",
            SELFTESTS / "vdev.c")


def build(arch, kernel, base):
    """Return the initramfs for @arch, packed with the tool that came with @kernel."""
    files = sorted([*SOURCES.rglob("*.[ch]"), *SELFTESTS.glob("*.[ch]")])
    spec = SPEC + "".join(f"file /selftests/{name} {{folder}}/{name} 755 0 0\n"
                          for name in selftests()) + modules(kernel)
    harness = git(base.tree, "show", "base:tools/testing/selftests/kselftest.h") + "\n"
    text = b"".join(f.read_bytes() for f in files) + (arch["cross"] + spec + harness).encode()
    entry = cache("guest") / hashlib.sha256(text).hexdigest()[:16]
    if not entry.exists():
        with new_entry(entry) as new:
            try:
                # Debian has the kernel's drm headers for all machines, in a package of their own.
                compile_all([f"{arch['cross']}gcc", "-static", "-O2", "-Wall", "-Wextra"],
                            harness, new)
            except subprocess.CalledProcessError as err:
                raise Fail("the guest's programs do not build:\n" + err.stderr.decode()) from err
            pack(kernel, spec.format(folder=new), new / "initrd")
    return entry / "initrd"

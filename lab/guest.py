# SPDX-License-Identifier: GPL-2.0-only
"""The guest's user space: a static init, packed into an initramfs."""
import hashlib
import subprocess

from .host import Fail, ROOT, cache, new_entry, run

SOURCES = ROOT / "lab" / "guest"
SPEC = """dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
file /init {init} 755 0 0
dir /modules 755 0 0
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


def build(arch, kernel):
    """Return the initramfs for @arch, packed with the tool that came with @kernel."""
    files = sorted(SOURCES.glob("*.[ch]"))
    spec = SPEC + modules(kernel)
    text = b"".join(f.read_bytes() for f in files) + (arch["cross"] + spec).encode()
    entry = cache("guest") / hashlib.sha256(text).hexdigest()[:16]
    if not entry.exists():
        with new_entry(entry) as new:
            try:
                # Debian has the kernel's drm headers for all machines, in a package of their own.
                run(f"{arch['cross']}gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-idirafter", "/usr/include/libdrm", "-o", new / "init", *[f for f in files if f.suffix == ".c"])
            except subprocess.CalledProcessError as err:
                raise Fail("the guest's init does not build:\n" + err.stderr.decode()) from err
            (new / "spec").write_text(spec.format(init=new / "init"))
            with open(new / "initrd", "wb") as file:
                subprocess.run([kernel / "gen_init_cpio", new / "spec"], stdout=file, check=True)
    return entry / "initrd"

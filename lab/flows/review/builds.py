# SPDX-License-Identifier: GPL-2.0-only
"""What else a reviewer runs on the series: the documentation, coccinelle, other configurations."""
import os
import re
import shlex
import subprocess
import tempfile
import tomllib
from pathlib import Path

from ...core.cache import cache
from ...core.packages import need
from ...core.process import run, tail
from ...model.check import Check
from ...model.selftests import selftests
from ...patches import series, tree
from ...build import kernel

PAGES = "Documentation/virtio"
# A page with this at its end must be complained of.
BROKEN = "\n\nTitle\n=\n\n:doc:`/nowhere`\n"


def htmldocs(base):
    """The new pages build, and nothing that is said names them."""
    need(["python3-sphinx"])
    with tempfile.TemporaryDirectory(prefix="vdma-") as out:
        said = pages(base, out)
        built = Path(out) / "Documentation/output/virtio/dma-modes.html"
        yield Check.of("the pages are built, without a warning", built.exists() and not said, said)
        page = base.tree / PAGES / "dma-modes.rst"
        tree.mark(base).unlink()
        with page.open("a") as file:
            file.write(BROKEN)
        try:
            said = pages(base, out)
        finally:
            tree.switch(base, "HEAD")
        yield Check.of("control: a broken page is complained of", PAGES in said, said)


def pages(base, out, folder="virtio"):
    """Make a folder of the pages; return the lines that complain of any."""
    result = subprocess.run(["make", "-C", base.tree, f"O={out}", f"SPHINXDIRS={folder}",
                             "htmldocs"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    return "\n".join(line.replace(f"{base.tree}/", "") for line in result.stdout.splitlines()
                     if f"Documentation/{folder}/" in line and re.search("WARNING|ERROR", line))


def coccinelle(base, head, files):
    """The kernel's semantic patches have no more to say of the files than before the series."""
    need(["coccinelle"])
    said, smell = [], base.tree / "vdma-smell.c"
    for commit in ("base", head):
        tree.switch(base, commit)
        smell.write_text("void f(void *x)\n{\n\tif (x)\n\t\tkfree(x);\n}\n")
        try:
            said.append(spatch(base, [f for f in (*files, smell.name) if (base.tree / f).exists()]))
        finally:
            smell.unlink()
    more = [line for line in said[1] if line not in said[0]]
    yield Check.of(f"nothing new in {len(files)} files", not more, "\n".join(more))
    yield Check.of("control: a smell is found", any(smell.name in line for line in said[1]), said[1])


def spatch(base, files):
    """What the scripts report, without the lines' numbers."""
    found = []
    for script in run("grep", "-rl", "virtual report", "scripts/coccinelle",
                      cwd=base.tree).splitlines():
        result = subprocess.run(
            ["spatch", "-D", "report", "--no-show-diff", "--very-quiet", "--no-includes",
             "--include-headers", "--cocci-file", script, *files], cwd=base.tree, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        found += [re.sub(r":[\d:-]+", ":", line) for line in result.stdout.splitlines()]
    return found


def userspace(base, head):
    """The kernel's own tests of the ring in userspace build and pass."""
    built, said = ring_test(base, head, head)
    yield Check.of("tools/virtio builds, and vringh_test passes", built, said)
    built, said = ring_test(base, head, "base")
    yield Check.of("control: not without the series' part of tools/virtio", not built, said)


def ring_test(base, head, tools):
    """Build @head with tools/virtio as of @tools, and run it: did it pass, what was said?"""
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        for commit, paths in ((head, "include drivers/virtio drivers/vhost scripts"),
                              (tools, "tools")):
            run("sh", "-c", f"git -C {shlex.quote(str(base.tree))} archive {commit} {paths}"
                f" | tar -x -C {folder}")
        # Headers that tools/virtio does not find by itself, and what others lack.
        shim = Path(folder) / "shim" / "linux"
        shim.mkdir(parents=True)
        for name in ("compiler-context-analysis.h", "device-id"):
            (shim / name).symlink_to(Path(folder) / "include" / "linux" / name)
        flags = [f"-I{folder}/shim", *(shlex.quote(f"-D{macro}") for macro in base.userspace)]
        test = Path(folder) / "tools" / "virtio"
        script = (f"make -C {test} virtio_test vringh_test CPPFLAGS={shlex.quote(' '.join(flags))}"
                  f" && {test}/vringh_test && {test}/vringh_test --indirect --eventidx")
        result = subprocess.run(["sh", "-c", script], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        return (result.returncode == 0 and "assertion failed" not in result.stdout,
                "\n".join(result.stdout.splitlines()[-12:]))


def kselftests(base, head):
    """The kernel builds and installs the selftests, and they leave this machine alone."""
    need(["rsync"])
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        place = Path(folder) / "install" / "virtio"
        built, said = install(base, head, folder)
        yield Check.of("virtio's selftests build and install without a warning", built, said)
        Path(folder).chmod(0o755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if not os.geteuid() else {}
        for name in selftests() if built else ():
            result = subprocess.run([place / name], capture_output=True, text=True, check=False,
                                    **nobody)
            # To look takes none: a machine that runs the series has modes to show.
            yield Check.of(f"{name} is skipped without privileges, with a reason",
                           result.returncode == 4 and "1..0 # SKIP " in result.stdout
                           or result.returncode == 0 and name == "dma_mode", result.stdout)
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        built, said = install(base, "base", folder)
        yield Check.of("control: not without the series", not built, said)


def install(base, commit, folder):
    """Build and install as of @commit, out of the tree: did it pass, what was said?"""
    run("sh", "-c", f"git -C {shlex.quote(str(base.tree))} archive {commit} scripts tools/scripts"
        f" tools/testing/selftests | tar -x -C {folder}")
    (Path(folder) / "out").mkdir()
    result = subprocess.run(
        ["make", "-C", f"{folder}/tools/testing/selftests", "TARGETS=virtio", f"O={folder}/out",
         f"INSTALL_PATH={folder}/install", "install"], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # Where there is no such target, make says nothing.
    there = (Path(folder) / "install" / "virtio" / "dma_mode").exists()
    return (result.returncode == 0 and there and "warning:" not in result.stdout,
            "\n".join(result.stdout.splitlines()[-12:]))


def compile_only(base):
    """Machines that nobody boots here compile all modules of what the series is about."""
    data = tomllib.loads((kernel.LAB / "compile-only.toml").read_text())
    for name, machine in data["machines"].items():
        need(machine["packages"])
        yield (f"{base.name}: all modules, {name}", [compiles(
            base, machine | {"name": name}, "allmodconfig",
            data["folders"] + machine.get("folders", []))])


def configurations(base, machine):
    """What the series touches builds where all is left out, and where all is a module."""
    folders = sorted({f"{Path(path).parent}/" for entry in series.entries(base)
                      for path in entry.paths(base.name)
                      if path.endswith(".c") and "/tests/" not in path
                      and not path.startswith("tools/")
                      and (not path.startswith("arch/")
                           or path.startswith(f"arch/{machine['kernel_arch']}/"))})
    for name in ("allnoconfig", "allmodconfig"):
        yield compiles(base, machine, name, folders)


def compiles(base, machine, name, folders):
    """The folders compile in a configuration that the kernel makes by itself."""
    own = machine | {"fragments": (name,)}
    log = cache("log") / f"{name}-{base.tree.name}.log"
    what = f"{name}: {' '.join(folders)}"
    try:
        kernel.make(base, own, name, log=log)
        # A warning is an error in allmodconfig; upstream is not clean of those of W=1.
        kernel.make(base, own, *folders, log=log,
                    label=f"{base.name} {machine['name']}: {name} of {len(folders)} folders")
    except subprocess.CalledProcessError:
        return Check.of(what, False, tail(log))
    return Check.of(what, True)

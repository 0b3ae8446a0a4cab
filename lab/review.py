# SPDX-License-Identifier: GPL-2.0-only
"""What else a reviewer runs on the series: the documentation, coccinelle, other configurations."""
import re
import subprocess
import tempfile
from pathlib import Path

from . import kernel, series
from .git import git
from .host import cache, need, run, tail

PAGES = "Documentation/virtio"
# A page with this at its end must be complained of.
BROKEN = "\n\nTitle\n=\n\n:doc:`/nowhere`\n"


def htmldocs(base):
    """The new pages build, and nothing that is said names them."""
    need(["python3-sphinx"])
    with tempfile.TemporaryDirectory(prefix="vdma-") as out:
        said = pages(base, out)
        built = Path(out) / "Documentation/output/virtio/dma-modes.html"
        yield "the pages are built, without a warning", built.exists() and not said, said
        page = base.tree / PAGES / "dma-modes.rst"
        with page.open("a") as file:
            file.write(BROKEN)
        try:
            said = pages(base, out)
        finally:
            git(base.tree, "checkout", "-q", "--force", "HEAD")
        yield "control: a broken page is complained of", PAGES in said, said


def pages(base, out):
    """Make the folder of the pages; return the lines that name it and complain."""
    result = subprocess.run(["make", "-C", base.tree, f"O={out}", "SPHINXDIRS=virtio", "htmldocs"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return "\n".join(line.replace(f"{base.tree}/", "") for line in result.stdout.splitlines()
                     if PAGES in line and re.search("WARNING|ERROR", line))


def coccinelle(base, head, files):
    """The kernel's semantic patches have no more to say of the files than before the series."""
    need(["coccinelle"])
    said, smell = [], base.tree / "vdma-smell.c"
    for commit in ("base", head):
        git(base.tree, "checkout", "-q", "--force", "--detach", commit)
        smell.write_text("void f(void *x)\n{\n\tif (x)\n\t\tkfree(x);\n}\n")
        try:
            said.append(spatch(base, [f for f in (*files, smell.name) if (base.tree / f).exists()]))
        finally:
            smell.unlink()
    more = [line for line in said[1] if line not in said[0]]
    yield f"nothing new in {len(files)} files", not more, "\n".join(more)
    yield "control: a smell is found", any(smell.name in line for line in said[1]), said[1]


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


def configurations(base, machine):
    """What the series touches builds where all is left out, and where all is a module."""
    folders = sorted({f"{Path(path).parent}/" for entry in series.entries(base)
                      for path in entry.paths(base.name)
                      if path.endswith(".c") and "/tests/" not in path
                      and not path.startswith("tools/")
                      and (not path.startswith("arch/")
                           or path.startswith(f"arch/{machine['kernel_arch']}/"))})
    for name in ("allnoconfig", "allmodconfig"):
        own = machine | {"fragments": (name,)}
        log = cache("log") / f"{name}-{base.tree.name}.log"
        try:
            kernel.make(base, own, name, log=log)
            kernel.make(base, own, "W=1", *folders, log=log,
                        label=f"{base.name} {machine['name']}: {name} of {len(folders)} folders")
            yield f"{name}: {' '.join(folders)}", True, ""
        except subprocess.CalledProcessError:
            yield f"{name}: {' '.join(folders)}", False, tail(log)

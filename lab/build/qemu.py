# SPDX-License-Identifier: GPL-2.0-only
"""Build the companion QEMU: Debian's source, the series in qemu/, only what the lab needs."""
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..core.apt import tool
from ..core.cache import cache, lock, new_entry, room
from ..core.ccache import with_ccache
from ..core.cpus import at_once
from ..core.errors import Fail
from ..core.git import git
from ..core.packages import need, TOOLS
from ..core.process import run, say, tail
from ..model.scenario import COMPANION
from ..patches import series, tree
from ..patches.base import number
from ..patches.qemu import FOLDER, Qemu

QTEST = "300"  # seconds that a test may take


def meson(data):
    """The environment in which a meson that is new enough comes first."""
    need(data["packages"])
    env = with_ccache()
    try:
        have = run("meson", "--version")
    except Fail:
        have = "0"
    if number(have) >= number(data["meson"]):
        return env
    entry = tool("meson", data["meson_sources"], lambda apt, new: run(
        "dpkg-deb", "-x", apt.binary("meson", "1 MB"), new))
    env["PATH"] = f"{entry}/usr/bin:{env['PATH']}"
    env["PYTHONPATH"] = f"{entry}/usr/lib/python3/dist-packages"
    return env


def backported(arch):
    """A machine's QEMU as Debian made it of a newer one for its release 12; not installed."""
    package = next(name for name in arch["packages"] if name.startswith("qemu-system-"))
    entry = tool(package, ["deb SITE bookworm-backports main"], lambda apt, new: run(
        "dpkg-deb", "-x", apt.binary(f"{package}={apt.versions(package)[0]}", "10 MB"), new))
    return entry / "usr" / "bin" / arch["qemu"]


def build(name=COMPANION):
    """Return the folder of the companion's binaries. One that is built waits for nobody."""
    base = Qemu(name).fetch()
    commit = series.commits(base)[-1]
    inputs = [git(base.tree, "rev-parse", f"{commit}^{{tree}}"), str(base.data["configure"]),
              str(devices(base.data)), str(list(base.data["qtests"])),
              run("gcc", "--version").splitlines()[0]]
    entry = cache("qemu") / hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
    if not entry.exists():
        with lock(f"obj-{base.tree.name}"), tree.at(base, commit):
            if not entry.exists():
                compile_into(entry, base)
    return entry


def devices(data):
    """The devices of each target, as QEMU's configuration has them."""
    return {target: (FOLDER / f"{target}.mak").read_text() for target in data["targets"]}


def compile_into(entry, base):
    """Build the commit that is checked out, and keep the programs."""
    room(2, "a build of QEMU")
    need(TOOLS)
    data, env = base.data, meson(base.data)
    obj, log = cache("obj") / base.tree.name, cache("log") / f"build-{base.name}.log"
    obj.mkdir(exist_ok=True)
    options = []
    for target, text in devices(data).items():
        (base.tree / "configs" / "devices" / target / "vdma.mak").write_text(text)
        options.append(f"--with-devices-{target.partition('-')[0]}=vdma")
    binaries = [f"qemu-system-{t.partition('-')[0]}" for t in data["targets"]]
    binaries += [f"tests/qtest/{test}" for test in data["qtests"]]
    script = (f"{shlex.quote(str(base.tree))}/configure --target-list="
              + shlex.join([",".join(data["targets"]), *options, *data["configure"]])
              + f" && ninja -j{at_once()} " + shlex.join(binaries))
    try:
        run("sh", "-c", script, cwd=obj, env=env, log=log,
            label=f"companion {base.release()}: building")
    except subprocess.CalledProcessError as err:
        raise Fail(f"the companion QEMU does not build:\n{tail(log)}", f"see {log}") from err
    with new_entry(entry) as new:
        for file in binaries:
            shutil.copy2(obj / file, new / Path(file).name)
    say(f"companion {base.release()}: built")


def qtest(name, program, base, without=None):
    """Run a qtest: did all of it pass, and what did it say? Leave the option @without out."""
    entry = build(base)
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        script = wrapped(entry / program, Path(folder), without)
        # One that hangs fails, and leaves no QEMU behind.
        result = subprocess.run(["timeout", QTEST, entry / name, "--tap"], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                env=os.environ | {"QTEST_QEMU_BINARY": str(script)})
    return result.returncode == 0 and complete(result.stdout), result.stdout


def wrapped(program, folder, without):
    """A program that is given its options without the text @without."""
    script = folder / program.name
    words = f"${{@//{without}/}}" if without else "$@"
    script.write_text(f'#!/bin/bash\nexec {program} "{words}"\n')
    script.chmod(0o755)
    return script


def complete(said):
    """Have all tests that are planned passed, and was none skipped?"""
    passed = re.findall(r"^ok \d+ (?!.*# SKIP)", said, re.M | re.I)
    plan = re.search(r"^1\.\.(\d+)$", said, re.M)
    return bool(plan) and len(passed) == int(plan[1]) > 0

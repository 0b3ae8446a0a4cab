# SPDX-License-Identifier: GPL-2.0-only
"""The same scenarios as jobs for engines that exist: a hosted CI, and LAVA's test farms."""
import json
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from . import base as bases
from . import guest, kernel, proof, scenario
from .apt import tool
from .base import Base
from .host import Fail, need, new_entry, run, say
from .machine import SILENCE, command
from .payload import images

# The guest's own steps; the others wait for the lab on the host.
ALONE = {"devices", "read", "write", "rng", "rebind", "replug", "suspend"}
PLAIN = re.compile(r"[\w./][\w./ ()-]*")


def yaml(value, indent=""):
    """The few shapes of YAML that a job has. What could be taken for another type is quoted."""
    if isinstance(value, dict) and value:
        keys = {key: f"'{key}'" if key.isdigit() else key for key in value}
        return "".join(f"\n{indent}{keys[key]}:{yaml(item, indent + '  ')}"
                       for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}-{yaml(item, indent + '  ')}".replace(
            f"-\n{indent}  ", "- ", 1) for item in value)
    if isinstance(value, str):
        odd = not PLAIN.fullmatch(value) or value.endswith(" ") or re.fullmatch(
            r"[\d.]+|true|false|null|yes|no|on|off", value, re.I)
        return " '" + value.replace("'", "''") + "'" if odd else f" {value}"
    return f" {value}".lower() if isinstance(value, bool) else f" {value}"


def github(_):
    """A workflow: one job per base and machine, and one for what concerns neither."""
    machines = list(dict.fromkeys(one["arch"] for one in scenario.load().values()))
    steps = [{"uses": "actions/checkout@v4"},
             {"uses": "actions/cache@v4", "with": {
                 "path": "~/.cache/vdma",
                 "restore-keys": "vdma-${{ matrix.base }}-${{ matrix.arch }}-",
                 "key": "vdma-${{ matrix.base }}-${{ matrix.arch }}-${{ github.run_id }}"}},
             {"run": "./vdma test ${{ matrix.base && format('--base {0} --arch {1}', matrix.base,"
                     " matrix.arch) || '' }} --junit result.xml"},
             {"uses": "actions/upload-artifact@v4", "if": "always()", "with": {
                 "name": "result-${{ matrix.base }}-${{ matrix.arch }}", "path": "result.xml"}}]
    matrix = [{"base": b, "arch": a} for b in bases.names() for a in machines]
    yield "vdma.yml", {"name": "virtio platform DMA", "on": ["push", "pull_request"], "jobs": {
        "test": {"runs-on": "ubuntu-latest", "container": "debian:13", "timeout-minutes": 240,
                 "strategy": {"fail-fast": False, "matrix": {
                     "include": [*matrix, {"base": "", "arch": ""}]}},
                 "steps": steps}}}


def lava(url):
    """A job per scenario that a farm's own QEMU can run, with artifacts below @url."""
    for base in bases.names():
        for name, one in scenario.load(base).items():
            steps = [s for s in one["steps"] if s in ALONE]
            reason = (one["companion"] and "needs the companion QEMU") or (
                one.get("dtb") and "edits the device tree") or (
                one["config"] and "needs a configuration of its own") or (
                (one["must_fail"] or one["errors"] or one["stuck"] or one["absent"])
                and "is a control") or ("vdma" not in one["kernels"] and "needs a variant") or (
                "serial" in one["devices"] and "needs files of the host")
            if reason:
                say(f"{base} {name}: left out: it {reason}")
                continue
            yield f"{base}-{name}.yaml", lava_job(base, one, steps, url)


def lava_job(base, one, steps, url):
    machine, place = one["machine"], f"{url}/{base}-{one['arch']}"
    words = command(one, Path("."), None, "", f"vdma.seed=0x1 vdma.steps={','.join(steps)}")
    at = words.index("-append")
    # The report goes to the console, where LAVA reads it.
    append = re.sub(r" vdma\.report=\S+", "", words[at + 1])
    extra, images = [], {
        "kernel": {"image_arg": f'-kernel {{kernel}} --append "{append}"',
                   "url": f"{place}/{Path(machine['image']).name}"},
        "ramdisk": {"image_arg": "-initrd {ramdisk}", "url": f"{place}/initrd"}}
    for word in words[at + 2:]:
        file = re.search(r"(?:file|filename)=/(\w+)\.img", word)
        if file:
            images[file[1]] = {"image_arg": f"{extra.pop()} " + word.replace(
                f"/{file[1]}.img", f"{{{file[1]}}}"), "url": f"{url}/{file[1]}.img"}
        else:
            extra.append(word)
    modes = {"phys", "access_platform", "platform_dma", "xen", "arch"}
    return {
        "job_name": f"virtio platform DMA: {one['name']} on {base}", "device_type": "qemu",
        "visibility": "public", "priority": "medium",
        "timeouts": {"job": {"minutes": 15}, "action": {"minutes": 5}},
        "context": {"arch": {"ppc64le": "ppc64"}.get(one["arch"], one["arch"]),
                    "machine": ",".join([machine["machine"], *one.get("machine_options", [])]),
                    "cpu": machine["cpu"], "memory": one["memory"].rstrip("M"),
                    "extra_options": ["-nodefaults", "-serial", "mon:stdio", "-smp",
                                      str(one["cpus"]), *extra]},
        "actions": [
            {"deploy": {"to": "tmpfs", "images": images}},
            {"boot": {"method": "qemu", "media": "tmpfs", "prompts": ["as init process"],
                      "timeout": {"minutes": 5}}},
            {"test": {"timeout": {"minutes": 5}, "monitors": [{
                "name": one["name"], "start": "vdma hello", "end": "reboot: Power down",
                "pattern": r"(?P<test_case_id>virtio_\w+|done) (mode|errors)=(?P<result>\w+)",
                "fixupdict": {mode: "pass" if mode in {one["mode"], *one["modes"].values()}
                              else "fail" for mode in sorted(modes)}
                | {"0": "pass"} | {str(n): "fail" for n in range(1, 10)}}]}}]}


FORMATS = {"github": github, "lava": lava}


def write(form, folder, url):
    """Write the jobs of a format; return their files."""
    if form not in FORMATS:
        raise Fail(f"unknown format '{form}'", f"there are: {', '.join(FORMATS)}")
    if folder.exists() and any(folder.iterdir()):
        raise Fail(f"{folder} is not empty", "name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_entry(folder) as new:
        for name, job in FORMATS[form](url):
            (new / name).write_text("# SPDX-License-Identifier: GPL-2.0-only\n"
                                    + yaml(job).lstrip("\n") + "\n")
    return sorted(folder.iterdir())


def play(one, job, folder):
    """Run a job as LAVA does: what passed, and the console."""
    proof.require_qemu(one)
    built = kernel.build(Base(one["base"]), one["machine"], "vdma")
    files = {"kernel": built / Path(one["machine"]["image"]).name,
             "ramdisk": guest.build(one["machine"], built), "disk": images() / "disk.img",
             "entropy": images() / "entropy.img"}
    context, (deploy, _, test) = job["context"], job["actions"]
    cmd = [one["machine"]["qemu"], "-M", context["machine"], "-cpu", context["cpu"], "-m",
           context["memory"], *context["extra_options"], "-nographic", "-snapshot", "-no-reboot"]
    for image in deploy["deploy"]["images"].values():
        cmd += [word.format(**files) for word in shlex.split(image["image_arg"])]
    result = subprocess.run(cmd, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=False, timeout=SILENCE * 3)
    monitor = test["test"]["monitors"][0]
    text = result.stdout.partition(monitor["start"])[2].partition(monitor["end"])[0]
    return {m["test_case_id"] for m in re.finditer(monitor["pattern"], text)
            if monitor["fixupdict"][m["result"]] == "pass"}, result.stdout[-1500:] + result.stderr


# What the system's Python, which has the packages, says of a folder of jobs.
JUDGE = """
import pathlib, sys, yaml
from lava_common import schemas
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    schemas.validate(yaml.safe_load(path.read_text()), strict=True)
"""
PARSE = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"


def tests():
    """LAVA's own schema takes every job; the workflow says what was meant to be said."""
    need(["python3-yaml", "python3-voluptuous"])
    schemas = tool("lava", ["deb SITE bookworm main"], lambda apt, new: run(
        "dpkg-deb", "-x", apt.binary("lava-common", "0.1 MB"), new))

    def judge(folder):
        result = subprocess.run(
            ["/usr/bin/python3", "-c", JUDGE, folder], capture_output=True, text=True, check=False,
            env={"PYTHONPATH": str(schemas / "usr/lib/python3/dist-packages"), "PATH": "/usr/bin"})
        return result.returncode == 0, result.stderr[-600:]

    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        files = write("lava", Path(temp) / "lava", "https://example.org/vdma")
        good, said = judge(files[0].parent)
        files[0].write_text(files[0].read_text().replace("image_arg:", "image_argument:"))
        bad, noise = judge(files[0].parent)
        one = scenario.pick([scenario.DEFAULT])[0]
        results, console = play(one, lava_job(scenario.BASE, one, ["devices", "read"], ""), temp)
        other, _ = play(one, lava_job(scenario.BASE, one | {"mode": "arch"}, ["devices"], ""), temp)
        yield "jobs: lava", [
            (f"its schema takes {len(files)} jobs", good and len(files) > 20, said),
            ("control: a damaged one is refused", not bad and "image_arg" in noise, noise),
            (f"{one['name']} passes as its job says", results == {
                "done", *(f"virtio_{name}" for name in one["devices"])}, console),
            ("control: not if another mode is wanted", other == {"done"}, other)]
        path, = write("github", Path(temp) / "github", "")
        read = json.loads(subprocess.run(
            ["/usr/bin/python3", "-c", PARSE], input=path.read_text(), capture_output=True,
            text=True, check=True).stdout)
        _, meant = next(github(""))
        # YAML 1.1 takes "on" for a truth value, GitHub does not.
        read["on"] = read.pop("true", read.get("on"))
        yield "jobs: github", [
            ("a parser reads what was written", read == meant, f"{read}\n{meant}"),
            ("one job per base and machine", len(read["jobs"]["test"]["strategy"]["matrix"]
             ["include"]) == 3 * len(bases.names()) + 1, read)]

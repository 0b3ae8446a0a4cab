# SPDX-License-Identifier: GPL-2.0-only
"""The jobs that we write are what their engines take, and what they run is judged rightly."""
import copy
import json
import re
import subprocess
import tempfile
from pathlib import Path

from ...core.apt import tool
from ...core.cache import ROOT
from ...core.packages import need
from ...core.process import run
from ...model import scenario
from ...model.check import Check
from ...patches.base import Base, names
from ...build import guest, kernel
from ...flows import runner
from . import github, lava

# The packages are for Debian's Python, whichever comes first here.
PYTHON = ("/usr/bin/python3", "-P")
PACKAGES = [f"python3-{name}" for name in (
    "configobj", "jinja2", "magic", "netifaces", "pexpect", "pyudev", "requests", "tz",
    "voluptuous", "yaml")]
LOAD = """import json, sys, yaml
print(json.dumps([yaml.safe_load(open(name)) for name in sys.argv[1:]]))"""
# LAVA itself is unpacked aside: its packages bring the daemons of a farm.
LAVA, SUITE = ("common", "dispatcher", "dispatcher-host", "server"), ["deb SITE bookworm main"]


def tests():
    """What "./vdma test" takes of it."""
    need(PACKAGES)
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        yield "jobs for GitHub Actions", list(hosted(Path(folder) / "github"))
        yield "jobs for LAVA", list(farmed(Path(folder)))


def parsed(files):
    return json.loads(run(*PYTHON, "-c", LOAD, *files))


def complaints(flow):
    """What GitHub or our own command line would refuse of a workflow."""
    known = set(re.findall(r"--\w+", run(ROOT / "vdma", "test", "--help")))
    if {"name", "on", "permissions", "jobs"} != set(flow):
        yield f"keys {sorted(map(str, flow))}"
    for name, job in flow.get("jobs", {}).items():
        lost = {"runs-on", "steps", "strategy"} - set(job)
        if lost:
            yield f"{name}: without {sorted(lost)}"
            continue
        rows, text = job["strategy"]["matrix"]["include"], json.dumps(job)
        for key in set(re.findall(r"matrix\.(\w+)", text)):
            if not all(key in row for row in rows):
                yield f"{name}: the matrix has no {key}"
        for row in rows:
            for option in set(re.findall(r"--\w+", row.get("only", ""))) - known:
                yield f"{name}: './vdma test' has no {option}"
        for step in job["steps"]:
            if len({"uses", "run"} & set(step)) != 1:
                yield f"{name}: a step that is not one thing: {step}"
            elif not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1")):
                yield f"{name}: no action: {step['uses']}"
            ours = step.get("run", "").partition("./vdma test ")[2]
            for option in set(re.findall(r"--\w+", ours)) - known:
                yield f"{name}: './vdma test' has no {option}"
        kept = [step["with"].get("path") for step in job["steps"]
                if "upload-artifact" in step.get("uses", "")]
        if not kept or kept != re.findall(r"--junit ([\w.]+)", text):
            yield f"{name}: the results are not kept"


def hosted(folder):
    made, _ = github.make("github")
    flow = parsed(github.write(made, folder))[0]
    yield Check.of("YAML brings back what was meant", flow == made["vdma.yml"], flow)
    yield Check.of("it is a workflow of GitHub Actions", not list(complaints(flow)), list(complaints(flow)))
    only = [row["only"] for row in flow["jobs"]["test"]["strategy"]["matrix"]["include"]]
    machines = [path.stem for path in (ROOT / "lab" / "arch").glob("*.toml")]
    yield Check.of("each base meets each machine", sorted(only) == sorted(["", *(
        f"--base {base} --arch {machine}" for base in names() for machine in machines)]), only)
    wrong = "./vdma test --bases 6.12 --junit results.xml"
    for where, key, value in (((), "runs-on", None), (("steps", 1), "run", "true"),
                              (("steps", 1), "uses", "checkout"), (("steps", 3), "run", wrong),
                              (("steps", 4, "with"), "path", "result.xml"),
                              (("strategy", "matrix", "include", 2), "only", None)):
        damaged = copy.deepcopy(flow)
        part = damaged["jobs"]["test"]
        for step in where:
            part = part[step]
        part[key] = value
        if value is None:
            del part[key]
        yield Check.of(f"control: refused with {key} {'gone' if value is None else 'as ' + value}",
                       len(list(complaints(damaged))) == 1, list(complaints(damaged)))


def unpack(apt, new):
    for name in LAVA:
        run("dpkg-deb", "-x", apt.binary(f"lava-{name}", "LAVA's own code"), new)


def dispatch(*args):
    """LAVA's own code on job definitions: its exit status, its results, and what it said."""
    result = subprocess.run([*PYTHON, ROOT / "lab" / "flows" / "jobs" / "lava_run.py",
                             tool("lava-dispatcher", SUITE, unpack), *args], text=True,
                            capture_output=True, check=False, stdin=subprocess.DEVNULL)
    cases = dict(json.loads(line) for line in result.stdout.splitlines())
    return result.returncode, cases, f"{cases}\n{result.stderr[-2000:]}"


def job_of(one):
    """The job of a scenario whose files are here; builds them."""
    one = runner.with_qemu(one)
    base = Base(one["base"])
    built = kernel.build(base, one["machine"], "series")
    image = built / Path(one["machine"]["image"]).name
    return lava.definition(one, "series", image.as_uri(),
                           guest.build(one["machine"], built, base).as_uri())


def play(job, folder):
    """Run a job as a worker of a farm does."""
    folder.mkdir()
    return dispatch("run", *github.write({"job.yaml": job}, folder / "job"), folder)


def farmed(folder):
    made, left = github.make("lava", "https://farm.invalid")
    files = github.write(made, folder / "lava")
    yield Check.of("YAML brings back what was meant", parsed(files) == list(made.values()), "")
    status, _, said = dispatch("schema", *files)
    yield Check.of(f"LAVA's schema takes all {len(files)}", status == 0 and bool(files), said)
    every = {f"{base} {name}": one["companion"] for base in names()
             for name, one in scenario.load(base).items()}
    have = {" ".join(job["job_name"].split()[1:3]) for job in made.values()}
    yield Check.of("each scenario has a job, or a reason: the companion's have", have ^ set(left)
           == set(every) and not any(every[name] for name in have), f"{sorted(have)}; {left}")
    # One on each machine that every run boots: LAVA has ideas of its own of each.
    fit = [one for one in scenario.load().values() if not (lava.unfit(one) or one["slow"])]
    for one in {one["arch"]: one for one in reversed(fit)}.values():
        job, cases = job_of(one), dict(lava.expected(one, "series"))
        status, results, said = play(job, folder / one["name"])
        yield Check.of(f"LAVA's dispatcher boots {one['name']}: {len(cases)} cases pass",
                       status == 0 and results == dict.fromkeys(cases, "pass"), said)
    for key in ("visibility", "timeouts", "actions"):
        damaged = {k: v for k, v in job.items() if k != key}
        status, _, said = dispatch("schema", *github.write({"job.yaml": damaged}, folder / key))
        yield Check.of(f"control: its schema refuses one without {key}", status == 1 and key in said, said)
    stock = kernel.build(Base(one["base"]), one["machine"], "stock")
    image = stock / Path(one["machine"]["image"]).name
    job["actions"][0]["deploy"]["images"]["kernel"]["url"] = image.as_uri()
    status, results, said = play(job, folder / "stock")
    yield Check.of("control: on a kernel without the series the first case fails",
                   status == 1 and results.get(next(iter(cases))) == "fail", said)

# SPDX-License-Identifier: GPL-2.0-only
"""Jobs for engines that have more machines: a matrix for GitHub Actions, definitions for LAVA."""
import json
import re

from ...core.errors import Fail
from ...model import scenario
from ...patches.base import names
from . import lava

# Entries of these are named after what went into them: an old one is never a
# wrong one. The sources are as quick to fetch from Debian.
KEPT = ("kernel", "guest", "images", "qemu", "tools")
SOURCES = ("series", "drivers", "include", "Documentation", "bases", "qemu", "lab/arch",
           "lab/guest", "lab/variants")
# To YAML they are not text.
WORDS = ("on", "off", "yes", "no", "true", "false", "null", "y", "n")


def scalar(value):
    """A value as YAML has it: a word as it is, everything else as JSON."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w ./-]*(?<! )", value)
    return value if plain and value.lower() not in WORDS else json.dumps(value)


def emit(data):
    """The lines of a YAML document."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            if isinstance(value, (dict, list)) and value:
                yield f"{scalar(key)}:"
                yield from ("  " + line for line in emit(value))
            elif isinstance(value, str) and "\n" in value:
                yield f"{scalar(key)}: |-"
                yield from ("  " + line for line in value.splitlines())
            else:
                yield f"{scalar(key)}: {scalar(value)}"
    elif isinstance(data, list) and data:
        for value in data:
            first, *rest = emit(value)
            yield f"- {first}"
            yield from ("  " + line for line in rest)
    else:
        yield scalar(data)


def document(data):
    return "# Made by './vdma jobs' of lab/scenarios/: change it there.\n" \
        + "\n".join(emit(data)) + "\n"


def matrix():
    """What a job tests: a base on a machine that has scenarios there, or the default."""
    both = [(base, arch) for base in names()
            for arch in sorted({one["arch"] for one in scenario.load(base).values()})]
    return [{"name": f"{base}-{arch}", "only": f"--base {base} --arch {arch}"}
            for base, arch in both] + [{"name": "default", "only": ""}]


def github():
    """A workflow: a job per base and machine, and the default."""
    key = "vdma-${{ matrix.name }}-"
    files = ", ".join(f"'{folder}/**'" for folder in SOURCES)
    steps = [
        {"name": "What the checkout needs", "run":
         "apt-get update\napt-get install -y --no-install-recommends ca-certificates git python3\n"
         'git config --global --add safe.directory "$PWD"'},
        {"uses": "actions/checkout@v4"},
        {"uses": "actions/cache@v4", "with": {
            "path": "\n".join(f"/var/cache/vdma/{name}" for name in KEPT),
            "key": f"{key}${{{{ hashFiles({files}) }}}}", "restore-keys": key}},
        {"run": "./vdma test ${{ matrix.only }} --junit results.xml"},
        {"uses": "actions/upload-artifact@v4", "if": "${{ !cancelled() }}", "with": {
            "name": "results-${{ matrix.name }}", "path": "results.xml"}}]
    return {"name": "vdma", "on": {"push": {}, "pull_request": {}, "workflow_dispatch": {}},
            "permissions": {"contents": "read"},
            "jobs": {"test": {"name": "${{ matrix.name }}",
                              "runs-on": "ubuntu-latest",
                              # Some tests mount, and some do without a network.
                              "container": {"image": "debian:12", "options": "--privileged"},
                              "timeout-minutes": 350, "env": {"VDMA_CACHE": "/var/cache/vdma"},
                              "strategy": {"fail-fast": False, "matrix": {"include": matrix()}},
                              "steps": steps}}}


FORMATS = {"github": lambda _: ({"vdma.yml": github()}, {}), "lava": lava.definitions}


def make(form, url=None):
    """The jobs of a format by file name, and why scenarios are left out."""
    if form not in FORMATS:
        raise Fail(f"unknown format '{form}'", f"there are: {', '.join(FORMATS)}")
    return FORMATS[form](url)


def write(made, folder):
    """Write jobs; return the files."""
    if folder.exists() and any(folder.iterdir()):
        raise Fail(f"{folder} is not empty", "name another folder")
    texts = {folder / name: document(data) for name, data in made.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text)
    return list(texts)

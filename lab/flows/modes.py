# SPDX-License-Identifier: GPL-2.0-only
"""README's table of modes: what the boots of a test run showed, not what they should."""
from ..core.cache import cache, ROOT
from ..core.errors import Fail
from ..judge import checks

BITS = ("ACCESS_PLATFORM", "PLATFORM_DMA")
LAST = "modes.md"


def seen(run):
    """A row of the table: machine, bits offered, whose kernel, and each device's mode."""
    view, said = next(iter(run.views.values())), checks.devices(run)
    bits = {checks.ALIAS.get(bit, bit) for device in view["devices"].values()
            for bit in device["offered"]}
    modes = {}
    for name, device in view["devices"].items():
        modes[name] = said[name]["mode"]
        if modes[name] == "-":  # It cannot say; the host can.
            modes[name] = "*physical*" if all(
                checks.in_ram(view, a) for a in checks.addresses(device)) else "*translated*"
    offered = " and ".join(bit for bit in BITS if bit in bits) or "neither"
    return run.scenario["row"], offered, "no" if run.kind == "stock" else "yes", modes


def table(rows):
    """The rows as Markdown; several boots of a machine may each have a part of its devices."""
    merged = {}
    for *key, modes in rows:
        merged.setdefault(tuple(key), {}).update(modes)
    names = list(dict.fromkeys(name for modes in merged.values() for name in modes))
    lines = [["machine", "bit offered", "series", *names], ["---"] * (3 + len(names))]
    lines += [[*key, *(modes.get(name, "") for name in names)]
              for key, modes in sorted(merged.items())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def last():
    path = cache() / LAST
    if not path.exists():
        raise Fail("no test run has made the table", "run './vdma test'")
    return path.read_text()


def tests(rows):
    """The README must show what was seen; keep that for whoever updates it."""
    text = table(rows)
    (cache() / LAST).write_text(text)
    yield "README: the table of modes", [
        ("it is what this run saw", text in (ROOT / "README.md").read_text(),
         f"'./vdma table' prints it:\n{text}")]

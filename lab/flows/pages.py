# SPDX-License-Identifier: GPL-2.0-only
"""The parts of the pages that the lab writes: each is a block between two marks."""
import tomllib

from ..core.cache import ROOT
from ..core.errors import Fail
from ..model.scenario import BASE, KEYS, load
from ..patches import series
from ..patches.base import Base, names
from ..patches.qemu import COMPANION, Qemu

END = "<!-- end -->\n"


def cut(page, name):
    """A page, cut at the marks of a block: what is before it, the block, what is after it."""
    mark = f"<!-- {name}: './vdma docs' writes this -->\n"
    before, found, rest = (ROOT / page).read_text().partition(mark)
    block, end, after = rest.partition(END)
    if not (found and end):
        raise Fail(f"{page} has no block '{name}'", f"it is between '{mark.strip()}' and"
                   f" '{END.strip()}'")
    return before + found, block.strip("\n") + "\n", end + after


def shown(page, name):
    return cut(page, name)[1]


def put(page, name, text):
    """Write a block; return whether that changes the page."""
    before, old, after = cut(page, name)
    (ROOT / page).write_text(f"{before}\n{text}\n{after}")
    return old != text


def markdown(rows):
    """A table: the first row is its head."""
    return "".join(f"| {' | '.join(row)} |\n" for row in [rows[0], ["---"] * len(rows[0]),
                                                         *rows[1:]])


def upstream_files():
    """Which entries of the series change which files of upstream, on whatever base."""
    found = {}
    for entry in series.folders(Base(BASE)):
        own = {*entry.adds, *entry.creates()}
        for path in {path for base in names() if not entry.missing(base)
                     for path in entry.edits(base)} - own:
            found.setdefault(path, []).append(entry.name)
    together = {}
    for path, entries in sorted(found.items()):
        together.setdefault(tuple(entries), []).append(f"`{path}`")
    return markdown([("file of upstream", "entries"), *sorted(
        (", ".join(paths), ", ".join(entries)) for entries, paths in together.items())])


def sets():
    return markdown([("set", "what it is good for", "commits", "needs", "proven by"), *(
        (f"`{name}`", data["about"], ", ".join(data["commits"]), ", ".join(data.get("needs", ())),
         f"`{data['scenario']}`") for name, data in series.every_set(Base(BASE)).items())])


def shown_by(proof):
    """The command that shows an answer: it boots scenarios, or is another one."""
    if proof.startswith("./vdma "):
        return f"`{proof}`"
    newest = any(load(BASE)[name]["missing"] for name in proof.split())
    return f"`./vdma boot {proof}{' --base mainline' if newest else ''}`"


def sent():
    """What is sent, by name, with what may be said of it: all series, and the sets of two."""
    yield from series.every_set(Base(BASE)).items()
    yield from ((f"QEMU: {name}", one) for name, one in series.every_set(Qemu(COMPANION)).items())
    yield from ((name, tomllib.loads((ROOT / name / "answers.toml").read_text()))
                for name in ("swiotlb", "spec"))


def answers():
    return markdown([("set", "they may say", "the answer", "shown by"), *(
        (f"`{name}`", question, answer, shown_by(proof))
        for name, data in sent() for question, answer, proof in data["answers"])])


def scenario_keys():
    return markdown([("key", "meaning"), *((f"`{key}`", text) for key, text in KEYS.items())])

# SPDX-License-Identifier: GPL-2.0-only
"""The drop-in, from its headers to the boot of a package of Debian's source."""
import re
import tempfile
from pathlib import Path

from ...model import scenario
from ...model.check import Check
from ...patches import series
from ...patches.base import Base
from ...patches.debian import write
from ...build import kernel, package
from ...flows import runner

# DEP-3, by the names that it allows for patches that git wrote.
FIELDS = ("From", "Date", "Subject", "Forwarded", "Last-Update")


def lacks(patch):
    """The fields of DEP-3 that a patch does not have."""
    head = patch.partition("\n\n")[0]
    return [field for field in FIELDS if not re.search(rf"^{field}: \S", head, re.M)]


def tests(name):
    """The drop-in, from its headers to the boot of its package."""
    base = Base(name).fetch()
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        drop = Path(temp) / "drop"
        patches = write(base, drop)
        text = patches[0].read_text()
        yield f"{name}: drop-in: headers", [
            *(Check.of(p.name, not lacks(p.read_text()), lacks(p.read_text())) for p in patches),
            Check.of("control: a lost one is noticed", lacks(text.replace("Forwarded:", "X:")) ==
                     ["Forwarded"], lacks(text))]
        one = scenario.pick([scenario.DEFAULT], name)[0]
        config = kernel.required(base, one["machine"]) + kernel.config("series")
        image = package.build(base, one["machine"], drop, config)
    yield (f"{name}: drop-in: boot {one['name']} on {(image / 'name').read_text().strip()}",
           runner.prove(runner.Boot(one, "series", image=image))[1])


def alone(name):
    """Each set, without the rest of the series."""
    base = Base(name).fetch()
    for only, data in series.sets(base).items():
        one = scenario.pick([data["scenario"]], name)[0]
        yield f"{name}: {only} alone: boot {one['name']}", runner.prove(
            runner.Boot(one, f"only:{only}"))[1]

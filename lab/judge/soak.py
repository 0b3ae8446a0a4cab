# SPDX-License-Identifier: GPL-2.0-only
"""Steps that were done at random: all of them, as the seed says, and nothing grew meanwhile."""
import errno

from ..model.check import Check
from ..model.storm import draws

# KiB that the kernel may keep more: caches fill.
GROWTH = 512
# Objects of a cache that there may be more of at the end. A kind of event that loses one each time
# loses twice as many at least, as there are five kinds. Seen: 6 in pci-soak.
FEW = 16
# What the kernel keeps to use it again, or gives back when there is much of it: IOVAs by their
# size, names of files, and areas of vmalloc(). Seen: 16 in smmu-mmio-legacy-soak, and 29 names.
CACHED = {"iommu_iova": 64, "dentry": 64, "vmap_area": 8192}


def survey(record):
    for step in record.scenario["steps"]:
        name, *words = step.split(":", 4)
        if name == "soak":
            yield from soaked(record, int(words[0]), int(words[1]), words[3].split("+"))


def soaked(record, events, seed, kinds):
    found, draw = record.all("soak"), draws(seed)
    done = [one["event"] for one in record.all("soaked")]
    yield Check("soak.events", f"the guest does {events} steps at random, as the seed says",
                [int(f["events"]) for f in found] == [events]
                and done == [kinds[draw(len(kinds))] for _ in range(events)], found or done[-1:])
    plugs = [event.split(":")[1] for event in done if event.startswith("hotplug:")]
    if any(kind.startswith("hotplug:") for kind in kinds):
        taken = [(t["device"], int(t["errno"])) for t in record.all("taken")]
        yield Check("soak.unplugged", "the host takes devices that work, and gives them back",
                    bool(plugs) and [device for device, _ in taken] == plugs
                    and not {0, errno.ETIMEDOUT} & {error for _, error in taken}, taken)
    kept = {one["when"]: {key: int(value) for key, value in one.items() if key != "when"}
            for one in record.all("kept")}
    before, after = (kept.get(when, {}) for when in ("before", "after"))
    both = len(kept) == 2
    yield Check("soak.kept", "the kernel keeps no more memory at the end than after a tenth of them",
                both and 0 < after["unreclaimable"] <= before["unreclaimable"] + GROWTH
                and before["unreclaimable"] > 0, kept)
    yield Check("soak.mapped", "nor more slots of the bounce pool, or mappings that DMA_API_DEBUG lists",
                both and all(before[key] >= after[key] for key in ("slots", "mappings")), kept)
    grown = [(one["slab"], int(one["after"]) - int(one["before"])) for one in record.all("grown")]
    yield Check("soak.slabs", "nor more objects of any slab cache, IOVAs among them",
                both and before["slabs"] > 0 and all(more <= CACHED.get(slab, FEW)
                                                     for slab, more in grown),
                sorted(grown, key=lambda one: -one[1])[:5])

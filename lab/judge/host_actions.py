# SPDX-License-Identifier: GPL-2.0-only
"""What was done to a guest while its devices worked, or to a device: whether it took that."""
import errno

from ..model.check import Check
from ..model.media import entropy_image
from ..model.record import digest
from .disk import working
from .modes import mode_of

# The least that the guest keeps of its canary, in pages: of its own, of a file, of a pipe.
KEPT = 768


def survey(record):
    steps = [step.split(":") for step in record.scenario["steps"]]
    words = sum(steps, [])
    for _, device, rounds in (s for s in steps if s[0] == "hotplug"):
        taken = [int(t["errno"]) for t in record.all("taken") if t["device"] == device]
        yield Check(f"{device}.unplugged",
                    f"{device}: I/O ends with an error each time that it is unplugged",
                    len(taken) == int(rounds) and not {0, errno.ETIMEDOUT} & set(taken), taken)
    if "flr" in words:
        yield reset(record, int(words[words.index("flr") + 1]))
    for device in dict.fromkeys(s[1] for s in steps if s[0] == "vfio"):
        yield from lent(record, device, sum(s == ["vfio", device] for s in steps))
    images = [*working(record)]
    if images:
        yield from loaded(record, images)
    if "offline" in words:
        cpus = record.scenario["cpus"]
        found = [(int(o["cpus"]), o["online"]) for o in record.all("offline")]
        yield Check("cpus.back", "every CPU but the first goes while devices work, and comes back",
                    found == [(cpus, f"0-{cpus - 1}")] * words.count("offline"), found)
    if "canary" in words:
        yield from searched(record, words.count("canary"))
    if "restart" in words:
        yield restarted(record)


def loaded(record, images):
    """What the devices did meanwhile came right."""
    wanted = {"blk": images, "share": [digest(entropy_image())] * len(images)}
    for name in record.scenario["devices"]:
        works = [w for w in record.all("loaded") if w["device"] == name]
        yield Check(f"{name}.loaded", f"{name}: works on while the host acts on the guest, and"
                    " its data is right", len(works) == len(images)
                    and all(int(w["rounds"]) for w in works)
                    and [w["sha256"] for w in works] == wanted.get(name, [w["sha256"] for w in works]),
                    works)


def reset(record, rounds):
    """The function reset itself, and the driver did not notice more than that."""
    done = record.all("flr")
    return Check("blk.flr", "blk: its PCI function is reset while it works",
                 [(d["rounds"], d["method"][:3]) for d in done] == [(str(rounds), "flr")], done)


def lent(record, device, rounds):
    """A program had the device, at an address of its own, and the driver came back to it."""
    found = [v for v in record.all("vfio") if v["device"] == device]
    answers = [v["bytes"] for v in found]
    yield Check(f"{device}.vfio", f"{device}: a program opens it by vfio, maps memory, resets it"
                + (" and draws the host's bytes from it" if device == "rng" else ""),
                [v["driver"] for v in found] == ["vfio-pci"] * rounds
                and all(len(a) == 64 and bytes.fromhex(a) in entropy_image()
                        for a in answers if device == "rng"), found)
    wanted = (mode_of(record, device), record.scenario.get("domain"))
    found = [(r["mode"], r["domain"]) for r in record.all("returned") if r["device"] == device]
    yield Check(f"{device}.returned", f"{device}: its driver is back, in mode {wanted[0]} and"
                f" IOMMU domain {wanted[1]}", found == [wanted] * rounds, found)


def restarted(record):
    reason = record.scenario["unsaved"]
    if reason:
        return Check("restart.refused", f"QEMU refuses to save the guest: {reason}",
                     reason in record.refusal, record.refusal)
    before, after = (record.views.get(name, {}).get("devices") for name in ("saved", "restarted"))
    return Check("restart.same", "another QEMU has the devices as they were",
                 bool(before) and before == after, f"{before}, {after}; {record.refusal}")


def searched(record, count):
    """No page that devices can read holds what is in private memory."""
    yield Check("canary.kept", "the guest's canary is found in its private memory",
                len(record.searches) == count and all(n >= KEPT for n, _ in record.searches),
                record.searches)
    exposed = [hex(page) for _, pages in record.searches for page in pages]
    yield Check("canary.hidden", "no page that devices can read holds the canary", not exposed,
                exposed[:8])

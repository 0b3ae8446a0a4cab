# SPDX-License-Identifier: GPL-2.0-only
"""What was done to a guest while its devices worked: whether it took that."""
import errno

from ..model.check import Check
from ..model.media import entropy_image
from ..model.record import digest
from .data import written

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
    # What works when the guest crashes cannot tell.
    count = sum(s[0] == "loaded" and s[1] != "crash" for s in steps)
    if count:
        yield from loaded(record, count)
    if "canary" in words:
        yield from searched(record, words.count("canary"))
    if "restart" in words:
        yield restarted(record)


def loaded(record, count):
    """What the devices did meanwhile came right."""
    wanted = {"blk": written(record), "share": digest(entropy_image())}
    for name in record.scenario["devices"]:
        works = [w for w in record.all("loaded") if w["device"] == name]
        yield Check(f"{name}.loaded", f"{name}: works on while the host acts on the guest, and"
                    " its data is right", len(works) == count
                    and all(int(w["rounds"]) for w in works)
                    and (name not in wanted
                         or {w["sha256"] for w in works} == {wanted[name]}), works)


def reset(record, rounds):
    """The function reset itself, and the driver did not notice more than that."""
    done = record.all("flr")
    return Check("blk.flr", "blk: its PCI function is reset while it works",
                 [(d["rounds"], d["method"][:3]) for d in done] == [(str(rounds), "flr")], done)


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

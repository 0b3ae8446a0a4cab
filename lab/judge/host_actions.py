# SPDX-License-Identifier: GPL-2.0-only
"""What was done to a guest while its devices worked: whether it took that."""
import errno
import hashlib

from .data import written

# The least that the guest keeps of its canary, in such pages: of its own, of a file, of a pipe.
KEPT = 768


def survey(run):
    steps = [s.split(":") for s in run.scenario["steps"]]
    for _, device, rounds in (s for s in steps if s[0] == "hotplug"):
        taken = [int(t["errno"]) for t in run.all("taken") if t["device"] == device]
        yield (f"{device}: I/O ends with an error each time that it is taken",
               len(taken) == int(rounds) and not {0, errno.ETIMEDOUT} & set(taken), taken)
    if any(s[0] == "loaded" for s in steps):
        yield from loaded(run)
    if "canary" in sum(steps, []):
        yield from searched(run, sum(steps, []).count("canary"))
    if "restart" in sum(steps, []):
        yield from restarted(run)


def loaded(run):
    """What the devices did meanwhile came right."""
    digest = hashlib.sha256(written(run)).hexdigest()
    count = sum(s.startswith("loaded:") for s in run.scenario["steps"])
    for name in run.scenario["devices"]:
        works = [w for w in run.all("loaded") if w["device"] == name]
        yield (f"{name}: works on, and right, whatever is done to the guest",
               len(works) == count and all(int(w["rounds"]) for w in works)
               and (name != "blk" or {w["sha256"] for w in works} == {digest}), works)


def restarted(run):
    if run.scenario["unsaved"]:
        yield (f"QEMU refuses to save the guest: {run.scenario['unsaved']}",
               run.scenario["unsaved"] in run.refusal, run.refusal)
        return
    before, after = (run.views.get(name, {}).get("devices") for name in ("saved", "restarted"))
    yield ("another QEMU has the devices as they were", bool(before) and before == after,
           f"{before}, {after}; {run.refusal}")


def searched(run, count):
    """What is in private memory is in no page that devices can read."""
    yield ("the guest's canary is found in its private memory",
           len(run.searches) == count and all(n >= KEPT for n, _ in run.searches), run.searches)
    yield ("no page that devices can read has the canary",
           not any(exposed for _, exposed in run.searches),
           [hex(page) for _, exposed in run.searches for page in exposed][:8])

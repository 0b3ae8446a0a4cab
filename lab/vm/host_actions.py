# SPDX-License-Identifier: GPL-2.0-only
"""What is done to a guest while its devices work, and whether it took that."""
import hashlib
import re
from errno import ETIMEDOUT

from ..core.host import Fail
from .host_view import observe
from .media import pattern, written

PAGE = 4096
# The least that the guest keeps of its canary, in such pages: of its own, of a file, of a pipe.
KEPT = 768


def take(_, machine, device):
    """Ask the guest for a device."""
    machine.qmp("device_del", id=device)


def give(_, machine, device):
    """Once the guest has let go of a device, plug in one that is the same."""
    def gone():
        machine.qmp("query-status")
        found = [e for e in machine.events
                 if e["event"] == "DEVICE_DELETED" and e["data"].get("device") == device]
        machine.events = [e for e in machine.events if e not in found]
        return found

    machine.wait(f"{device} is gone", gone)
    options = list(zip(machine.cmd, machine.cmd[1:]))
    words = next(v for o, v in options if o == "-device" and f",id={device}," in v)
    # A drive goes with its device.
    if drive := re.search(r"drive=(\w+)", words):
        machine.hmp("drive_add 0 " + next(
            v for o, v in options if o == "-drive" and f"id={drive[1]}," in v))
    said = machine.hmp(f"device_add {words}")
    if said:
        raise Fail(f"QEMU does not plug in {device}: {said.strip()}")


def pause(run, machine):
    """Stop the machine, and look at it meanwhile."""
    machine.qmp("stop")
    run.views["paused"] = observe(machine, run.scenario, run.kernel)
    machine.qmp("cont")


def restart(run, machine):
    """Save the guest, kill QEMU, and go on with another one, which must show the same."""
    def saved():
        status = machine.qmp("query-migrate").get("status")
        return status in ("completed", "failed") and status

    state = machine.folder / "state"
    try:
        machine.qmp("migrate", uri=f"exec:cat > {state}")
    except Fail as err:
        run.refusal = str(err)
        return
    if machine.wait("the guest is saved", saved) == "failed":
        run.refusal = machine.qmp("query-migrate").get("error-desc", "")
        return
    run.views["saved"] = observe(machine, run.scenario, run.kernel)
    if run.scenario["after"]:
        machine.cmd = [f"{word},{run.scenario['after']}" if word.startswith("virtio-") else word
                       for word in machine.cmd]
    machine.restart(state)
    run.views["restarted"] = observe(machine, run.scenario, run.kernel)
    machine.qmp("cont")


def search(run, machine):
    """Look through all memory for the guest's canary."""
    machine.qmp("stop")
    shared = [(s["base"], s["base"] + s["size"]) for s in machine.ultravisor()["shared"]]
    found = {page for low, high in machine.ram()
             for page in pages(machine.memory(low, high + 1 - low), canary(run.seed), low)}
    machine.qmp("cont")
    exposed = {page for page in found if any(low <= page < high for low, high in shared)}
    run.searches.append((len(found - exposed), sorted(exposed)))


def canary(seed):
    """The two words that the guest fills memory with."""
    words = pattern(~seed & (1 << 64) - 1, 16)
    return words[:8], words[8:]


def pages(data, words, base):
    """The addresses of the pages in which one of the words is."""
    for word in words:
        at = data.find(word)
        while at >= 0:
            yield base + at - at % PAGE
            at = data.find(word, at - at % PAGE + PAGE)


# What the guest asks for, and waits until it is done.
HELP = {"take": take, "give": give, "pause": pause, "restart": restart,
        "search": search}


def survey(run):
    steps = [s.split(":") for s in run.scenario["steps"]]
    for _, device, rounds in (s for s in steps if s[0] == "hotplug"):
        taken = [int(t["errno"]) for t in run.all("taken") if t["device"] == device]
        yield (f"{device}: I/O ends with an error each time that it is taken",
               len(taken) == int(rounds) and not {0, ETIMEDOUT} & set(taken), taken)
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

# SPDX-License-Identifier: GPL-2.0-only
"""What the host does to a guest while its devices work, when the guest asks for it."""
import re

from ..core.errors import Fail
from ..model.media import KEYS, pattern, presses, SCREEN
from ..model.record import digest

PAGE = 4096


def take(_, machine, device):
    """Ask the guest for a device."""
    machine.qmp("device_del", id=device)


def give(_, machine, device):
    """Once the guest has let go of a device, plug in one that is the same."""
    def gone():
        machine.qmp("query-status")
        found = [e for e in machine.events
                 if e["event"] == "DEVICE_DELETED" and e["data"].get("device") == device]
        for event in found:
            machine.events.remove(event)
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


def pause(boot, machine):
    """Stop the machine, and look at it meanwhile."""
    machine.qmp("stop")
    boot.look("paused", machine)
    machine.qmp("cont")


def restart(boot, machine):
    """Save the guest, kill QEMU, and go on with another one, which must show the same."""
    def saved():
        status = machine.qmp("query-migrate").get("status")
        return status in ("completed", "failed") and status

    record = boot.record
    # A guest that runs meanwhile may lose what it writes: TCG misses dirty pages on a busy host.
    machine.qmp("stop")
    try:
        machine.qmp("migrate", uri="exec:cat > state")
    except Fail as err:
        record.refusal = str(err)
        machine.qmp("cont")
        return
    if machine.wait("the guest is saved", saved) == "failed":
        record.refusal = machine.qmp("query-migrate").get("error-desc", "")
        machine.qmp("cont")
        return
    boot.look("saved", machine)
    if after := record.scenario["after"]:
        machine.cmd = [f"{word},{after}" if word.startswith("virtio-") else word
                       for word in machine.cmd]
    machine.restart("state")
    boot.look("restarted", machine)
    machine.qmp("cont")


def search(boot, machine):
    """Look through all memory for the guest's canary."""
    machine.qmp("stop")
    shared = [(s["base"], s["base"] + s["size"]) for s in machine.hypervisor()["shared"]]
    words = canary(boot.record.seed)
    found = {page for low, high in machine.ram()
             for page in pages(machine.memory(low, high + 1 - low), words, low)}
    machine.qmp("cont")
    exposed = {page for page in found if any(low <= page < high for low, high in shared)}
    boot.record.searches.append([len(found - exposed), sorted(exposed)])


def look(boot, machine, device):
    """Take a picture of a screen."""
    picture = machine.picture(device)
    boot.record.pictures.append({"head": picture[:len(SCREEN)].decode(errors="replace"),
                                 "sha256": digest(picture[len(SCREEN):])})


def press(boot, machine, keys):
    record = boot.record
    for _ in range(int(keys)):
        machine.press(presses(record.seed)[record.typed % KEYS])
        record.typed += 1


def throttle(machine, requests):
    """Let the disk answer so many requests per second; 0: as many as it can."""
    machine.qmp("block_set_io_throttle", id="/machine/peripheral/blk/virtio-backend",
                iops=requests, iops_rd=0, iops_wr=0, bps=0, bps_rd=0, bps_wr=0)


def choke(_, machine):
    throttle(machine, 1)


def release(_, machine):
    throttle(machine, 0)


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


# What the guest asks for by a word of its report, and waits until it is done.
HOST_ACTIONS = {"take": take, "give": give, "pause": pause, "restart": restart,
                "search": search, "look": look, "type": press,
                "choke": choke, "release": release}

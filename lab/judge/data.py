# SPDX-License-Identifier: GPL-2.0-only
"""The bytes that a guest reads and writes: whether they came through."""
import functools

from ..model.check import Check
from ..model.media import (DISK, disk_image, entropy_image, pattern, PIXEL, presses, SCREEN,
    SEED_BYTES)
from ..model.record import digest
from . import disk

# The devices of the steps that read from the host and write to it.
STREAMS = {"port": "serial", "share": "share"}
# Packets after each event of a soak: lab/guest/steps/soak.c.
SOAK_PINGS = "4"
VMCORE = "the disk has the checksum of a page of the kernel that crashed"
# Filters, and whether a device is without the bit after (-1) or before (1).
FILTERS = {"filter": -1, "unfilter": 1}


def survey(record, steps):
    """The checks of all that went through the devices."""
    yield from disk.survey(record, steps)
    if "rng" in steps:
        yield entropy(record)
    if "net" in steps:
        yield network(record, steps)
    pings = [*pinged(record)]
    if pings:
        yield Check("net.ping", "net: each packet of the guest comes back as it was sent",
                    [p["packets"] for p in record.all("ping")] == pings, record.all("ping"))
    if "sock" in steps:
        wanted = [int(step.partition(":")[2] or 1) << 16 for step in record.scenario["steps"]
                  if step.partition(":")[0] == "sock"]
        yield Check("vsock.echo", "vsock: all that the guest sends comes back as it was sent",
                    [int(s["bytes"]) for s in record.all("sock")] == wanted, record.all("sock"))
    for step in sorted(set(steps) & set(STREAMS)):
        yield from stream(record, step)
    if "gpu" in steps:
        yield from screen(record, steps)
    if "pool" in steps:
        yield from pool(record)
    if "hold" in steps:
        yield from buffer(record)
    if "vmcore" in steps:
        yield vmcore(record)
    if record.scenario["firmware"]:
        yield firmware(record)
    if "input" in steps:
        yield keyboard(record, steps)
    if "hibernate" in steps:
        yield Check("swap.image", "swap: the guest wrote an image of its memory",
                    record.swapped > 4 << 20, f"{record.swapped >> 10} KiB")
    for step in sorted(set(steps) & set(FILTERS)):
        yield filtered(record, step)


def firmware(record):
    """The firmware has read a disk, of which the kernel reads a few sectors only."""
    found = [view["loaded"] for view in record.views.values()][:1]
    return Check("esp.loaded", "esp: the firmware has read it, before the kernel does",
                 bool(found) and found[0] > 4 << 20, found)


def stream(record, step):
    """What the guest writes through a step's device, and reads where it can."""
    got, name = record.all(step), STREAMS[step]
    back = record.written.get(step, {"bytes": 0, "sha256": None})
    yield Check(f"{name}.sent", f"{name}: the host receives what the guest sends", bool(got)
                and back["sha256"] == digest(pattern(record.seed, int(got[0]["bytes"]))),
                f"{back['bytes']} bytes")
    if step == "share":
        yield Check(f"{name}.received", f"{name}: the guest reads what the host has", bool(got)
                    and all(g["sha256"] == digest(entropy_image()) for g in got), got)


def pinged(record):
    """How many packets each step ping sends, alone or in a soak."""
    for step in record.scenario["steps"]:
        name, count, *_ = *step.split(":"), None
        if name == "ping":
            yield count
        if name == "soak" and "net" in record.scenario["devices"]:
            yield from [SOAK_PINGS] * int(count)


def entropy(record):
    got, source = record.all("rng"), entropy_image()
    # The kernel draws from the same device: only short runs of bytes stay together.
    runs = [bytes.fromhex(g[key])[at:at + SEED_BYTES] for g in got for key in ("head", "tail")
            for at in (0, 24)]
    own = [bytes(SEED_BYTES)] if record.scenario["short"] else []
    return Check("rng.bytes", "rng: the guest gets the bytes that the host feeds",
                 bool(runs) and all(r in source or r in own for r in runs), got)


def network(record, steps):
    got = [g["sha256"] for g in record.all("net")]
    return Check("net.exchange", "net: the guest receives what the host sends, and sends it back",
                 got == [record.sent] * steps.count("net")
                 and record.echoes == [record.sent] * len(got), f"{len(got)} exchanges")


def screen(record, steps):
    """The pictures that QEMU has of the screen, each as the guest was to draw it."""
    heads = [picture["head"] for picture in record.pictures]
    yield Check("gpu.screen", "gpu: the screen is on each time that the guest draws",
                heads == [SCREEN.decode()] * steps.count("gpu"), heads)
    drawn, rgb = pattern(record.seed, PIXEL), bytearray(PIXEL // 4 * 3)
    # In memory a pixel is blue, green, red and a byte that is not seen.
    for place in range(3):
        rgb[place::3] = drawn[2 - place::4]
    shown = [picture["sha256"] for picture in record.pictures]
    yield Check("gpu.pixels", "gpu: every pixel on the screen is what the guest drew",
                shown == [digest(bytes(rgb))] * steps.count("gpu"), shown)


def pool(record):
    """What drivers leave behind adds up in the pool: it must be as full each time."""
    used = [one["used"] for one in record.all("pool")]
    # Not each kernel says what the most was.
    most = [one["most"] for one in record.all("pool")]
    yield Check("pool.kept", "the swiotlb pool has been in use, and is as full as it was at first",
                len(used) > 1 and len(set(used)) == 1 and "-" not in used
                and not {*used, *most} <= {"0", "-"}, f"{used}, at most {most}")
    if record.scenario["grows"]:
        slots = [one["slots"] for one in record.all("pool")]
        yield Check("pool.grew", "the swiotlb pool has more slots than it had at first",
                    len(slots) > 1 and int(slots[-1]) > int(slots[0]), slots)


def vmcore(record):
    """The kernel after a crash finds a page of the first: its checksum is the disk's first block."""
    pages, wrote = record.all("crash"), record.all("vmcore")
    if not pages or not wrote:
        return Check("vmcore.saved", VMCORE, False, f"a crash: {pages}, then: {wrote}")
    writes = tuple((int(one["offset"]), int(one["bytes"])) for one in record.all("write"))
    wanted = with_checksum(record.seed, writes, int(pages[0]["bytes"]), int(wrote[0]["bytes"]))
    return Check("vmcore.saved", VMCORE, record.disk == wanted, wrote)


@functools.lru_cache(4)
def with_checksum(seed, writes, page, block):
    """The digest of the disk with these writes, and with a page's checksum in its first block."""
    image = bytearray(disk_image())
    for at, size in writes:
        image[at:at + size] = pattern(seed, size)
    image[:block] = digest(pattern(seed, page)).encode().ljust(block, b"\0")
    return digest(image)


def buffer(record):
    """A buffer that is held while its device goes keeps its picture, and nothing of the pool."""
    rounds = [{key: int(value) for key, value in one.items() if value != "-"}
              for one in record.all("hold")]
    count = sum(int(step.rpartition(":")[2]) for step in record.scenario["steps"]
                if step.startswith("hold:"))
    first = rounds[0].get("before") if rounds else None
    yield Check("gpu.held", "gpu: a buffer bounces, so that it takes slots of the swiotlb pool",
                len(rounds) == count and all(r.get("held", 0) > r.get("before", 0)
                                             for r in rounds), rounds)
    yield Check("gpu.unmapped", "gpu: it gives them back when its device goes, though it is held",
                bool(rounds) and all(r.get("gone") == first for r in rounds), rounds)
    yield Check("gpu.closed", "gpu: once it is closed, the pool is as full as before the first"
                " round", bool(rounds) and all(r.get("closed") == first for r in rounds), rounds)
    yield Check("gpu.kept", "gpu: it keeps what was drawn", bool(rounds)
                and all(r.get("kept") for r in rounds), rounds)


def keyboard(record, steps):
    sent = "".join(f"{code}+{code}-" for code in presses(record.seed)) * steps.count("input")
    return Check("input.keys", "input: the guest gets every key that is pressed, and no other",
                 "".join(g["events"] for g in record.all("input")) == sent,
                 f"{record.typed} keys")


def filtered(record, step):
    """No device keeps the bit that a filter takes; some have it without the filter."""
    has = [[int(r[when], 16) >> int(r["bit"]) & 1 for r in record.all(step)]
           for when in ("before", "after")]
    without, having = has[::FILTERS[step]]
    return Check(f"{step}.negotiated", f"{step}: devices negotiate without the bit while it is"
                 " filtered, and with it while it is not", any(having) and not any(without),
                 record.all(step))


def transferred(record):
    """How many bytes went through devices and were compared."""
    times = {"read": 1, "write": 1, "port": 1, "net": 2, "share": 2, "sock": 2}
    return sum(n * int(r["bytes"]) for verb, n in times.items() for r in record.all(verb)) \
        + sum(int(r["bytes"]) for r in record.all("storm")) \
        + sum(int(r["readers"]) * DISK for r in record.all("flood")) \
        + sum(int(r["rounds"]) * DISK for r in record.all("loaded") if r["device"] == "blk") \
        + len(record.pictures) * PIXEL // 4 * 3

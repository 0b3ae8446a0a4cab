# SPDX-License-Identifier: GPL-2.0-only
"""The bytes that a guest reads and writes: whether they came through."""
import hashlib
import operator

from ..model.media import pattern, PIXEL, presses, SCREEN

# The devices of the steps that read from the host and write to it.
STREAMS = {"port": "serial", "share": "share"}

# Filters, and whether a device is without the bit after (-1) or before (1).
FILTERS = {"filter": -1, "unfilter": 1}


def survey(run, steps):
    """The checks of all that went through the devices."""
    if "read" in steps:
        yield from disk(run, steps)
    if "rng" in steps:
        yield from entropy(run)
    if "net" in steps:
        yield from network(run, steps)
    if "flood" in steps:
        digest = hashlib.sha256(run.original).hexdigest()
        yield ("blk: readers in parallel all read what the host has",
               [f["sha256"] for f in run.all("flood")] == [digest], run.all("flood"))
    for step in set(steps) & set(STREAMS):
        yield from stream(run, step)
    if "gpu" in steps:
        yield from screen(run, steps)
    if "input" in steps:
        yield keyboard(run, steps)
    if "hibernate" in steps:
        yield ("swap: the image of the guest's memory was written there",
               run.swapped > 4 << 20, f"{run.swapped >> 10} KiB")
    for step in set(steps) & set(FILTERS):
        yield filtered(run, step)


def written(run):
    """The disk, as the guest's writes make it."""
    writes, after = run.all("write"), run.original
    if writes:
        offset, size = (int(writes[0][k]) for k in ("offset", "bytes"))
        after = after[:offset] + pattern(run.seed, size) + after[offset + size:]
    return after


def disk(run, steps):
    """The disk reads as it is, and after the guest's writes as these make it, and no more."""
    writes, after = run.all("write"), written(run)
    first = steps.index("write")
    name = "blk" if "blk" in run.scenario["devices"] else "scsi"
    good = [hashlib.sha256(image).hexdigest()
            for image, part in ((run.original, steps[:first]), (after, steps[first:]))
            for _ in range(part.count("read"))]
    yield (f"{name}: the whole disk reads as the host has it", bool(good)
           and [r["sha256"] for r in run.all("read")] == good, run.all("read"))
    yield (f"{name}: what the guest wrote is in the image, and nothing else", bool(writes)
           and run.disk == after and after != run.original, writes)


def stream(run, step):
    """What the guest writes through a step's device, and reads where it can."""
    got, name = run.all(step), STREAMS[step]
    back = run.written.get(step, b"")
    yield (f"{name}: what the guest sends arrives",
           bool(got) and back == pattern(run.seed, int(got[0]["bytes"])), f"{len(back)} bytes")
    if step == "share":
        yield (f"{name}: its bytes are those the host has", bool(got) and all(
            g["sha256"] == hashlib.sha256(run.entropy).hexdigest() for g in got), got)


def entropy(run):
    got = run.all("rng")
    # The kernel draws from the same device: short runs of bytes stay together.
    runs = [bytes.fromhex(g[key])[at:at + 8] for g in got for key in ("head", "tail")
            for at in (0, 24)]
    own = [bytes(8)] if run.scenario["short"] else []
    yield ("rng: its bytes are those the host feeds",
           bool(runs) and all(r in run.entropy or r in own for r in runs), got)


def network(run, steps):
    digest = hashlib.sha256(run.peer.sent).hexdigest()
    got = [g["sha256"] for g in run.all("net")]
    yield ("net: what the host sends arrives, and comes back the same",
           got == [digest] * steps.count("net")
           and run.peer.echoes == [run.peer.sent] * len(got),
           f"{len(got)} exchanges of {len(run.peer.sent)} bytes")


def screen(run, steps):
    """The pictures that QEMU has of the screen, each as the guest was to draw it."""
    yield ("gpu: the screen is on each time that the guest draws",
           [p[:len(SCREEN)] for p in run.pictures] == [SCREEN] * steps.count("gpu"),
           f"{len(run.pictures)} pictures")
    drawn, rgb = pattern(run.seed, PIXEL), bytearray(PIXEL // 4 * 3)
    # In memory a pixel is blue, green, red and a byte that is not seen.
    for place in range(3):
        rgb[place::3] = drawn[2 - place::4]
    wrong = [sum(map(operator.ne, rgb, p[len(SCREEN):])) for p in run.pictures]
    yield ("gpu: every pixel on the screen is what the guest drew",
           wrong == [0] * steps.count("gpu"), f"wrong bytes: {wrong}")


def keyboard(run, steps):
    """The events that the guest got are the keys that were pressed, and no others."""
    sent = "".join(f"{code}+{code}-" for code in presses(run.seed)) * steps.count("input")
    return ("input: the guest gets every key that is pressed",
            "".join(g["events"] for g in run.all("input")) == sent, f"{run.typed} keys")


def filtered(run, step):
    """No device keeps what a filter takes; some have it without."""
    has = [[int(r[when], 16) >> int(r["bit"]) & 1 for r in run.all(step)]
           for when in ("before", "after")]
    without, having = has[::FILTERS[step]]
    return (f"{step}: devices negotiate without the bit while it is filtered, and with it while not",
            any(having) and not any(without), run.all(step))

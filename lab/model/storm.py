# SPDX-License-Identifier: GPL-2.0-only
"""What a guest's step storm does to its disk: lab/guest/lib/part.c, worked out from the seed."""
import functools
import hashlib
from typing import NamedTuple

from .media import DISK, disk_image, pattern

SECTOR, PART, MANY = 512, 512 << 10, 16
PIECES, LONGEST, STARTS, STRIDE = 16, 64, 4093, 31
# What one process says of a storm, and the host works out as well.
COUNTS = ("reads", "writes", "pieces", "bytes")


class Storm(NamedTuple):
    """The arguments of the step."""
    processes: int
    requests: int
    most: int
    number: int = 0


def draws(state):
    """A function that draws as lab/guest/lib/draw.c does."""
    def draw(limit):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        return (state >> 33) % limit
    return draw


def play(part, seed, process, storm):
    """Do to the bytes of a part what the process does; return what it counts."""
    text, draw = pattern(seed, STARTS * 8 + SECTOR), draws(seed + storm.number * MANY + process)
    tag = process << 56 | storm.number << 40
    done = dict.fromkeys(COUNTS, 0)
    for request in range(storm.requests):
        write, pieces, left = draw(2), 1 + draw(PIECES), storm.most // SECTOR
        for _ in range(pieces):
            if not left:
                break
            left -= min(1 + draw(LONGEST), left)
            draw(1)  # where the piece is in memory
            done["pieces"] += 1
        count = storm.most // SECTOR - left
        first, start = draw(PART // SECTOR - count + 1), draw(STARTS)
        done["writes" if write else "reads"] += 1
        done["bytes"] += count * SECTOR
        for sector in range(first, first + count) if write else ():
            at, own = start % STARTS * 8, tag | request << 16 | sector
            part[sector * SECTOR:(sector + 1) * SECTOR] = \
                own.to_bytes(8, "little") + text[at + 8:at + SECTOR]
            start += STRIDE
    return done


@functools.lru_cache(16)
def weather(seed, write, storms):
    """What each process of each of these storms must say, and the disk's digest after each.

    @write is where the step write wrote, and how much; or nothing.
    """
    image, first = disk_image(), DISK - PART * max((s.processes for s in storms), default=0)
    region, calm = bytearray(image[first:]), hashlib.sha256(image[:write[0]] if write else b"")
    if write:
        calm.update(pattern(seed, write[1]))
    calm.update(image[sum(write):first])
    said, digests = [], []
    for storm in storms:
        for process in range(storm.processes):
            end = len(region) - process * PART
            part = region[end - PART:end]
            before = hashlib.sha256(part).hexdigest()
            done = play(part, seed, process, storm)
            region[end - PART:end] = part
            said.append({"number": storm.number, "process": process, **done, "before": before,
                         "after": hashlib.sha256(part).hexdigest()})
        disk = calm.copy()
        disk.update(region)
        digests.append(disk.hexdigest())
    return said, digests

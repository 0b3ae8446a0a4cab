# SPDX-License-Identifier: GPL-2.0-only
"""The bytes that guest and host agree on: each of them can be made again from a seed."""
import functools
import hashlib
import random

DISK, ENTROPY, NET, SWAP = 64 << 20, 1 << 20, 4 << 20, 256 << 20
# What the disk is made of at a time.
PIECE = 256 << 10

# The screen of the GPU, and its pixels: what the guest draws has a byte to spare for each.
SCREEN, PIXEL = b"P6\n640 480\n255\n", 640 * 480 * 4

# Keys have the numbers of a PC keyboard, which are Linux's codes as well.
KEYS, FIRST_KEY, LAST_KEY = 128, 2, 53
# Bytes of the host's random numbers that stay together on their way to the guest.
SEED_BYTES = 8
# Change it when what is made of it changes: the cache keeps the images by it.
IMAGES = "v2"


@functools.cache
def disk_image():
    # In pieces it is the same bytes, in half the time: each of them fits into the CPU's cache.
    source = random.Random(f"disk {IMAGES}")
    return b"".join(source.randbytes(PIECE) for _ in range(DISK // PIECE))


@functools.cache
def entropy_image():
    return random.Random(f"entropy {IMAGES}").randbytes(ENTROPY)


@functools.lru_cache(16)
def disk_digest(seed=0, offset=0, size=0):
    """The SHA-256 of the disk, with what a guest of @seed wrote there."""
    disk = memoryview(disk_image())
    parts = disk[:offset], pattern(seed, size), disk[offset + size:]
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def presses(seed):
    """The keys of an input step, in this order."""
    return [FIRST_KEY + b % (LAST_KEY - FIRST_KEY + 1) for b in pattern(seed, KEYS)]


@functools.lru_cache(32)
def pattern(seed, size):
    """What the guest's write step writes: the splitmix64 stream of the seed."""
    mask, state, words = (1 << 64) - 1, seed, bytearray()
    for _ in range(size // 8):
        state = (state + 0x9E3779B97F4A7C15) & mask
        word = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
        words += (word ^ (word >> 31)).to_bytes(8, "little")
    return bytes(words)

# SPDX-License-Identifier: GPL-2.0-only
"""Read an arm64 guest's kernel page tables from outside: how is a page mapped?"""
import re
import struct
from collections import defaultdict

# Linux's MAIR indexes: Normal and Normal-Tagged, Normal non-cacheable.
CACHEABLE, NON_CACHEABLE = (0, 1), 2
ADDRESS = ((1 << 48) - 1) & ~0xfff


def symbols(kernel, *names):
    text = (kernel / "System.map").read_text()
    return [int(re.search(rf"^([0-9a-f]+) \S {name}$", text, re.M)[1], 16) for name in names]


def leaves(machine, table, level, base, seen):
    """All (virtual address, physical address, size, attribute index) below a table.

    KASAN has the same few tables all over the shadow of what there is not: go there once.
    """
    if table in seen:
        return
    seen.add(table)
    shift = 12 + 9 * (3 - level)
    for index, entry in enumerate(struct.unpack("<512Q", machine.memory(table, 4096))):
        if not entry & 1:
            continue
        address = base + (index << shift)
        if level < 3 and entry & 2:
            yield from leaves(machine, entry & ADDRESS, level + 1, address, seen)
        else:
            size = 1 << shift
            yield address, entry & ADDRESS & -size, size, entry >> 2 & 7


def walk(machine, kernel):
    """The leaves of the kernel's page tables, and the end of the linear map."""
    config = (kernel / "config").read_text()
    bits, levels = (int(re.search(rf"^CONFIG_{name}=(\d+)$", config, re.M)[1])
                    for name in ("ARM64_VA_BITS", "PGTABLE_LEVELS"))
    if "CONFIG_ARM64_4K_PAGES=y" not in config:
        raise NotImplementedError("page tables other than of 4K pages")
    text, root = symbols(kernel, "_text", "swapper_pg_dir")
    image = int(re.search(r"addr=([0-9a-f]+) .*name=\"[^\"]*Image\"",
                          machine.hmp("info roms"))[1], 16)
    start = (1 << 64) - (1 << bits)
    return (leaves(machine, root - text + image, 4 - levels, start, set()),
            start + (1 << (bits - 1)))


def aliases(machine, kernel, addresses):
    """Where the kernel maps each page of @addresses beyond its cacheable linear map."""
    entries, linear_end = walk(machine, kernel)
    wanted = {a & ~0xfff for a in addresses}
    found = defaultdict(list)
    for virtual, physical, size, attr in entries:
        for page in wanted:
            if physical <= page < physical + size:
                found[page].append((virtual + page - physical, attr))
    lost = wanted - set(found)
    odd = [f"{page:#x} at {virtual:#x} attribute {attr}" for page, places in found.items()
           for virtual, attr in places if virtual >= linear_end or attr not in CACHEABLE]
    return odd + [f"{page:#x} is not mapped" for page in lost]


def noncacheable(machine, kernel):
    """How much memory the kernel maps non-cacheable, as rings of non-coherent devices are."""
    return sum(size for _, _, size, attr in walk(machine, kernel)[0] if attr == NON_CACHEABLE)

# SPDX-License-Identifier: GPL-2.0-only
"""Read an arm64 guest's kernel page tables from outside: how is a page mapped?"""
import functools
import re
import struct
from bisect import bisect_left
from collections import defaultdict

# Linux's MAIR indexes: Normal and Normal-Tagged, Normal non-cacheable.
CACHEABLE, NON_CACHEABLE = (0, 1), 2
ADDRESS = (1 << 48) - 1


def symbols(kernel, *names):
    text = (kernel / "System.map").read_text()
    return [int(re.search(rf"^([0-9a-f]+) \S {name}$", text, re.M)[1], 16) for name in names]


def reader(machine, page):
    """Read pages of the guest, a MiB at a time: QMP is slow to ask while a guest is busy."""
    chunk = functools.cache(lambda number: machine.memory(number << 20, 1 << 20))
    return lambda address: chunk(address >> 20)[address & (1 << 20) - page:][:page]


def leaves(read, table, level, base, seen):
    """All (virtual address, physical address, size, attribute index) below a table.

    A table is a page of entries, whatever the size of pages is. KASAN has the same few tables
    all over the shadow of what there is not: go there once.
    """
    if table in seen:
        return
    seen.add(table)
    data = read(table)
    page_shift = len(data).bit_length() - 1
    shift = page_shift + (page_shift - 3) * (3 - level)
    for index, (entry,) in enumerate(struct.iter_unpack("<Q", data)):
        if not entry & 1:
            continue
        address = base + (index << shift)
        if level < 3 and entry & 2:
            yield from leaves(read, entry & ADDRESS & -len(data), level + 1, address, seen)
        else:
            size = 1 << shift
            yield address, entry & ADDRESS & -size, size, entry >> 2 & 7


def walk(machine, kernel):
    """The leaves of the kernel's page tables, all of them, and the end of the linear map."""
    config = (kernel / "config").read_text()
    bits, levels = (int(re.search(rf"^CONFIG_{name}=(\d+)$", config, re.M)[1])
                    for name in ("ARM64_VA_BITS", "PGTABLE_LEVELS"))
    page = int(re.search(r"^CONFIG_ARM64_(\d+)K_PAGES=y$", config, re.M)[1]) << 10
    text, root = symbols(kernel, "_text", "swapper_pg_dir")
    image = int(re.search(r"addr=([0-9a-f]+) .*name=\"[^\"]*Image\"",
                          machine.hmp("info roms"))[1], 16)
    start = (1 << 64) - (1 << bits)
    return (list(leaves(reader(machine, page), root - text + image, 4 - levels, start, set())),
            start + (1 << (bits - 1)))


def aliases(entries, linear_end, addresses):
    """Where the kernel maps each page of @addresses beyond its cacheable linear map."""
    wanted = sorted({a & ~0xfff for a in addresses})
    found = defaultdict(list)
    for virtual, physical, size, attr in entries:
        for page in wanted[bisect_left(wanted, physical):bisect_left(wanted, physical + size)]:
            found[page].append((virtual + page - physical, attr))
    lost = set(wanted) - set(found)
    odd = [f"{page:#x} at {virtual:#x} attribute {attr}" for page, places in found.items()
           for virtual, attr in places if virtual >= linear_end or attr not in CACHEABLE]
    return odd + [f"{page:#x} is not mapped" for page in lost]


def noncacheable(entries):
    """How much memory the kernel maps non-cacheable, as rings of non-coherent devices are."""
    return sum(size for _, _, size, attr in entries if attr == NON_CACHEABLE)

# SPDX-License-Identifier: GPL-2.0-only
"""Page tables of arm64 that the test has made, read as a guest's are."""
import struct
import tempfile
import unittest
from pathlib import Path

from lab.vm.arm64_page_tables import aliases, leaves, noncacheable, reader, symbols, walk

TABLE, BLOCK, PAGE = 3, 1, 3
NORMAL, TAGGED, UNCACHED, DEVICE = 0, 1, 2, 3
START, MIDDLE = 0xffff_0000_0000_0000, 0xffff_8000_0000_0000
RAM = 0x4000_0000
# What lies below the address of an entry, and above it: access flag, and execute never.
FLAGS = 1 << 10 | 1 << 54


def entry(address, kind, attribute=0):
    return address | kind | attribute << 2 | FLAGS


def table(entries, page=4096):
    """A page of entries, by their index; the rest of it maps nothing."""
    words = [entries.get(index, 0) for index in range(page // 8)]
    return struct.pack(f"<{page // 8}Q", *words)


def memory(tables, page=4096):
    """Reads pages, and keeps the addresses that were read."""
    pages, asked = {address: table(entries, page) for address, entries in tables.items()}, []

    def read(address):
        asked.append(address)
        return pages[address]
    return read, asked


class Leaves(unittest.TestCase):
    def test_a_page_a_block_and_a_gap(self):
        read, _ = memory({
            0x1000: {0: entry(0x2000, TABLE), 256: entry(0x3000, TABLE)},
            0x2000: {1: entry(RAM, BLOCK, TAGGED)},  # 1 GiB
            0x3000: {2: entry(0x4000, TABLE), 3: entry(RAM + (4 << 21), BLOCK, NORMAL) & ~1},
            0x4000: {4: entry(0x5000, TABLE), 5: entry(RAM + (1 << 21), BLOCK, DEVICE)},
            0x5000: {511: entry(RAM + 0x7000, PAGE, UNCACHED)}})
        self.assertEqual(list(leaves(read, 0x1000, 0, START, set())), [
            (START + (1 << 30), RAM, 1 << 30, TAGGED),
            (MIDDLE + (2 << 30) + (4 << 21) + (511 << 12), RAM + 0x7000, 4096, UNCACHED),
            (MIDDLE + (2 << 30) + (5 << 21), RAM + (1 << 21), 2 << 20, DEVICE)])

    def test_pages_of_16k_have_tables_of_2048_entries(self):
        read, _ = memory({
            0x4000: {0: entry(0x8000, TABLE), 1: entry(0x8000, TABLE)},
            0x8000: {2047: entry(0xc000, TABLE)},
            0xc000: {3: entry(RAM, BLOCK, TAGGED), 4: entry(0x10000, TABLE)},
            0x10000: {2046: entry(RAM + 0x1c000, PAGE, UNCACHED)}}, 16 << 10)
        place = START + (2047 << 36)
        self.assertEqual(list(leaves(read, 0x4000, 0, START, set())), [
            (place + (3 << 25), RAM, 32 << 20, TAGGED),
            (place + (4 << 25) + (2046 << 14), RAM + 0x1c000, 16 << 10, UNCACHED)])

    def test_pages_of_64k_have_tables_of_8192_entries(self):
        # The bits below a page's address may be those of an address of 52 bits.
        read, asked = memory({
            0x1_0000: {63: entry(0x2_0000, TABLE)},
            0x2_0000: {8191: entry(RAM, BLOCK, NORMAL), 5: entry(0x3_0000, TABLE)},
            0x3_0000: {8190: entry(RAM + 0x7_0000, PAGE, UNCACHED) | 0xf000}}, 64 << 10)
        self.assertEqual(list(leaves(read, 0x1_0000, 1, START, set())), [
            (START + (63 << 42) + (5 << 29) + (8190 << 16), RAM + 0x7_0000, 64 << 10, UNCACHED),
            (START + (63 << 42) + (8191 << 29), RAM, 512 << 20, NORMAL)])
        self.assertEqual(asked, [0x1_0000, 0x2_0000, 0x3_0000])

    def test_a_last_level_entry_is_a_page_and_no_table(self):
        read, asked = memory({0x1000: {0: entry(0x9000, PAGE, NORMAL)}})
        self.assertEqual(list(leaves(read, 0x1000, 3, START, set())),
                         [(START, 0x9000, 4096, NORMAL)])
        self.assertEqual(asked, [0x1000])

    def test_an_entry_that_is_not_valid_maps_nothing(self):
        read, _ = memory({0x1000: {0: entry(0x2000, TABLE) & ~1}})
        self.assertEqual(list(leaves(read, 0x1000, 0, START, set())), [])

    def test_a_table_that_is_used_again_is_read_once(self):
        read, asked = memory({0x1000: dict.fromkeys(range(512), entry(0x2000, TABLE)),
                              0x2000: {0: entry(RAM, BLOCK)}})
        self.assertEqual(len(list(leaves(read, 0x1000, 1, START, set()))), 1)
        self.assertEqual(asked, [0x1000, 0x2000])


class Aliases(unittest.TestCase):
    linear = [(START + 0x10_0000, RAM, 2 << 20, TAGGED)]

    def test_a_page_in_the_linear_map_has_none(self):
        self.assertEqual(aliases(self.linear, MIDDLE, [RAM, RAM + 0x1fffff]), [])

    def test_another_mapping_beyond_it_is_named(self):
        both = [*self.linear, (MIDDLE + 0x5000, RAM + 0x3000, 4096, NORMAL)]
        self.assertEqual(aliases(both, MIDDLE, [RAM + 0x3010]),
                         ["0x40003000 at 0xffff800000005000 attribute 0"])
        self.assertEqual(aliases(both, MIDDLE, [RAM + 0x2fff, RAM + 0x4000]), [])

    def test_a_mapping_that_is_not_cacheable_is_named(self):
        for attribute in (UNCACHED, DEVICE):
            odd = [(START, RAM, 4096, attribute)]
            self.assertEqual(aliases(odd, MIDDLE, [RAM + 8]),
                             [f"0x40000000 at {START:#x} attribute {attribute}"])

    def test_a_page_that_is_not_mapped_is_named(self):
        self.assertEqual(aliases(self.linear, MIDDLE, [RAM + (2 << 20)]),
                         ["0x40200000 is not mapped"])

    def test_a_page_within_a_block_is_found_at_its_place(self):
        block = [(MIDDLE, RAM, 2 << 20, NORMAL)]
        self.assertEqual(aliases(block, MIDDLE, [RAM + 0x12345]),
                         ["0x40012000 at 0xffff800000012000 attribute 0"])


class Noncacheable(unittest.TestCase):
    def test_it_adds_up_what_is_normal_and_not_cacheable(self):
        sizes = {NORMAL: 1 << 12, TAGGED: 1 << 13, UNCACHED: 1 << 14, DEVICE: 1 << 15}
        entries = [(0, 0, size, attribute) for attribute, size in sizes.items()]
        self.assertEqual(noncacheable(entries), 1 << 14)
        self.assertEqual(noncacheable(2 * entries), 1 << 15)
        self.assertEqual(noncacheable([]), 0)


class Guest:
    """A machine with one table in its memory, at the place where its kernel looks."""

    def __init__(self, base, root, page=4096):
        self.base, self.root, self.page, self.reads = base, root, page, []

    def memory(self, address, size):
        self.reads.append((address, size))
        data = bytearray(size)
        data[self.root - address:self.root - address + self.page] = table(
            {1: entry(RAM, BLOCK, UNCACHED)}, self.page)
        return bytes(data)

    def hmp(self, _):
        return f'addr={self.base:016x} size=0x1000 mem=ram name="/there/Image"\n'


class Kernel(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "System.map").write_text(
            "ffff800080000000 T _text\nffff800080030000 D swapper_pg_dir\n"
            "ffff800080040000 D reserved_swapper_pg_dir\n")

    def config(self, pages="4K", bits=39, levels=3):
        (self.folder / "config").write_text(
            f"CONFIG_ARM64_{pages}_PAGES=y\nCONFIG_ARM64_VA_BITS={bits}\n"
            f"CONFIG_PGTABLE_LEVELS={levels}\n")

    def test_symbols_are_found_by_their_whole_names(self):
        self.assertEqual(symbols(self.folder, "swapper_pg_dir", "_text"),
                         [0xffff800080030000, 0xffff800080000000])

    def test_a_walk_starts_where_the_image_lies(self):
        self.config()
        guest = Guest(0x4020_0000, 0x4023_0000)
        found, end = walk(guest, self.folder)
        start = (1 << 64) - (1 << 39)
        self.assertEqual(found, [(start + (1 << 30), RAM, 1 << 30, UNCACHED)])
        self.assertEqual(end, start + (1 << 38))
        self.assertEqual(guest.reads, [(0x4020_0000, 1 << 20)])

    def test_the_size_of_pages_is_the_kernel_s(self):
        for pages, bits, block in (("16K", 36, 32 << 20), ("64K", 42, 512 << 20)):
            self.config(pages, bits, 2)
            guest = Guest(0x4020_0000, 0x4023_0000, int(pages[:-1]) << 10)
            found, _ = walk(guest, self.folder)
            self.assertEqual(found, [((1 << 64) - (1 << bits) + block, RAM, block, UNCACHED)])

    def test_memory_is_read_once_by_the_mebibyte(self):
        guest = Guest(0, 0x4020_3000)
        read = reader(guest, 4096)
        self.assertEqual(read(0x4020_3000), table({1: entry(RAM, BLOCK, UNCACHED)}))
        self.assertEqual(read(0x4020_4000), bytes(4096))
        self.assertEqual(guest.reads, [(0x4020_0000, 1 << 20)])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""The disk and the network card of the back end, with a driver that the test plays."""
import os
import struct

from . import test_backend
from .test_backend import AVAIL, BASE, DATA, DESC, NEXT, SIZE, Test, USED, USER, WRITE

setUpModule = test_backend.setUpModule
GET_FEATURES, SET_OWNER, GET_CONFIG = 1, 3, 24
IN, OUT, FLUSH, GET_ID = 0, 1, 4, 8
OK, FAILED, UNKNOWN = 0, 1, 2
DISK = bytes(range(256)) * 64
# The receive ring is ring 0; what the driver sends goes through ring 1, which lies behind it.
SENDS = 0x40000
HEADER, ETHERNET = 12, struct.Struct("!6s6sH")
GUEST, HOST, OWN = bytes([10, 0, 2, 15]), bytes([10, 0, 2, 2]), bytes.fromhex("52540076646d")
MAC = bytes.fromhex("525400123456")


class Disk(Test):
    kind = "blk"

    def setUp(self):
        super().setUp()
        (self.folder / "disk.img").write_bytes(DISK)

    def ask(self, kind, sector, size, data=b""):
        """Have the disk do something; return the used element's length, the bytes and the status."""
        self.ram[DATA:DATA + 16] = struct.pack("<2IQ", kind, 0, sector)
        self.ram[DATA + 64:DATA + 64 + len(data)] = data
        self.ram[DATA + 4096] = 255
        self.desc(0, BASE + DATA, 16, NEXT, 1)
        self.desc(1, BASE + DATA + 64, size or len(data), NEXT | (0 if data else WRITE), 2)
        self.desc(2, BASE + DATA + 4096, 1, WRITE)
        self.offer(0)
        _, head, length = self.used()
        self.assertEqual(head, 0)
        return length, self.ram[DATA + 64:DATA + 64 + size], self.ram[DATA + 4096]

    def test_what_is_read_is_the_file_s_and_what_is_written_is_in_it(self):
        self.connect()
        self.start()
        self.assertEqual(self.ask(IN, 3, 1024), (1025, DISK[1536:2560], OK))
        self.assertEqual(self.ask(OUT, 4, 0, b"x" * 512), (1, b"", OK))
        self.assertEqual(self.ask(FLUSH, 0, 0, b"-")[2], OK)
        self.assertEqual(self.ask(IN, 4, 512)[1], b"x" * 512)
        self.assertEqual((self.folder / "disk.img").read_bytes(),
                         DISK[:2048] + b"x" * 512 + DISK[2560:])
        self.assertEqual(self.ask(GET_ID, 0, 20), (21, b"lab".ljust(20, b"\0"), OK))

    def test_what_is_not_on_it_or_not_known_fails(self):
        self.connect()
        self.start()
        end = len(DISK) // 512
        for sector in (end, end - 1, 1 << 63, (1 << 64) - 1):
            self.assertEqual(self.ask(IN, sector, 1024)[::2], (1, FAILED), sector)
            self.assertEqual(self.ask(OUT, sector, 0, b"x" * 1024)[2], FAILED, sector)
        self.assertEqual(self.ask(99, 0, 512)[2], UNKNOWN)
        self.desc(0, BASE + DATA, 8, 0)
        self.offer(0)
        self.used()
        self.assertEqual((self.folder / "disk.img").read_bytes(), DISK)

    def test_its_configuration_tells_its_size(self):
        self.connect()
        self.assertEqual(struct.unpack("<Q", self.config()[:8]), (len(DISK) // 512,))

    def config(self):
        _, size, _, *space = self.say(GET_CONFIG, struct.pack("<3I", 0, 60, 0) + bytes(60),
                                      reply="<3I60B")
        self.assertEqual(size, 60)
        return bytes(space)

    def test_it_lies_of_what_it_is_each_time_that_it_is_plugged_in_but_the_first(self):
        found = []
        for _ in range(2):
            self.connect("lie=1", "plugs=3")
            for _ in range(4):
                self.say(SET_OWNER)
                found.append((*self.say(GET_FEATURES, reply="<Q"), self.config()))
        self.assertEqual(found[:4], found[4:])
        self.assertEqual(found[0], found[3])
        self.assertEqual(len(set(found)), 3)
        self.assertTrue(all(features >> 24 == found[0][0] >> 24 for features, _ in found))

    def test_a_lie_about_the_status_spares_the_data(self):
        self.connect("lie=1", "which=field")
        self.start()
        seen = [self.ask(IN, 0, 512) for _ in range(64)]
        self.assertTrue(all(found[:2] == (513, DISK[:512]) for found in seen))
        told = self.ended()["lies"]
        self.assertEqual(set(told), {"field"})
        # The rubbish may be a zero.
        self.assertTrue(0 < told["field"] - sum(found[2] != OK for found in seen) + 1 < 4, told)


class Card(Test):
    kind = "net"

    def start_both(self, buffers):
        """Start both rings, with so many buffers to receive in."""
        self.start()
        for index in range(buffers):
            self.desc(index, BASE + DATA + 2048 * index, 2048)
            self.offer(index)
        self.sends = os.eventfd(0)
        self.addCleanup(os.close, self.sends)
        self.start_ring(1, USER + SENDS, self.sends)

    def send(self, frame):
        """Send a packet; return what is received then, if anything is."""
        at = DATA + 0x10000
        self.ram[at:at + HEADER + len(frame)] = bytes(HEADER) + frame
        self.desc(0, BASE + at, HEADER + len(frame), 0, table=SENDS + DESC)
        count, = struct.unpack_from("<H", self.ram, SENDS + AVAIL + 2)
        struct.pack_into("<H", self.ram, SENDS + AVAIL + 4 + 2 * (count % 8), 0)
        struct.pack_into("<H", self.ram, SENDS + AVAIL + 2, count + 1)
        before, = struct.unpack_from("<H", self.ram, USED + 2)
        os.eventfd_write(self.sends, 1)
        self.until(lambda: struct.unpack_from("<H", self.ram, SENDS + USED + 2) == (count + 1,))
        after, = struct.unpack_from("<H", self.ram, USED + 2)
        if after == before:
            return None
        head, length = struct.unpack_from("<2I", self.ram, USED + 4 + 8 * (before % 8))
        found = self.ram[DATA + 2048 * head:DATA + 2048 * head + length]
        self.assertEqual(found[:HEADER], bytes(10) + b"\1\0")
        return found[HEADER:]

    def test_it_answers_who_has_an_address(self):
        self.connect()
        self.start_both(2)
        ask = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + MAC + GUEST + bytes(6) + HOST
        found = self.send(ETHERNET.pack(b"\xff" * 6, MAC, 0x806) + ask)
        self.assertEqual(found, ETHERNET.pack(MAC, OWN, 0x806) + struct.pack(
            "!HHBBH", 1, 0x800, 6, 4, 2) + OWN + HOST + MAC + GUEST)

    def test_it_sends_back_a_ping_and_nothing_else(self):
        self.connect()
        self.start_both(1)
        other = ETHERNET.pack(OWN, MAC, 0x86dd) + bytes(60)
        self.assertIsNone(self.send(other))
        self.assertIsNone(self.send(b"short"))
        echo = struct.pack("!BBHHH", 8, 0, 0xf7ff, 0, 0)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 1, 0)
        ping = ETHERNET.pack(OWN, MAC, 0x800) + ip + GUEST + HOST + echo
        found = self.send(ping)
        self.assertEqual(found, ETHERNET.pack(MAC, OWN, 0x800) + ip + HOST + GUEST
                         + struct.pack("!BBHHH", 0, 0, 0xffff, 0, 0))
        # One for which there is no buffer is lost.
        self.assertIsNone(self.send(ping))
        self.assertEqual(self.ended()["lies"], {})

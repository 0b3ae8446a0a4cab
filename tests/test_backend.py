# SPDX-License-Identifier: GPL-2.0-only
"""The vhost-user back end, with a front end and a driver that the test plays: no QEMU."""
import json
import mmap
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from lab.build import program
from lab.core.errors import Fail
from lab.vm import backend
from lab.vm.backend import Backends

BASE, USER, SIZE = 0x4000_0000, 0x7f00_0000_0000, 1 << 20
# Where the driver puts things, from the start of memory.
DESC, AVAIL, USED, DATA, TABLE, NUM = 0x1000, 0x2000, 0x3000, 0x8000, 0x4000, 8
NEXT, WRITE, INDIRECT = 1, 2, 4
BASE_OF_RING = 0  # at addresses of the bus
SET_BACKEND_REQ_FD, IOTLB_MSG = 21, 22
(GET_FEATURES, SET_FEATURES, SET_MEM_TABLE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE,
 GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL, SET_PROTOCOL_FEATURES, SET_VRING_ENABLE) = (
     1, 2, 5, 8, 9, 10, 11, 12, 13, 16, 18)
EVENT_IDX = 1 << 29
OFFERED = 1 << 28 | EVENT_IDX | 1 << 32
PLAIN = OFFERED & ~EVENT_IDX
SOURCE = random.Random(1).randbytes(4096)


def setUpModule():
    folder = tempfile.TemporaryDirectory(prefix="vdma-")
    unittest.addModuleCleanup(folder.cleanup)
    if not shutil.which("gcc"):
        raise unittest.SkipTest("there is no gcc")
    Test.program = Path(folder.name) / "backend"
    program.compile_to(Test.program, "backend", "gcc")


class Test(unittest.TestCase):
    """A back end in a folder of its own, and its front end."""

    kind = "rng"

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="vdma-")))
        (self.folder / "entropy.img").write_bytes(SOURCE)

    def backends(self, *options):
        one = {"behind": {self.kind: "lab"}, "backend": list(options), "queues": {}}
        return self.enterContext(Backends(one, self.program, self.folder))

    def connect(self, *options):
        self.behind = self.backends(*options)
        self.sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.sock.close)
        self.sock.settimeout(20)
        self.sock.connect(str(self.folder / f"{self.kind}.sock"))
        number = os.memfd_create("ram")
        os.truncate(number, SIZE)
        self.ram = mmap.mmap(number, SIZE)
        self.kick, self.call, self.added, self.seen = os.eventfd(0), os.eventfd(0), 0, 0
        self.fds = [number, self.kick, self.call]
        for fd in self.fds:
            self.addCleanup(os.close, fd)

    def say(self, request, payload=b"", fds=(), reply=None):
        """Send a message; return the answer's payload where one is due."""
        socket.send_fds(self.sock, [struct.pack("<3I", request, 1, len(payload)) + payload], fds)
        if reply is None:
            return None
        head = self.sock.recv(12, socket.MSG_WAITALL)
        self.assertEqual(struct.unpack("<3I", head), (request, 5, struct.calcsize(reply)))
        return struct.unpack(reply, self.sock.recv(struct.calcsize(reply), socket.MSG_WAITALL))

    def start(self, features=PLAIN, base=None):
        self.say(SET_PROTOCOL_FEATURES, struct.pack("<Q", 0))
        self.say(SET_FEATURES, struct.pack("<Q", features | 1 << 30))
        self.say(SET_MEM_TABLE, struct.pack("<2I4Q", 1, 0, BASE, SIZE, USER, 0), self.fds[:1])
        self.start_ring(0, USER if base is None else base, self.kick)

    def start_ring(self, index, base, kick):
        self.say(SET_VRING_NUM, struct.pack("<2I", index, NUM))
        self.say(SET_VRING_BASE, struct.pack("<2I", index, 0))
        self.say(SET_VRING_ADDR, struct.pack("<2I4Q", index, 0, base + DESC, base + USED,
                                             base + AVAIL, 0))
        self.say(SET_VRING_KICK, struct.pack("<Q", index), [kick])
        self.say(SET_VRING_CALL, struct.pack("<Q", index), [self.call])
        self.say(SET_VRING_ENABLE, struct.pack("<2I", index, 1))

    def stop(self):
        """Stop the ring once all that was made available is done: where it would go on."""
        self.until(lambda: self.behind.ask(self.kind)["buffers"] == self.added)
        return self.halt()

    def until(self, true):
        end = time.monotonic() + 20
        while not true():
            self.assertLess(time.monotonic(), end)

    def halt(self):
        return self.say(GET_VRING_BASE, struct.pack("<2I", 0, 0), reply="<2I")[1]

    def desc(self, at, addr, size, flags=WRITE, following=0, table=DESC):
        struct.pack_into("<QI2H", self.ram, table + 16 * at, addr, size, flags, following)

    def offer(self, head):
        """Make a chain available, and kick."""
        struct.pack_into("<H", self.ram, AVAIL + 4 + 2 * (self.added % NUM), head)
        self.added += 1
        struct.pack_into("<H", self.ram, AVAIL + 2, self.added)
        os.eventfd_write(self.kick, 1)

    def used(self):
        """Wait for an interrupt; return the used index, and the id and length that are next."""
        self.assertTrue(select.select([self.call], [], [], 20)[0], "no interrupt")
        os.eventfd_read(self.call)
        index, = struct.unpack_from("<H", self.ram, USED + 2)
        found = struct.unpack_from("<2I", self.ram, USED + 4 + 8 * (self.seen % NUM))
        self.seen += 1
        return index, *found

    def ended(self):
        """The last report, once the front end is gone."""
        self.sock.close()
        return self.behind.ended()[self.kind]

    def draw(self, count):
        """Draw some buffers, whatever is said of them."""
        self.start()
        self.desc(0, BASE + DATA, 64)
        for _ in range(count):
            self.offer(0)
        # More than the ring has is available: as if the driver were that quick.
        self.stop()


class Honest(Test):
    def test_it_offers_what_it_is_told_and_reports_what_is_accepted(self):
        self.connect("offer=44", "offer=33")
        features, = self.say(GET_FEATURES, reply="<Q")
        self.assertEqual(features, OFFERED | 1 << 30 | 1 << 33 | 1 << 44)
        self.start(OFFERED | 1 << 44)
        self.stop()
        now = self.behind.view("rng")
        self.assertEqual((now["ok"], now["rings"]), (True, [[BASE + DESC, BASE + AVAIL, BASE + USED]]))
        self.assertIn("rng.PLATFORM_DMA", now["bits"])
        self.assertNotIn("ACCESS_PLATFORM", now["bits"])
        self.assertIn("ACCESS_PLATFORM", now["offered"])

    def test_control_without_the_option_it_does_not_offer_the_bit(self):
        self.connect()
        self.assertEqual(self.say(GET_FEATURES, reply="<Q"), (OFFERED | 1 << 30,))

    def test_it_serves_the_file_s_bytes_in_their_order(self):
        self.connect()
        self.start()
        got = b""
        for count in range(1, 4):
            self.desc(2, BASE + DATA, 40)
            self.offer(2)
            self.assertEqual(self.used(), (count, 2, 40))
            got += self.ram[DATA:DATA + 40]
        self.assertEqual(got, SOURCE[:120])
        self.assertEqual(self.stop(), 3)
        report = self.ended()
        self.assertEqual((report["bytes"], report["buffers"], report["descriptors"]), (120, 3, 3))
        self.assertEqual(report["data"], [BASE + DATA, BASE + DATA + 39])
        self.assertEqual((report["refused"], report["lies"]), (0, {}))

    def test_chains_and_tables_of_descriptors(self):
        self.connect()
        self.start()
        self.desc(0, BASE + DATA, 8, NEXT, 3)  # what it may only read
        self.desc(3, BASE + DATA + 64, 16, WRITE | NEXT, 1)
        self.desc(1, BASE + TABLE, 32, INDIRECT)
        self.desc(0, BASE + DATA + 128, 8, WRITE | NEXT, 1, TABLE)
        self.desc(1, BASE + DATA + 256, 8, WRITE, 0, TABLE)
        self.offer(0)
        self.assertEqual(self.used(), (1, 0, 32))
        self.assertEqual(self.ram[DATA:DATA + 8], bytes(8))
        self.assertEqual(self.ram[DATA + 64:DATA + 80] + self.ram[DATA + 128:DATA + 136]
                         + self.ram[DATA + 256:DATA + 264], SOURCE[:32])

    def test_a_ring_that_makes_no_sense_does_no_harm(self):
        self.connect()
        self.start()
        for addr, size, flags, following in (
                (0, 64, WRITE, 0), (BASE + SIZE - 8, 64, WRITE, 0), (1 << 63, 1 << 31, WRITE, 0),
                ((1 << 64) - 8, 64, WRITE, 0), (BASE + DATA, 0, WRITE, 0),
                (BASE + DATA, 8, WRITE | NEXT, 0), (BASE + DATA, 8, WRITE | NEXT, 65535),
                (BASE + DESC, 16, INDIRECT, 0), (BASE + DATA, 3, INDIRECT, 0)):
            self.desc(0, addr, size, flags, following)
            self.offer(0)
            self.used()
        self.offer(NUM)
        self.offer(65535)
        self.desc(0, BASE + DATA, 64)
        self.offer(0)
        self.stop()
        self.assertEqual(self.ended()["buffers"], 12)

    def test_with_event_indices_it_says_when_it_wants_a_kick_and_heeds_the_driver_s(self):
        self.connect()
        self.start(OFFERED)
        self.desc(0, BASE + DATA, 64)
        struct.pack_into("<H", self.ram, AVAIL + 4 + 2 * NUM, 1)  # of the second buffer only
        self.offer(0)
        self.until(lambda: struct.unpack_from("<H", self.ram, USED + 4 + 8 * NUM) == (1,))
        self.assertFalse(select.select([self.call], [], [], 0)[0])
        self.offer(0)
        self.assertEqual(self.used()[0], 2)


class Refusals(Test):
    def test_a_buffer_outside_is_not_touched_and_told(self):
        self.connect(f"only={BASE:#x}-{BASE + DATA + 63:#x}")
        self.start()
        for at in (DATA, DATA + 1, DATA + 64, DATA + 64):
            self.desc(0, BASE + at, 64)
            self.offer(0)
            self.used()
        self.stop()
        self.assertEqual(self.ram[DATA:DATA + 128], SOURCE[:64] + bytes(64))
        report = self.ended()
        self.assertEqual(report["refused"], 3)
        self.assertEqual(report["refused_at"], [BASE + DATA + 1, BASE + DATA + 64])
        self.assertEqual((report["bytes"], report["data"]), (64, [BASE + DATA, BASE + DATA + 63]))

    def test_a_ring_outside_is_not_served(self):
        self.connect(f"only={BASE + DATA:#x}-{BASE + SIZE - 1:#x}")
        self.start()
        self.desc(0, BASE + DATA, 64)
        self.offer(0)
        self.until(lambda: self.behind.ask(self.kind)["refused"])
        self.assertEqual(self.halt(), 0)
        report = self.ended()
        self.assertEqual(report["refused_at"], [BASE + USED + 2])
        self.assertEqual((report["rings"], report["bytes"]), ([], 0))


class Translations(Test):
    """A driver behind an IOMMU: the front end is asked for each page, and may take it back."""

    def setUp(self):
        super().setUp()
        self.connect("offer=33")
        self.ask, asked = socket.socketpair()
        self.ask.settimeout(20)
        self.addCleanup(self.ask.close)
        with asked:
            self.say(SET_BACKEND_REQ_FD, fds=[asked.fileno()])
        # The ring and its buffers, and where in memory they are: next to each other the other way.
        self.pages = {0x1000: DESC, 0x2000: AVAIL, 0x3000: USED, 0x10000: DATA + 0x1000, 0x11000: DATA}

    def miss(self):
        """Answer one miss, with the page if there is one; return the address."""
        request, flags, size, iova, _, _, perm, kind = struct.unpack(
            "<3I3Q2B6x", self.ask.recv(44, socket.MSG_WAITALL))
        self.assertEqual((request, flags, size, kind), (1, 9, 32, 1))
        page = iova & ~0xfff
        if page in self.pages:
            self.say(IOTLB_MSG, struct.pack("<3Q2B6x", page, 0x1000, USER + self.pages[page], perm, 2))
        self.ask.sendall(struct.pack("<3IQ", 1, 5, 8, 0))
        return iova

    def run_ring(self):
        self.start(PLAIN | 1 << 33, BASE_OF_RING)
        self.desc(0, 0x10fe0, 64)
        self.offer(0)
        return [self.miss() for _ in range(3)]

    def test_each_page_is_asked_for_once_and_is_where_it_is(self):
        self.assertEqual(self.run_ring(), [0x3002, 0x2002, 0x1000])
        self.assertEqual([self.miss(), self.miss()], [0x10fe0, 0x11000])
        self.assertEqual(self.used(), (1, 0, 64))
        self.assertEqual(self.ram[DATA + 0x1fe0:DATA + 0x2000] + self.ram[DATA:DATA + 32], SOURCE[:64])
        self.offer(0)
        self.assertEqual(self.used()[0], 2)
        self.say(IOTLB_MSG, struct.pack("<3Q2B6x", 0x11000, 0x1000, 0, 0, 3))
        self.say(GET_FEATURES, reply="<Q")  # it has taken the message before
        self.offer(0)
        self.assertEqual(self.miss(), 0x11000)
        self.assertEqual(self.used()[0], 3)
        self.stop()
        report = self.ended()
        self.assertEqual((report["misses"], report["faults"], report["refused"]), (6, 0, 0))
        self.assertEqual(report["data"], [0x10fe0, 0x1101f])

    def test_what_is_not_mapped_is_not_touched(self):
        del self.pages[0x11000]
        self.run_ring()
        self.miss(), self.miss()
        self.assertEqual(self.used(), (1, 0, 32))
        report = self.ended()
        self.assertEqual((report["faults"], report["refused_at"]), (1, [0x11000]))

    def test_a_ring_may_be_stopped_while_it_waits(self):
        self.start(PLAIN | 1 << 33, BASE_OF_RING)
        self.desc(0, 0x11000, 64)
        self.offer(0)
        self.ask.recv(44, socket.MSG_WAITALL)
        self.assertEqual(self.halt(), 0)
        # The answer comes when the next ring has a question of its own.
        self.ask.sendall(struct.pack("<3IQ", 1, 5, 8, 1))
        self.start(PLAIN | 1 << 33, BASE_OF_RING)
        time.sleep(0.3)
        self.assertEqual(len(self.ask.recv(88, socket.MSG_PEEK)), 44, "it asks on without an answer")
        self.assertEqual([self.miss() for _ in range(4)], [0x3002, 0x2002, 0x1000, 0x11000])
        self.assertEqual(self.used(), (1, 0, 64))
        report = self.ended()
        self.assertEqual((report["misses"], report["faults"], report["refused"]), (5, 0, 0))


class Lies(Test):
    def told(self, *options, count=800):
        self.connect(*options)
        self.draw(count)
        report = self.ended()
        lies = (self.folder / "rng.json.lies").read_text()
        self.assertEqual(len(lies.splitlines()), sum(report["lies"].values()))
        return report, lies

    def test_a_seed_tells_the_same_again_and_another_seed_something_else(self):
        (_, first), (_, again), (_, other) = (self.told(f"lie={seed}") for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_half_of_it_is_lies_of_every_kind_that_a_ring_survives(self):
        report, _ = self.told("lie=3", count=4000)
        self.assertEqual(set(report["lies"]), {"longer", "huge", "shorter", "early", "late",
                                               "twice", "scribble", "order"})
        self.assertTrue(1200 < sum(report["lies"].values()) < 2400, report)

    def test_it_breaks_rings_only_if_it_is_told_to(self):
        report, _ = self.told("lie=3", "break=50")
        self.assertTrue({"nothing", "beyond", "other", "jump", "back", "never"} <= set(report["lies"]))

    def test_control_without_a_seed_it_does_not_lie(self):
        report, lies = self.told()
        self.assertEqual((report["lies"], lies, report["buffers"]), ({}, "", 800))

    def test_what_is_said_of_a_buffer_is_what_is_logged(self):
        self.connect("lie=5")
        self.start()
        self.desc(0, BASE + DATA, 64)
        lengths = []
        for count in range(1, 40):
            self.offer(0)
            self.until(lambda n=count: struct.unpack_from("<H", self.ram, USED + 2) == (n,))
            lengths.append(struct.unpack_from("<2I", self.ram, USED + 4 + 8 * ((count - 1) % NUM)))
        self.stop()
        self.ended()
        lies = {int(n): (kind, int(arg, 0)) for _, n, kind, arg in map(
            str.split, (self.folder / "rng.json.lies").read_text().splitlines())}
        wanted = {"longer": lambda arg: 65 + arg % 65536, "huge": lambda _: 0xffffffff,
                  "shorter": lambda arg: 8 + (arg % 56 & ~7)}
        for number, (told, length) in enumerate(lengths):
            kind, arg = lies.get(number, ("truth", 0))
            self.assertEqual((told, length), (0, wanted.get(kind, lambda _: 64)(arg)), number)


class Life(Test):
    def test_it_ends_when_its_front_end_does(self):
        self.connect()
        self.sock.close()
        self.assertEqual(self.behind.ended()[self.kind]["starts"], 0)

    def test_nothing_is_left_of_one_that_nobody_connects_to(self):
        behind = self.backends()
        proc, = behind._running.values()
        self.assertIsNone(proc.poll())
        behind.__exit__()
        self.assertEqual(proc.returncode, -signal.SIGKILL)

    def test_one_that_does_not_start_is_told(self):
        for option in ("only=1", "only=2-1", "offer=x", "lie=", "nothing=1"):
            with self.assertRaisesRegex(Fail, "the back end of rng has ended with 2: .* is no "):
                self.backends(option)

    def test_one_that_has_died_does_not_answer(self):
        behind = self.backends()
        proc, = behind._running.values()
        proc.kill()
        proc.wait()
        with self.assertRaisesRegex(Fail, "the back end of rng does not answer"):
            behind.ask("rng")

    def test_messages_that_make_no_sense_end_it(self):
        for message in (struct.pack("<3I", GET_FEATURES, 2, 0), struct.pack("<3I", 1, 1, 1 << 20),
                        struct.pack("<3I2I", SET_VRING_NUM, 1, 8, 0, 7),
                        struct.pack("<3I", 99, 1, 0), struct.pack("<3I2I", SET_MEM_TABLE, 1, 8, 9, 0),
                        struct.pack("<3I2I4Q", SET_VRING_ADDR, 1, 40, 0, 0, 1, 2, 3, 4)):
            self.connect()
            self.sock.sendall(message)
            proc, = self.behind._running.values()
            self.assertEqual(proc.wait(20), 0, message)

    def test_the_log_of_one_that_others_wrote_tells_numbers(self):
        script = "echo is up; echo MISS; echo MISS; read _; echo total: 7; echo total: 0x10"
        other = {"command": ["sh", "-c", script], "ready": "is up",
                 "numbers": {"misses": "MISS", "total": r"total: (\w+)", "none": r"none: (\d+)"}}
        one = {"behind": {"net": "other"}, "backend": [], "queues": {}}
        with mock.patch.object(backend, "kinds", return_value={"other": other}):
            behind = self.enterContext(Backends(one, None, self.folder))
        # It ends once its standard input does.
        self.assertEqual(behind.ended(), {"net": {"misses": 2, "total": 16, "none": 0}})

    def test_the_console_of_the_host_tells_of_its_kernel(self):
        kernel = {"numbers": {"misses": "MISS", "total": r"total: (\d+)"}}
        with mock.patch.object(backend, "kinds", return_value={"kernel": kernel}):
            behind = self.enterContext(Backends(
                {"behind": {"net": "kernel"}, "backend": [], "queues": {}}, None, self.folder))
        (self.folder / "console.log").write_text("MISS\ntotal: 5\nMISS\ntotal: 7\n")
        self.assertEqual(behind.ended(), {"net": {"misses": 2, "total": 7}})

    def test_one_that_does_not_get_ready_is_told(self):
        other = {"command": ["sh", "-c", "echo is down; read _"], "ready": "is up"}
        with mock.patch.object(backend, "kinds", return_value={"other": other}), \
                mock.patch.object(backend, "LIMIT", 0.2), \
                self.assertRaisesRegex(Fail, "back end of net does not get ready: is down"):
            Backends({"behind": {"net": "other"}, "backend": [], "queues": {}}, None, self.folder)

    def test_one_that_nobody_knows_is_told(self):
        with self.assertRaisesRegex(Fail, "unknown back end 'other' of net"):
            Backends({"behind": {"net": "other"}, "backend": [], "queues": {}}, None, self.folder)

    def test_it_is_built_once_for_what_it_is_made_of(self):
        with mock.patch.dict(os.environ, VDMA_CACHE=str(self.folder / "cache")):
            first = program.build("backend", "gcc")
            stamp = first.stat().st_mtime_ns
            self.assertEqual(program.build("backend", "gcc"), first)
            self.assertEqual(first.stat().st_mtime_ns, stamp)

    def test_a_report_is_json_that_says_all(self):
        self.connect()
        self.start()
        self.stop()
        self.ended()
        self.assertEqual(set(json.loads((self.folder / "rng.json").read_text())), {
            "offered", "acked", "starts", "buffers", "descriptors", "bytes", "ring", "rings",
            "data", "refused", "refused_at", "lies", "misses", "faults"})


if __name__ == "__main__":
    unittest.main()

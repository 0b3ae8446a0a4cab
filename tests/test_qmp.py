# SPDX-License-Identifier: GPL-2.0-only
"""QMP over a socket whose other end the test holds."""
import json
import socket
import unittest
from unittest import mock

from lab.core.errors import Fail
from lab.vm import qmp

GREETING = {"QMP": {"version": {}}}


def event(name):
    return {"event": name, "data": {}}


def text(*messages):
    return b"".join(json.dumps(message).encode() + b"\r\n" for message in messages)


class Looks:
    """A patience of a few looks. At each look it may do what the other end does meanwhile."""

    def __init__(self, *acts):
        self.acts = list(acts)

    def __call__(self):
        return self

    def look(self):
        if not self.acts:
            return False
        self.acts.pop(0)()
        return True


class Monitor(unittest.TestCase):
    def setUp(self):
        self.enterContext(mock.patch.object(qmp, "SLICE", 0.001))
        self.ours, self.theirs = socket.socketpair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)

    def say(self, *messages):
        self.theirs.sendall(text(*messages))

    def connect(self, *acts):
        """A connection whose greeting is over."""
        self.say(GREETING, {"return": {}})
        found = qmp.Qmp(self.ours, Looks(*acts))
        self.assertEqual(self.asked(), [{"execute": "qmp_capabilities"}])
        return found

    def asked(self):
        """What QEMU has been asked since the last look."""
        return [json.loads(line) for line in self.theirs.recv(1 << 16).splitlines()]

    def test_it_asks_and_returns_the_answer(self):
        monitor = self.connect()
        self.say({"return": {"status": "running"}})
        self.assertEqual(monitor("query-status", path="/a"), {"status": "running"})
        self.assertEqual(self.asked(), [
            {"execute": "query-status", "arguments": {"path": "/a"}}])

    def test_events_before_and_between_answers_are_kept_and_told_once(self):
        self.say(event("EARLY"))
        monitor = self.connect()
        self.say(event("FIRST"), event("SECOND"), {"return": 1}, event("THIRD"), {"return": 2},
                 event("LATE"), {"return": 3})
        self.assertEqual([monitor("a"), monitor("b"), monitor("c")], [1, 2, 3])
        names = [e["event"] for e in monitor.events]
        self.assertEqual(names, ["EARLY", "FIRST", "SECOND", "THIRD", "LATE"])

    def test_an_event_behind_the_answer_waits_for_the_next_one(self):
        monitor = self.connect()
        self.say({"return": 1}, event("BEHIND"))
        monitor("a")
        self.assertEqual(monitor.events, [])
        self.say({"return": 2})
        monitor("b")
        self.assertEqual(monitor.events, [event("BEHIND")])

    def test_two_answers_in_one_packet_are_two_answers(self):
        monitor = self.connect()
        self.say({"return": "one"}, {"return": "two"})
        self.assertEqual((monitor("a"), monitor("b")), ("one", "two"))

    def test_one_answer_in_two_packets_is_one_answer(self):
        whole = text({"return": "whole"})
        monitor = self.connect(lambda: self.theirs.sendall(whole[9:]))
        self.theirs.sendall(whole[:9])
        self.assertEqual(monitor("a"), "whole")

    def test_half_an_answer_is_none(self):
        monitor = self.connect()
        self.theirs.sendall(text({"return": "whole"})[:9])
        with self.assertRaises(qmp.Gone):
            monitor("a")

    def test_an_error_is_told_with_its_question(self):
        monitor = self.connect()
        self.say({"error": {"class": "GenericError", "desc": "no such device"}}, {"return": 1})
        with self.assertRaisesRegex(Fail, "^QMP device_del: no such device$"):
            monitor("device_del", id="blk")
        self.assertEqual(monitor("query-status"), 1)

    def test_who_hangs_up_is_gone(self):
        monitor = self.connect()
        self.theirs.shutdown(socket.SHUT_WR)
        with self.assertRaises(qmp.Gone):
            monitor("a")

    def test_who_cannot_be_asked_is_gone(self):
        monitor = self.connect()
        self.theirs.close()
        with self.assertRaises(qmp.Gone):
            monitor("a")

    def test_garbage_is_no_answer(self):
        monitor = self.connect()
        self.theirs.sendall(b"Segmentation fault\n")
        with self.assertRaises(qmp.Gone):
            monitor("a")

    def test_silence_ends_with_patience(self):
        looks = []
        monitor = self.connect(*[lambda: looks.append(1)] * 3)
        with self.assertRaises(qmp.Gone):
            monitor("a")
        self.assertEqual(len(looks), 3)

    def test_control_who_answers_late_but_in_time_is_heard(self):
        monitor = self.connect(int, int, lambda: self.say({"return": "late"}))
        self.assertEqual(monitor("a"), "late")


if __name__ == "__main__":
    unittest.main()

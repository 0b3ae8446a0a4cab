# SPDX-License-Identifier: GPL-2.0-only
"""Patience counts the time that a process had, and not the time that it waited for a CPU."""
import os
import unittest
from unittest import mock

from lab.vm import patience


class World:
    """A clock that only sleep() moves, and threads that wait for a CPU for a part of that."""

    def __init__(self, **starved):
        self.now, self.starved, self.waited = 100.0, starved, dict.fromkeys(starved, 7.0)

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        for thread, part in self.starved.items():
            self.waited[thread] += seconds * part

    def delays(self, _):
        return dict(self.waited)


class Patient(unittest.TestCase):
    def start(self, limit, **starved):
        """A world, and patience in it."""
        world = World(**starved)
        self.enterContext(mock.patch.object(patience, "time", world))
        self.enterContext(mock.patch.object(patience, "delays", world.delays))
        return world, patience.Patience(1, limit)

    def lasts(self, limit, most=100, **starved):
        """How many seconds pass before patience ends."""
        world, patient = self.start(limit, **starved)
        for second in range(1, most + 1):
            world.sleep(1)
            if not patient.look():
                return second
        return None

    def test_an_idle_process_loses_patience(self):
        self.assertEqual(self.lasts(10, vcpu=0), 10)

    def test_a_starved_process_does_not(self):
        self.assertIsNone(self.lasts(10, vcpu=1))

    def test_a_process_that_waits_half_its_time_gets_twice_as_long(self):
        self.assertEqual(self.lasts(10, vcpu=0.5), 20)

    def test_the_thread_that_waits_most_counts(self):
        self.assertIsNone(self.lasts(10, main=0, vcpu=1, worker=0.25))

    def test_a_process_that_is_gone_loses_patience(self):
        self.assertEqual(self.lasts(10), 10)

    def test_two_threads_that_wait_do_not_give_time_back(self):
        world, patient = self.start(10, one=1, two=1)
        world.sleep(50)
        self.assertTrue(patient.look())
        self.assertEqual(patient.left, 10)

    def test_more_waiting_than_time_does_not_give_time_back(self):
        world, patient = self.start(10, vcpu=1.5)
        world.sleep(50)
        self.assertTrue(patient.look())
        self.assertEqual(patient.left, 10)

    def test_until_returns_the_answer(self):
        world, patient = self.start(10, vcpu=0)
        answer = patient.until(lambda: "there" if world.now > 105 else "")
        self.assertEqual(answer, "there")
        self.assertLess(world.now, 106)

    def test_until_gives_up(self):
        world, patient = self.start(10, vcpu=0)
        self.assertIsNone(patient.until(lambda: False))
        self.assertAlmostEqual(world.now, 110, delta=1)

    def test_until_waits_for_a_starved_process(self):
        world, patient = self.start(10, vcpu=1)
        self.assertEqual(patient.until(lambda: world.now > 150 and "late"), "late")

    def test_until_asks_at_least_once(self):
        _, patient = self.start(0, vcpu=0)
        self.assertEqual(patient.until(lambda: 42), 42)

    def test_delays_are_of_each_thread_of_a_process(self):
        found = patience.delays(os.getpid())
        self.assertIn(str(os.getpid()), found)
        self.assertTrue(all(seconds >= 0 for seconds in found.values()))

    def test_a_process_that_is_not_there_has_no_delays(self):
        self.assertEqual(patience.delays(1 << 30), {})


if __name__ == "__main__":
    unittest.main()

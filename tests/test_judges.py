# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts on records: good ones pass, and what is wrong turns the right check red."""
import copy
import functools
import getpass
import json
import re
import socket
import unittest
from pathlib import Path
from unittest import mock

from lab.judge import boot, data
from lab.judge.device_table import device_table
from lab.model import media, scenario
from lab.model.check import Check
from lab.model.record import FILE, Record

from . import records
from .changes import TABLE
from .kinds import kinds, kinds_of


@functools.cache
def good(name):
    """A record as it should be."""
    return records.MADE[name]() if name in records.MADE else records.load(name)


@functools.cache
def before(name):
    """What is said of such a record, by id: a kind may be there more than once."""
    return red(good(name))


def red(record):
    """The ids of the checks that do not hold, and of all."""
    checks = boot.judge(record)
    return {c.id for c in checks if not c.ok}, {c.id for c in checks}


def setUpModule():
    # Each takes a tenth of a second, and is needed for each of the changes.
    for module, name, slow in ((data, "pattern", media.pattern),
                               (scenario, "load", scenario.load)):
        cached = mock.patch.object(module, name, functools.cache(slow))
        cached.start()
        unittest.addModuleCleanup(cached.stop)


class Good(unittest.TestCase):
    def test_every_saved_record_passes(self):
        self.assertGreater(len(records.saved()), 7)
        for name in records.saved():
            with self.subTest(name):
                self.assertEqual(before(name)[0], set())

    def test_every_record_made_by_hand_passes(self):
        for name in records.MADE:
            with self.subTest(name):
                self.assertEqual(before(name)[0], set())

    def test_a_verdict_depends_on_the_record_alone_and_leaves_it_alone(self):
        for name in records.saved():
            with self.subTest(name):
                record = records.load(name)
                kept = copy.deepcopy(record)
                first = boot.judge(record)
                self.assertEqual(record, kept)
                self.assertEqual(boot.judge(record), first)
                self.assertEqual(boot.judge(kept), first)

    def test_its_devices_are_shown_as_working(self):
        record = good("pci-others")
        table = device_table(record, boot.judge(record)).splitlines()
        self.assertEqual([line.split()[0] for line in table[1:]], record.scenario["devices"])
        self.assertEqual([line for line in table[1:] if " ok " not in line], [])


class Wrong(unittest.TestCase):
    def test_each_change_turns_its_check_red(self):
        for number, (name, change, check) in enumerate(TABLE):
            with self.subTest(number=number, record=name, check=check):
                self.assertNotIn(check, before(name)[0])
                record = copy.deepcopy(good(name))
                change(record)
                self.assertIn(check, red(record)[0])

    def test_every_kind_of_check_is_turned_red_by_some_change(self):
        turned = set().union(*(kinds_of(check) for _, _, check in TABLE))
        self.assertEqual(kinds() - turned, set())

    def test_every_record_is_used(self):
        self.assertEqual({name for name, _, _ in TABLE}, {*records.saved(), *records.MADE})

    def test_a_device_that_fails_is_shown_as_one(self):
        record = good("pci-others")
        checks = [c._replace(ok=c.id != "gpu.pixels") for c in boot.judge(record)]
        shown = [line.split()[0] for line in device_table(record, checks).splitlines()
                 if "FAILED" in line]
        self.assertEqual(shown, ["gpu"])


class NegativeControls(unittest.TestCase):
    """Of a control, what must fail holds if it fails."""

    def judge(self, must_fail, change=None):
        record = copy.deepcopy(good("kunit"))
        record.scenario = record.scenario | {"must_fail": must_fail}
        if change:
            change(record)
        return {c.id: c for c in boot.judge(record)}

    def test_a_check_that_must_fail_and_does_holds(self):
        broken = next(c for _, c, check in TABLE if check == "kunit.virtio_dma_mode")
        self.assertTrue(self.judge(["kunit.virtio_dma_mode"], broken)["kunit.virtio_dma_mode"].ok)
        self.assertFalse(self.judge([], broken)["kunit.virtio_dma_mode"].ok)

    def test_a_check_that_must_fail_and_holds_fails(self):
        found = self.judge(["guest.end"])["guest.end"]
        self.assertFalse(found.ok)
        self.assertTrue(found.title.startswith("control: this must fail: "))

    def test_a_check_that_must_fail_and_is_not_made_fails(self):
        self.assertFalse(self.judge(["blk.read"])["blk.read"].ok)
        self.assertNotIn("blk.read", self.judge([]))

    def test_errors_that_are_wanted_must_be_those_that_are_reported(self):
        for wanted, reported, holds in ((["keys"], "keys", True), (["keys"], "read", False),
                                        ([], "keys", False), (["keys"], None, False)):
            record = copy.deepcopy(good("kunit"))
            record.scenario = record.scenario | {"errors": wanted}
            if reported:
                record.said.append(["error", {"what": reported}])
                record.all("done")[0]["errors"] = "1"
            self.assertEqual("guest.end" not in red(record)[0], holds, (wanted, reported))

    def test_a_warning_that_is_expected_is_none(self):
        report = ("[ 1.0] ------------[ cut here ]------------\nWARNING: CPU: 0\n"
                  "remove_proc_entry: x\n[ 1.0] ---[ end trace 0000 ]---\n")
        for trouble, holds in ((["remove_proc_entry"], True), ([], False), (["other"], False)):
            record = copy.deepcopy(good("kunit"))
            record.scenario = record.scenario | {"trouble": trouble}
            record.console += report
            self.assertEqual("console.clean" not in red(record)[0], holds, trouble)

    def test_a_cpu_that_goes_may_have_a_task_of_the_scheduler_s_own(self):
        for name, holds in (("queued", True), ("pinged", False)):
            record = copy.deepcopy(good(name))
            record.console += (f"[ 1.0] ------------[ cut here ]------------\n{boot.DYING}!\n"
                               "WARNING: CPU: 6\n[ 1.0] ---[ end trace 0000 ]---\n")
            self.assertEqual("console.clean" not in red(record)[0], holds, name)


class Kinds(unittest.TestCase):
    """The table cannot be complete if a kind is overlooked."""

    def test_each_check_of_the_judges_has_a_kind(self):
        calls = sum(len(re.findall(r"\bCheck\((?!name,)", path.read_text()))
                    for path in Path(boot.__file__).parent.glob("*.py"))
        self.assertGreater(len(kinds()), 40)
        found = {check for name in (*records.saved(), *records.MADE) for check in before(name)[1]}
        self.assertEqual({check for check in found if len(kinds_of(check)) != 1}, set())
        self.assertGreaterEqual(calls, len(kinds()))

    def test_an_id_is_of_the_kind_that_names_it_most(self):
        self.assertEqual(kinds_of("blk.flood"), {"blk.flood"})
        self.assertEqual(kinds_of("running.net.rings"), {"{moment}.{name}.rings"})
        self.assertEqual(kinds_of("net.nothing"), set())


class Saved(unittest.TestCase):
    def test_a_record_is_read_as_it_was_saved(self):
        for name in records.saved():
            text = (records.FOLDER / name / FILE).read_text()
            with self.subTest(name), mock.patch.object(Path, "write_text") as write, \
                    mock.patch.object(Path, "mkdir"):
                good(name).save("anywhere")
                write.assert_called_once_with(text)

    def test_it_is_small_and_has_nothing_of_the_machine_that_made_it(self):
        for name in records.saved():
            text = (records.FOLDER / name / FILE).read_text()
            self.assertLess(len(text), 60 << 10, name)
            self.assertEqual(re.findall(r"/(?:home|root|tmp|var|usr)/\S*", text), [], name)
            for word in {getpass.getuser(), socket.gethostname()} - {"root", "localhost", "vdma"}:
                self.assertNotIn(word, text)

    def test_what_is_no_record_is_refused(self):
        for text in ("", "{}", "[]", json.dumps({"scenario": {"name": "kunit"}})):
            with mock.patch.object(Path, "read_text", return_value=text), \
                    self.assertRaisesRegex(Exception, "holds no record of a boot"):
                Record.load("folder")

    def test_checks_without_an_id_have_one_made_of_their_title(self):
        self.assertEqual(Check.of("it's 2, all right!", 1).id, "it-s-2-all-right")


if __name__ == "__main__":
    unittest.main()

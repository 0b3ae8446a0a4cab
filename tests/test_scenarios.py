# SPDX-License-Identifier: GPL-2.0-only
"""The scenario loader, and what must be true of all scenarios."""
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.build.kernel import VARIANTS
from lab.core.errors import Fail
from lab.model import mutation, scenario
from lab.patches import base, series
from lab.patches.swiotlb import BASES, Swiotlb

from .kinds import kinds_of

MADE = """
[all]
arch = "arm64"
kernels = ["series"]
transport = "pci"
memory = "512M"
cpus = 1
devices = ["blk"]
steps = ["devices"]
mode = "phys"

[plain]
about = "what all of them have"

[own]
about = "what it has of its own"
memory = "1G"
config = ["modules"]
companion = true
on."6.1".memory = "2G"
on."6.1".bits = { VERSION_1 = true }
on.mainline.missing = "nobody has it"
debug.memory = "4G"
debug.trouble = ["slow"]
"""


class Made(unittest.TestCase):
    """Scenarios that the test has written."""

    def setUp(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.object(scenario, "FOLDER", folder))
        self.file = folder / "made.toml"
        self.file.write_text(MADE)

    def test_a_scenario_has_what_all_have_and_what_nobody_names(self):
        plain = scenario.load()["plain"]
        self.assertEqual((plain["memory"], plain["devices"]), ("512M", ["blk"]))
        self.assertEqual((plain["must_fail"], plain["cacheable"], plain["companion"]),
                         ([], True, False))
        self.assertEqual((plain["name"], plain["base"]), ("plain", scenario.BASE))
        self.assertEqual(plain["machine"]["name"], "arm64")

    def test_its_own_keys_come_before_those_of_all(self):
        self.assertEqual(scenario.load()["own"]["memory"], "1G")

    def test_a_base_s_keys_come_before_its_own_on_that_base_only(self):
        old, new = scenario.load("6.1")["own"], scenario.load("6.12")["own"]
        self.assertEqual((old["memory"], old["bits"]), ("2G", {"VERSION_1": True}))
        self.assertEqual((new["memory"], new["bits"]), ("1G", {}))

    def test_an_unknown_key_is_refused_by_name(self):
        for text in ("cpu = 2", "on.'6.12'.cpu = 2"):
            self.file.write_text(MADE + text + "\n")
            with self.assertRaisesRegex(Fail, "made.toml: scenario own has unknown keys: cpu$"):
                scenario.load()

    def test_a_key_of_another_base_is_not_looked_at(self):
        self.file.write_text(MADE + "on.'6.1'.cpu = 2\n")
        self.assertIn("own", scenario.load("6.12"))
        with self.assertRaises(Fail):
            scenario.load("6.1")

    def test_debug_changes_keys_and_adds_its_fragment_once(self):
        debug = scenario.with_debug(scenario.load()["own"])
        self.assertEqual((debug["memory"], debug["trouble"], debug["watched"]),
                         ("4G", ["slow"], True))
        self.assertEqual(debug["machine"]["fragments"], ["debug", "modules"])
        again = scenario.with_debug(debug)
        self.assertEqual(again["machine"]["fragments"], ["debug", "modules"])

    def test_control_without_debug_nothing_of_it_is_there(self):
        own = scenario.load()["own"]
        self.assertEqual((own["trouble"], own["watched"]), ([], False))
        self.assertEqual(own["machine"]["fragments"], ["modules"])

    def test_another_companion_is_for_those_that_take_one(self):
        known = scenario.load()
        self.assertEqual(known["own"]["companion"], scenario.COMPANION)
        other = scenario.with_companion(known["own"], "qemu-10.2")
        self.assertEqual(other["companion"], "qemu-10.2")
        self.assertFalse(scenario.with_companion(known["plain"], "qemu-10.2")["companion"])

    def test_a_step_that_starts_another_kernel_is_seen_under_load_as_well(self):
        for steps, wanted in ((["devices", "kexec"], True), (["loaded:crash"], True),
                              (["crash", "vmcore"], True), (["loaded:suspend", "vmcore"], False)):
            self.assertEqual(scenario.starts_another({"steps": steps}), wanted, steps)

    def test_the_type_of_a_domain_is_what_the_last_step_made_it(self):
        one = {"domain": "DMA", "steps": ["devices", "loaded:domain:DMA-FQ:bound", "devices",
                                          "domain:identity", "sync:identity", "devices"]}
        self.assertEqual(scenario.domain_at(one, "devices"), ["DMA", "DMA-FQ", "identity"])
        self.assertEqual(scenario.domain_at(one, "domain"), ["DMA-FQ", "identity"])
        self.assertEqual(scenario.domain_at(one, "sync:identity"), ["identity"])
        self.assertEqual(scenario.domain_at(one, "sync:other"), [])

    def test_pick_hints_at_names_that_are_near(self):
        with self.assertRaisesRegex(Fail, "unknown scenario 'ow'") as caught:
            scenario.pick(["ow"])
        self.assertEqual(caught.exception.hint, "'./vdma list' has them all, such as own")
        with self.assertRaises(Fail) as caught:
            scenario.pick(["nothing-like-it"])
        self.assertIn("such as plain, own", caught.exception.hint)

    def test_pick_says_why_a_base_cannot_run_it(self):
        with self.assertRaisesRegex(Fail, "base mainline cannot run own: nobody has it"):
            scenario.pick(["own"], "mainline")
        self.assertEqual(scenario.pick(["own"], "6.12")[0]["name"], "own")

    def test_pick_keeps_the_order_that_was_asked_for(self):
        names = [one["name"] for one in scenario.pick(["own", "plain"])]
        self.assertEqual(names, ["own", "plain"])


class All(unittest.TestCase):
    """The scenarios of the lab."""

    def each(self, check):
        """Have a check look at every scenario on every base."""
        every = [one for name in base.names() for one in scenario.load(name).values()]
        self.assertGreater(len(every), 300)
        for one in every:
            with self.subTest(base=one["base"], scenario=one["name"]):
                check(one)

    def test_a_check_that_must_fail_is_one_that_a_judge_can_give(self):
        def check(one):
            for name in one["must_fail"]:
                self.assertTrue(kinds_of(name), name)
        self.each(check)

    def test_control_an_id_that_no_judge_gives_is_seen(self):
        for name in ("blk.reads", "running.blk.ring", "running", "guest end", "console.cleans"):
            self.assertFalse(kinds_of(name), name)

    def test_its_kernels_are_there(self):
        def check(one):
            self.assertTrue(one["kernels"])
            if not one["missing"]:
                kernels = [*one["kernels"], one["next"] or "series"]
                self.assertEqual([k for k in kernels if not known(k, one["base"])], [])
        self.each(check)

    def test_control_an_unknown_kernel_is_seen(self):
        self.assertFalse(known("vmda", "6.12"))
        self.assertFalse(known("limited", "6.12"))
        self.assertTrue(known("limited", "mainline"))
        self.assertTrue(known("naive", "6.1"))
        self.assertFalse(known("swiotlb", "6.1"))
        self.assertFalse(known("swiotlb@9", "6.12"))
        self.assertFalse(known("swiotlb+none", "6.12"))

    def test_the_default_is_there(self):
        self.assertEqual(scenario.pick([])[0]["name"], scenario.DEFAULT)


def known(kind, name):
    """Whether a base has this kernel: with a series, without, or of a variant; or a mutant of it."""
    below, _, mutant = kind.partition("+")
    if mutant:
        return mutant in mutation.load() and known(below, name)
    if kind.startswith("swiotlb"):
        count = int(kind.partition("@")[2] or 1)
        return name in BASES and 0 < count <= len(series.entries(Swiotlb(name)))
    return kind in ("series", "stock") or any(
        (VARIANTS / f"{stem}.diff").exists() for stem in (kind, f"{kind}.{name}"))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""Which tests depend on which files, and which part of a run has them."""
import unittest
from unittest import mock

from lab.core.cache import ROOT
from lab.core.errors import Fail
from lab.core.git import git
from lab.flows import parts
from lab.flows.since import PARTS, Plan, add
from lab.model import pairwise, scenario
from lab.patches import series
from lab.patches.base import Base


def plan(path):
    made = Plan()
    add(made, path, "HEAD")
    return made


class Since(unittest.TestCase):
    def test_every_file_of_the_repository_is_known(self):
        # The series is read once, and not for each of its files.
        self.enterContext(mock.patch.object(
            series, "folders", return_value=series.folders(Base(scenario.BASE))))
        for path in git(ROOT, "ls-files").splitlines():
            with self.subTest(path):
                self.assertTrue(plan(path).parts <= set(PARTS))

    def test_an_unknown_file_is_refused(self):
        with self.assertRaises(Fail):
            plan("lab/elsewhere/x")

    def test_a_document_boots_nothing(self):
        self.assertEqual(plan("docs/glossary.md"), Plan())

    def test_a_judge_boots_nothing(self):
        self.assertEqual(plan("lab/judge/host.py"), Plan())

    def test_code_of_the_series_boots_its_scenarios(self):
        made = plan("drivers/virtio/virtio_dma_mode.c")
        self.assertIn((scenario.BASE, "kunit"), made.boots)
        self.assertIn((scenario.BASE, "ppc-secure-legacy"), made.boots)
        self.assertTrue(made.checks[scenario.BASE])

    def test_code_of_one_architecture_boots_that_one_only(self):
        hunk = next(path for path in git(ROOT, "ls-files", "series/*-arm64/common.diff").splitlines())
        known = scenario.load()
        found = {known[name]["arch"] for base, name in plan(hunk).boots if base == scenario.BASE}
        self.assertEqual(found, {"arm64"})

    def test_a_step_boots_the_scenarios_that_take_it(self):
        names = {name for _, name in plan("lab/guest/steps/gpu.c").boots}
        self.assertIn("pci-others", names)
        self.assertNotIn("pci-modern", names)

    def test_the_back_end_boots_the_scenarios_that_have_it(self):
        for path in ("lab/backend/ring.c", "lab/vm/backend.py"):
            names = {name for _, name in plan(path).boots}
            self.assertIn("vhost-user-rng-stock", names)
            self.assertNotIn("pci-modern", names)

    def test_what_is_left_out_is_said(self):
        self.assertIn("bench", plan("docs/glossary.md").left_out())
        self.assertNotIn("bench", plan("lab/bench.toml").left_out())


class Slices(unittest.TestCase):
    def test_slices_are_the_whole_and_do_not_overlap(self):
        some = [parts.slice_of(f"{n}/7") for n in range(1, 8)]
        self.assertEqual(set().union(*some), set(parts.every()))
        self.assertEqual(sum(map(len, some)), len(parts.every()))

    def test_what_is_no_slice_is_refused(self):
        for text in ("0/7", "8/7", "1", "a/b", "1/0"):
            with self.subTest(text), self.assertRaises(Fail):
                parts.slice_of(text)


class Pairs(unittest.TestCase):
    def setUp(self):
        self.every = [one for one in scenario.load().values() if one["arch"] == "arm64"]
        self.chosen = pairwise.choose(self.every)

    def test_fewer_are_chosen_and_no_pair_is_lost(self):
        def pairs(some):
            return {pair for one in some for pair in
                    pairwise.combinations(sorted(pairwise.properties(one)), 2)}
        some = [one for one in self.every if one["name"] in self.chosen]
        self.assertLess(len(some), len(self.every))
        self.assertEqual(pairs(some), pairs(self.every))
        self.assertNotEqual(pairs(some[1:]), pairs(self.every))

    def test_controls_stay(self):
        for one in self.every:
            if one["must_fail"] or one["stuck"]:
                self.assertIn(one["name"], self.chosen)


if __name__ == "__main__":
    unittest.main()

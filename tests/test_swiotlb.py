# SPDX-License-Identifier: GPL-2.0-only
"""The swiotlb series: whose bases it takes, and the kernels that have it."""
import unittest
from unittest import mock

from lab.build import kernel
from lab.cli.series import base_of
from lab.core.errors import Fail
from lab.patches import series
from lab.patches.base import Base
from lab.patches.swiotlb import BASES, Swiotlb


class Swiotlbs(unittest.TestCase):
    def test_each_of_its_commits_has_hunks_for_each_of_its_bases(self):
        for name in BASES:
            for entry in series.entries(Swiotlb(name)):
                with self.subTest(entry.name, base=name):
                    self.assertIn("kernel/dma/swiotlb.c", entry.edits(name))

    def test_it_is_named_with_its_base(self):
        made = base_of("swiotlb-6.12")
        self.assertEqual((type(made), made.name, made.tree), (Swiotlb, "6.12", Base("6.12").tree))
        self.assertEqual(type(base_of("6.12")), Base)

    def test_it_has_not_every_base(self):
        with self.assertRaisesRegex(Fail, "no base '6.1'"):
            base_of("swiotlb-6.1")

    def test_a_kernel_has_it_alone_or_a_part_of_it(self):
        def commits(base):
            return [f"{type(base).__name__} {number}" for number in (1, 2, 3)]

        with mock.patch.object(series, "commits", commits):
            for kind, commit in (("swiotlb", "Swiotlb 3"), ("swiotlb@2", "Swiotlb 2"),
                                 ("series@1", "Base 1")):
                self.assertEqual(kernel.commit_of(Base("6.12"), kind), commit)
            with self.assertRaises(Fail):
                kernel.commit_of(Base("6.12"), "swiotlb@4")

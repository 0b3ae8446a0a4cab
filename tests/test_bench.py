# SPDX-License-Identifier: GPL-2.0-only
"""What must hold of counted instructions, on counts that are made up."""
import types
import unittest
from collections import Counter
from unittest import mock

from lab.flows import bench

EACH = bench.MANY - bench.FEW


def row(name, path, copy=0, **data):
    guest = types.SimpleNamespace(defined=lambda: {"virtqueue_add"})
    cost = bench.Cost(Counter(), Counter({"virtqueue_add": path * EACH,
                                          "swiotlb_bounce:helper": copy * EACH}))
    return bench.Row(name, {"about": name, "sizes": [4096], **data}, guest, {4096: cost})


def failed(*rows):
    return [check.title for check in bench.judge({row.name: row for row in rows}) if not check.ok]


class Bench(unittest.TestCase):
    limit = row("limit", 1000)

    def test_a_goal_is_a_ratio_to_what_no_bounce_undercuts(self):
        self.assertEqual(failed(self.limit, row("own", 3000, 1000, limit="limit", goal=[2.0])), [])
        self.assertEqual(failed(self.limit, row("own", 3100, 1000, limit="limit", goal=[2.0])),
                         ["4 KiB: own: at most 2.0 times the limit"])

    def test_what_must_cost_more_does(self):
        self.assertEqual(failed(self.limit, row("own", 1010, above="limit")), [])
        self.assertEqual(failed(self.limit, row("own", 1000, above="limit")),
                         ["4 KiB: own: costs more than limit"])

    def test_a_slow_row_is_left_out_and_nothing_else_needs_it(self):
        with mock.patch.object(bench.Guest, "make", lambda *_: None):
            some, every = (bench.rows(None, None, slow) for slow in (False, True))
        self.assertEqual(set(every), set(bench.DATA["rows"]))
        slow = set(every) - set(some)
        self.assertEqual(slow, {name for name, one in every.items() if one.data.get("slow")})
        for name, one in some.items():
            with self.subTest(name):
                self.assertFalse(slow & {*map(str, one.data.values())})

    def test_a_row_has_the_sizes_of_those_that_it_is_compared_to(self):
        with mock.patch.object(bench.Guest, "make", lambda *_: None):
            every = bench.rows(None, None, True)
        for name, one in every.items():
            for key in bench.RELATIONS.keys() | {"limit", "stronger"}:
                if other := one.data.get(key):
                    with self.subTest(name, key=key):
                        self.assertLessEqual(set(one.sizes), set(every[other].sizes))


if __name__ == "__main__":
    unittest.main()

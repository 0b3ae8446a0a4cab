# SPDX-License-Identifier: GPL-2.0-only
"""Which boots the table of modes shows."""
import unittest
from unittest import mock

from lab.flows import results


class Tabled(unittest.TestCase):
    def tabled(self, missing, **own):
        with mock.patch.object(results.scenario, "load", return_value={"a": {"missing": missing}}):
            return results.tabled({"name": "a", "base": results.scenario.BASE} | own)

    def test_a_scenario_without_a_row_is_not_shown(self):
        self.assertFalse(self.tabled("cannot"))
        self.assertFalse(self.tabled("cannot", base="mainline"))

    def test_the_default_base_is_shown_and_others_only_in_its_place(self):
        self.assertTrue(self.tabled(None, row="a machine"))
        self.assertFalse(self.tabled(None, row="a machine", base="mainline"))
        self.assertTrue(self.tabled("cannot", row="a machine", base="mainline"))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""Results: what is printed, what the summary counts, and the status that follows."""
import contextlib
import io
import re
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

from lab.core.ktap import REASON, Report
from lab.model.check import Check

GOOD = Check("blk.read", "blk: reads", True, "not shown")
BAD = Check("blk.write", "blk: writes", False, "expected 1\nfound 2")


def report(*tests, **close):
    """The output of a report of these tests but for how long it took, and its exit status."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        made = Report()
        for name, checks, skip in tests:
            made.add(name, checks, skip)
        status = made.close(**close)
    text, lines = re.subn(r"^# took \d+\.\d min, and \d+\.\d min of CPU time\n", "",
                          out.getvalue(), flags=re.M)
    assert lines == 1, out.getvalue()
    return text, status


class Ktap(unittest.TestCase):
    def test_a_test_passes_if_all_its_checks_hold(self):
        out, status = report(("boot", [GOOD, GOOD], None))
        self.assertEqual(out.splitlines(), [
            "KTAP version 1",
            "    KTAP version 1",
            "    1..2",
            "    ok 1 blk.read: blk: reads",
            "    ok 2 blk.read: blk: reads",
            "ok 1 boot",
            "1..1",
            "1 passed, 0 failed, 0 skipped"])
        self.assertEqual(status, 0)

    def test_one_check_that_does_not_hold_fails_the_test(self):
        out, status = report(("boot", [GOOD, BAD], None), ("other", [GOOD], None))
        lines = out.splitlines()
        at = lines.index("    not ok 2 blk.write: blk: writes")
        self.assertEqual(lines[at + 1:at + 4], ["    # expected 1", "    # found 2",
                                                "not ok 1 boot"])
        self.assertEqual(lines[-4:], ["1..2", "# not ok 1 boot",
                                      "#     blk.write: blk: writes: expected 1 found 2",
                                      "1 passed, 1 failed, 0 skipped"])
        self.assertEqual(status, 1)

    def test_no_check_at_all_is_a_failure(self):
        out, status = report(("nothing", [], None), ("boot", [GOOD], None))
        self.assertIn("not ok 1 nothing\n", out)
        self.assertIn("1 passed, 1 failed, 0 skipped", out)
        self.assertEqual(status, 1)

    def test_a_skipped_test_says_why_and_counts_as_neither(self):
        out, status = report(("old", [], "6.1 has it not"), ("boot", [GOOD], None))
        self.assertIn("\nok 1 old # SKIP 6.1 has it not\n", out)
        self.assertTrue(out.endswith("1 passed, 0 failed, 1 skipped\n"))
        self.assertEqual(status, 0)

    def test_a_run_in_which_nothing_passed_has_not_passed(self):
        self.assertEqual(report()[1], 1)
        self.assertEqual(report(("old", [], "6.1 has it not"))[1], 1)

    def test_checks_may_be_an_iterator(self):
        _, status = report(("boot", iter([GOOD, BAD]), None))
        self.assertEqual(status, 1)

    def test_a_note_stands_before_the_summary(self):
        out, _ = report(("boot", [GOOD], None), note="checked: a lot")
        self.assertEqual(out.splitlines()[-2:], ["# checked: a lot",
                                                 "1 passed, 0 failed, 0 skipped"])

    def test_the_end_repeats_long_reasons_in_part_only(self):
        out, _ = report(("boot", [BAD._replace(detail="x" * 1000)], None))
        self.assertEqual(len(out.splitlines()[-2]), len("#     blk.write: blk: writes: ") + REASON)


class Junit(unittest.TestCase):
    def test_it_parses_and_says_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "junit.xml"
            report(("boot <a> & b", [GOOD, BAD], None), ("old", [], "6.1 has it not"),
                   ("fine", [GOOD], None), ("nothing", [], None), junit=path)
            suite = ElementTree.parse(path).getroot()
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("skipped")),
                         ("4", "2", "1"))
        cases = {case.get("name"): case for case in suite}
        self.assertEqual(list(cases), ["boot <a> & b", "old", "fine", "nothing"])
        failure = cases["boot <a> & b"].find("failure")
        self.assertEqual(failure.get("message"), "blk.write: blk: writes")
        self.assertIn("expected 1\nfound 2", failure.text)
        self.assertEqual(cases["nothing"].find("failure").get("message"), "no checks")
        self.assertEqual(cases["old"].find("skipped").get("message"), "6.1 has it not")
        self.assertIsNone(cases["old"].find("failure"))
        self.assertEqual(list(cases["fine"]), [])


if __name__ == "__main__":
    unittest.main()

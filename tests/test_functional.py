# SPDX-License-Identifier: GPL-2.0-only
"""The companion QEMU's own tests: which there are, and when they count as passed."""
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.build import qemu
from lab.build.qemu import complete
from lab.patches import series
from lab.patches.qemu import companions, Qemu, read


class Functional(unittest.TestCase):
    def test_each_is_in_the_series_and_has_its_control(self):
        added = {path for name in companions() for entry in series.entries(Qemu(name))
                 for path in entry.adds if "/test_" in path}
        self.assertEqual(added, set(read()["functional"]))
        for path, test in read()["functional"].items():
            with self.subTest(path):
                text = (Qemu.overlay / path).read_text()
                self.assertIn(f"def {test['control']}(", text)
                self.assertIn(test["option"], text)
                self.assertTrue(os.access(Qemu.overlay / path, os.X_OK))


class Complete(unittest.TestCase):
    def test_all_that_is_planned_has_passed(self):
        self.assertTrue(complete("TAP version 13\nok 1 a\nok 2 b\n1..2\n"))

    def test_less_than_that_does_not_count(self):
        for said in ("ok 1 a\n", "1..0\n", "ok 1 a\n1..2\n", "ok 1 a\nnot ok 2 b\n1..2\n",
                     "ok 1 a\nok 2 b # SKIP no machine\n1..2\n", "ok 1 a # skip\n1..1\n"):
            with self.subTest(said):
                self.assertFalse(complete(said))

    def test_one_that_hangs_has_failed(self):
        with tempfile.TemporaryDirectory(prefix="vdma-") as folder, \
                mock.patch.object(qemu, "build", return_value=Path(folder)), \
                mock.patch.object(qemu, "QTEST", "0.5"):
            for end, passed in ("", True), ("exec sleep 60\n", False):
                test = Path(folder) / "test"
                test.write_text(f"#!/bin/sh\necho ok 1 a; echo 1..1\n{end}")
                test.chmod(0o755)
                self.assertEqual(qemu.qtest("test", "qemu", "qemu"), (passed, "ok 1 a\n1..1\n"))


if __name__ == "__main__":
    unittest.main()

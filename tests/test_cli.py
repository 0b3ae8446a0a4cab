# SPDX-License-Identifier: GPL-2.0-only
"""The command line, as far as it needs neither a kernel nor QEMU."""
import contextlib
import io
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from lab.cli import main

ROOT = Path(__file__).resolve().parent.parent


def vdma(words, tail=""):
    """Run ./vdma in a shell, perhaps in front of a pipe: its own status, and what it says."""
    script = f"./vdma {words} {tail}; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", script], cwd=ROOT, text=True, check=False,
                            stdin=subprocess.DEVNULL, capture_output=True)
    return result.returncode, result.stdout, result.stderr


class CommandLine(unittest.TestCase):
    def called(self, *words):
        """What ./vdma does once Python has started, here: its status, and what it says."""
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        self.addCleanup(os.umask, os.umask(0o022))
        with mock.patch.dict(os.environ), mock.patch.object(sys, "argv", ["vdma", *words]), \
                contextlib.redirect_stderr(io.StringIO()) as said:
            return main.main(), said.getvalue()

    def test_a_reader_that_goes_is_no_error(self):
        status, _, said = vdma("list", "| true")
        self.assertEqual((status, said), (141, ""))

    def test_a_full_disk_is_one(self):
        status, _, said = vdma("list", "> /dev/full")
        self.assertEqual(status, 1)
        self.assertIn("hint:", said)

    def test_refresh_refuses_what_is_no_tree(self):
        status, said = self.called("refresh", "6.12", str(ROOT / "tests"))
        self.assertEqual(status, 1)
        self.assertIn("tests is not a git tree", said)

    def test_a_verb_is_needed(self):
        status, _, said = vdma("")
        self.assertEqual(status, 2)
        self.assertIn("VERB", said)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""What a killed run leaves in its folder goes when the next one comes; a running one keeps it."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.core.cache import ROOT, scratch

USE = """import sys
from lab.core.cache import scratch
with scratch() as folder:
    (folder / "data").write_text("")
    print(folder, flush=True)
    sys.stdin.read()
"""


class Scratch(unittest.TestCase):
    def test_only_what_is_left_is_removed(self):
        with tempfile.TemporaryDirectory() as temp, \
                mock.patch.dict(os.environ, {"VDMA_CACHE": temp}):
            runs = [subprocess.Popen([sys.executable, "-S", "-c", USE], cwd=ROOT, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                    for _ in range(2)]
            killed, running = [Path(run.stdout.readline().strip()) for run in runs]
            with scratch():
                self.assertTrue(killed.exists() and running.exists())
            runs[0].kill()
            runs[0].wait()
            self.assertTrue(killed.exists())
            with scratch() as own:
                self.assertFalse(killed.exists())
                self.assertTrue((running / "data").exists() and own.exists())
            runs[1].communicate("")
            self.assertEqual(list((Path(temp) / "run").iterdir()), [])
            runs[0].stdin.close()
            runs[0].stdout.close()


if __name__ == "__main__":
    unittest.main()

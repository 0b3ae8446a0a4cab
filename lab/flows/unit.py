# SPDX-License-Identifier: GPL-2.0-only
"""The unit tests of the lab, as one test of a run."""
import re
import subprocess
import sys

from ..core.cache import ROOT
from ..model.check import Check


def tests():
    result = subprocess.run([sys.executable, "-m", "unittest", "discover", "-t", ROOT, "-s",
                             ROOT / "tests"], cwd=ROOT, text=True, capture_output=True,
                            check=False)
    ran = re.search(r"^Ran (\d+) tests? in ([\d.]+)s$", result.stderr, re.M)
    yield "unit tests of the lab", [
        Check.of("they pass", result.returncode == 0 and ran and int(ran[1]), result.stderr)]

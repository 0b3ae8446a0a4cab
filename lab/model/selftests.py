# SPDX-License-Identifier: GPL-2.0-only
"""The selftests that the series adds, as its Makefile lists them."""
import re

from ..core.cache import ROOT

SELFTESTS = ROOT / "tools" / "testing" / "selftests" / "virtio"


def selftests():
    """The names of the series' selftests, in the order in which the guest runs them."""
    makefile = (SELFTESTS / "Makefile").read_text()
    return sorted(re.search(r"^TEST_GEN_PROGS := (.*)$", makefile, re.M)[1].split())

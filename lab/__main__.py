# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m lab: the verbs of ./vdma."""
import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-only
"""The series for swiotlb, which stands alone: on the kernel's bases, without the virtio series."""
from ..core.cache import ROOT
from ..core.errors import Fail
from .base import Base

FOLDER = ROOT / "swiotlb"
BASES = ["6.12", "mainline"]
# What its commits are made on is named after it: swiotlb-6.12.
PREFIX = "swiotlb-"


class Swiotlb(Base):
    """A kernel base of the swiotlb series, as series.py takes one."""

    series, overlay = FOLDER / "series", FOLDER / "tree"
    list = "iommu@"

    def __init__(self, name):
        if name not in BASES:
            raise Fail(f"the swiotlb series has no base '{name}'",
                       f"its bases are: {', '.join(BASES)}")
        super().__init__(name)
        self.siblings = BASES

# SPDX-License-Identifier: GPL-2.0-only
"""A check: one thing that must hold, and what was found instead."""
import re
from typing import NamedTuple


class Check(NamedTuple):
    """@id is what scenarios and tables refer to, @title what people read."""

    id: str
    title: str
    ok: bool
    detail: object = ""

    @classmethod
    def of(cls, title, ok, detail=""):
        """A check that nothing refers to: its id comes from its title."""
        return cls(slug(title), title, bool(ok), detail)


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]

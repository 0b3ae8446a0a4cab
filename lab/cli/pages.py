# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that show what the lab itself knows."""
from ..flows import results
from .verb import verb


def do_table(_):
    print(results.last(), end="")


def add(verbs):
    verb(verbs, do_table, "print the table of modes that the last './vdma test' saw")

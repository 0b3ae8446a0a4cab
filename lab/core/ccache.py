# SPDX-License-Identifier: GPL-2.0-only
"""A compiler that remembers what it has compiled, across commits and configurations."""
import os

from .cache import cache


def with_ccache():
    """The environment in which the compilers' names are those of ccache.

    By PATH, because a build knows its compiler by name, and does all anew for another one.
    """
    return os.environ | {"PATH": f"/usr/lib/ccache:{os.environ['PATH']}",
                         "CCACHE_DIR": str(cache("ccache")), "CCACHE_MAXSIZE": "3G"}

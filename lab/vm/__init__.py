# SPDX-License-Identifier: GPL-2.0-only
"""A guest while it runs: its command line, what is done to it, what is seen of it."""

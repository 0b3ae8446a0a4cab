# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the lab itself: no QEMU, no kernel."""

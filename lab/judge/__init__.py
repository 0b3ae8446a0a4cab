# SPDX-License-Identifier: GPL-2.0-only
"""Whether a boot showed what it must: pure functions of its record."""

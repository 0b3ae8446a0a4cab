# SPDX-License-Identifier: GPL-2.0-only
"""The scenarios as jobs for other engines."""

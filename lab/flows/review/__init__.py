# SPDX-License-Identifier: GPL-2.0-only
"""What a maintainer's tools say of the series."""

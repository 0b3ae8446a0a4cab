# SPDX-License-Identifier: GPL-2.0-only
"""What the verbs do, from one boot to all tests."""

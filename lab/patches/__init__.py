# SPDX-License-Identifier: GPL-2.0-only
"""The patch series: from folders to commits and mails, and back."""

# SPDX-License-Identifier: GPL-2.0-only
"""What a scenario, a machine, a mutation and a record are: data, and no action."""

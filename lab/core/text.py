# SPDX-License-Identifier: GPL-2.0-only
"""Tables, as a terminal shows them."""


def table(rows):
    """Rows of equally many cells as lines, each column as wide as its widest cell."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)

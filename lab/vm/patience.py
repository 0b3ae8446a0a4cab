# SPDX-License-Identifier: GPL-2.0-only
"""How long a guest may take: counted in the time that its QEMU had, not by a clock on the wall."""
import time
from pathlib import Path

SLICE = 0.5  # seconds between two looks


def delays(pid):
    """For each thread of a process, how many seconds it has waited for a CPU."""
    found = {}
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            found[path.parent.name] = int(path.read_text().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            continue
    return found


class Patience:
    """Seconds that a process may take. What it waited for a CPU does not count."""

    def __init__(self, pid, limit):
        self.pid, self.left = pid, limit
        self._last, self._delays = time.monotonic(), delays(pid)

    def look(self):
        """Count the time since the last look; return whether some is left."""
        now, waited = time.monotonic(), delays(self.pid)
        starved = max((waited[t] - self._delays.get(t, 0) for t in waited), default=0)
        self.left -= max(0, now - self._last - starved)
        self._last, self._delays = now, waited
        return self.left > 0

    def until(self, done, pause=0.02):
        """Call done() until it is true, and return that; or None when patience ends."""
        while True:
            if answer := done():
                return answer
            if time.monotonic() - self._last >= SLICE and not self.look():
                return None
            time.sleep(pause)

# SPDX-License-Identifier: GPL-2.0-only
"""The series as a drop-in for Debian's kernel package, and the proof of it."""
import datetime
import tempfile
from pathlib import Path

from ..core.errors import Fail
from ..core.git import git, identity
from . import series

# Where Debian's kernel team keeps what is not in a stable release.
PLACE = "features/all/virtio-platform-dma"


def write(base, folder, only=None):
    """Write the drop-in, as it goes into debian/patches; return its patches."""
    base.fetch()
    if folder.exists() and any(folder.iterdir()):
        raise Fail(f"{folder} is not empty", "name another folder")
    date = series.date(base)
    day = datetime.datetime.fromtimestamp(int(date.split()[0][1:]), datetime.UTC).date()
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        last = series.commits(base, only=only)[-1]
        names = git(base.tree, "format-patch", "--no-signature", "--zero-commit", "-N", "-o",
                    temp, f"base..{last}", env=identity(date)).splitlines()
        place = folder / PLACE
        place.mkdir(parents=True)
        for name in names:
            head, blank, body = Path(name).read_text().partition("\n\n")
            head = head.partition("\n")[2] + f"\nForwarded: no\nLast-Update: {day}"
            (place / Path(name).name).write_text(head + blank + body)
    patches = sorted(place.iterdir())
    (folder / "series").write_text("".join(f"{PLACE}/{p.name}\n" for p in patches))
    return patches

# SPDX-License-Identifier: GPL-2.0-only
"""Whether KCSAN looked for data races. One that it finds is a warning, as of any other watcher."""
from ..model.check import Check

# Less would say that it has not looked: places of memory that it watched for a moment.
LOOKED = 1000


def survey(record):
    watched = [int(one["watched"]) for one in record.all("races")]
    yield Check("races.looked", "KCSAN looks for data races while the devices work",
                len(watched) == 2 and watched[1] - watched[0] >= LOOKED, watched)

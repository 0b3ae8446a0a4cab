# SPDX-License-Identifier: GPL-2.0-only
"""The record of a boot: all that was seen of it, as JSON, with digests instead of images."""
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..core.errors import Fail
from . import scenario as scenarios

FILE = "record.json"


def digest(data):
    return hashlib.sha256(data).hexdigest()


@dataclass
class Record:
    """What a verdict is made of. Whoever watches the boot fills it in."""

    scenario: dict
    kind: str  # the kernel, as 'boot --kernel' takes it
    # Whether this kernel's sysfs has the file dma_mode.
    shows_mode: bool = True
    # What the guest's init reported: [verb, {field: value}] in this order.
    said: list = field(default_factory=list)
    # What QEMU said at each moment, by the moment's name.
    views: dict = field(default_factory=dict)
    console: str = ""
    end: str = ""  # how the guest ended
    seed: int = 0  # what the guest's writes and pictures are made of
    # What was left behind the devices: digests, and the size of what was swapped out.
    disk: str = ""
    original: str = ""
    swapped: int = 0
    # What the guest wrote to files of the host: {step: {"bytes": n, "sha256": digest}}; and what
    # lab/vm/installed.py notes of a distribution's devices.
    written: dict = field(default_factory=dict)
    # The network's other end: what it sent, and what came back each time.
    sent: str = ""
    echoes: list = field(default_factory=list)
    # Pictures of the screen: {"head": as text, "sha256": digest of the pixels}.
    pictures: list = field(default_factory=list)
    typed: int = 0  # keys that were pressed
    refusal: str = ""  # why QEMU did not save the guest
    # Of each search for the canary: pages that hold it in private, and shared ones.
    searches: list = field(default_factory=list)
    # What the back ends of vhost-user devices wrote at last, by device: lab/backend/report.c.
    backends: dict = field(default_factory=dict)

    def all(self, verb):
        return [fields for name, fields in self.said if name == verb]

    def finished(self):
        return self.end == "QEMU exited with 0" and self.all("done") != []

    def save(self, folder):
        """Write the record to a folder of its own; the scenario goes by its name."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        one = self.scenario
        data = asdict(self) | {"scenario": {
            "name": one["name"], "base": one["base"], "debug": one["watched"],
            "companion": one["companion"]}}
        (folder / FILE).write_text(json.dumps(data, indent=1) + "\n")

    @classmethod
    def load(cls, folder):
        """Read a record; the scenario is as it stands now."""
        path = Path(folder) / FILE
        try:
            data = json.loads(path.read_text())
            name = data.pop("scenario")
            one = scenarios.pick([name["name"]], name["base"])[0]
            one = scenarios.with_debug(one) if name["debug"] else one
            return cls(scenarios.with_companion(one, name["companion"]), **data)
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise Fail(f"{folder} holds no record of a boot: {err}",
                       "'./vdma boot --save DIR' makes one") from err

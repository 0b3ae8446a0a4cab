# SPDX-License-Identifier: GPL-2.0-only
"""A guest of the lab's own VMM, on a host with KVM that is itself a guest of QEMU."""
from ..core.errors import Fail
from ..build import vmm
from ..model.features import BIT
from ..model.scenario import parent
from . import command_line

PAGE, DRIVER_OK = 4096, 4
# The guest's second serial port.
REPORT = "ttyAMA1"


def prepare(scenario, host, guest, initrd, folder, append):
    """The command line of the host's QEMU: its devices are what is behind those of the guest."""
    machine = scenario["machine"]
    own = command_line.parameters(scenario | {"machine": machine | {"report": REPORT}}, append)
    packed = vmm.pack(host, machine, guest, initrd, own, folder)
    outer = scenario | {"transport": "pci", "append": ""}
    words = " ".join(scenario["vmm"])
    # What follows the dashes is for the host's init.
    return command_line.prepare(outer, host.kernel, packed, folder,
                                f"kvm-arm.mode=protected -- {words}")


def numbers(text):
    return [int(word, 16) for word in text.split(",") if word]


def names(features):
    return sorted(bit for bit, number in BIT.items() if int(features, 16) >> number & 1)


class Vmm:
    """What a VMM says that it sees, on the port of its guest's report: lab/vmm/view.c."""

    def __init__(self, scenario):
        self.scenario, self._said = scenario, {}

    def takes(self, line):
        """Keep a line that is the VMM's; return whether it is."""
        words = line.split()
        if words[:1] != ["vmm"]:
            return False
        fields = dict(word.partition("=")[::2] for word in words[2:])
        self._said[words[1], fields.get("name")] = fields
        return True

    def view(self):
        """Its last word on memory and devices, as observe() has that of QEMU."""
        memory, devices = self._said.get(("memory", None)), {}
        if not memory:
            raise Fail("the VMM does not tell what it sees", "its console says why: --save")
        for index, name in enumerate(self.scenario["devices"]):
            one = self._said["device", name]
            rings = numbers(one["rings"])
            devices[name] = {
                "parent": parent(self.scenario, index), "bits": names(one["accepted"]),
                "offered": names(one["offered"]), "rings": [rings] if rings else [],
                "buffers": numbers(one["buffers"]), "ok": bool(int(one["status"], 16) & DRIVER_OK)}
        return {"ram": [numbers(memory["ram"])], "devices": devices, "hypervisor": {
            "secure": memory["private"] == "1", "refused": int(memory["refused"]),
            "shared": [{"base": at, "size": PAGE} for at in numbers(memory["open"])]}}

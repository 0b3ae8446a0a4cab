# SPDX-License-Identifier: GPL-2.0-only
"""What the lab makes of the words of its own VMM."""
import re
import unittest
from pathlib import Path

from lab.build import kernel
from lab.core.errors import Fail
from lab.model import machines, scenario
from lab.patches.base import Base
from lab.vm import nested

LAYOUT = Path(__file__).resolve().parent.parent / "lab" / "vmm" / "layout.h"
SAID = """\
vmm device name=blk offered=300000004 accepted=100000004 status=f rings=41000000,41000800,41001000 buffers=42000000,42001000
vmm device name=rng offered=300000000 accepted=0 status=1 rings= buffers=
vmm memory ram=40000000,4fffffff private=1 refused=0 at=0 signal=0 open=41000000,41001000,"""


class Views(unittest.TestCase):
    def vmm(self, *lines):
        one = scenario.pick(["kvm-protected"], "mainline")[0]
        vmm = nested.Vmm(one)
        self.assertTrue(all(vmm.takes(line) for line in lines))
        return vmm

    def test_all_is_found(self):
        view = self.vmm(*SAID.splitlines()).view()
        self.assertEqual(view["ram"], [[0x40000000, 0x4fffffff]])
        self.assertEqual(view["hypervisor"], {"secure": True, "refused": 0, "shared": [
            {"base": 0x41000000, "size": 4096}, {"base": 0x41001000, "size": 4096}]})
        blk, rng = (view["devices"][name] for name in ("blk", "rng"))
        self.assertEqual(blk, {
            "parent": "a000000.virtio_mmio", "ok": True, "bits": ["VERSION_1"],
            "offered": ["ACCESS_PLATFORM", "VERSION_1"], "buffers": [0x42000000, 0x42001000],
            "rings": [[0x41000000, 0x41000800, 0x41001000]]})
        self.assertEqual((rng["ok"], rng["rings"], rng["buffers"]), (False, [], []))

    def test_the_last_word_counts(self):
        later = SAID.splitlines()[-1].replace("refused=0", "refused=3").replace("=1 ", "=0 ")
        state = self.vmm(*SAID.splitlines(), later).view()["hypervisor"]
        self.assertEqual((state["secure"], state["refused"]), (False, 3))

    def test_one_that_says_nothing_is_an_error(self):
        with self.assertRaises(Fail):
            self.vmm().view()

    def test_what_the_guest_says_is_not_taken(self):
        vmm = nested.Vmm(scenario.pick(["kvm-protected"], "mainline")[0])
        self.assertFalse(any(map(vmm.takes, ("", "vdma ready name=running", "vmmx memory"))))

    def test_devices_lie_where_the_machine_has_them(self):
        has = dict(re.findall(r"#define (VIRTIO_\w+)\s+(\w+)", LAYOUT.read_text()))
        machine = scenario.pick(["kvm-protected"], "mainline")[0]["machine"]
        self.assertEqual([int(has[name], 16) for name in ("VIRTIO_BASE", "VIRTIO_STEP")],
                         [machine["mmio_base"], machine["mmio_step"]])


class HostKernel(unittest.TestCase):
    def test_a_fragment_switches_off_what_another_has_on(self):
        base, machine = Base("mainline"), machines.load("arm64")
        guest = kernel.required(base, machine).splitlines()
        host = kernel.required(base, machine | {"fragments": ("pkvm-host",)}).splitlines()
        self.assertTrue({"CONFIG_NET=y", "CONFIG_BLOCK=y"} <= set(guest))
        self.assertTrue({"CONFIG_KVM=y", "CONFIG_BLOCK=y"} <= set(host))
        self.assertNotIn("CONFIG_NET=y", host)

    def test_a_later_fragment_may_switch_it_on_again(self):
        modules = machines.load("arm64") | {"fragments": ("modules",)}
        self.assertIn("CONFIG_KUNIT_DEFAULT_ENABLED=y",
                      kernel.required(Base("mainline"), modules).splitlines())


if __name__ == "__main__":
    unittest.main()

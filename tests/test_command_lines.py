# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's command line, for every scenario on every base."""
import functools
import re
import unittest
from pathlib import Path
from unittest import mock

from lab.model import scenario
from lab.patches import base
from lab.vm import command_line
from lab.vm.command_line import BACKENDS, PLUGGED, vhost

KERNEL, INITRD, DTB = Path("/there/kernel"), Path("/there/initrd"), Path("/there/dtb")
PASSED = {str(KERNEL), str(INITRD), str(DTB)}


def options(cmd, name):
    """The values of an option."""
    return [value for option, value in zip(cmd, cmd[1:]) if option == name]


def build(one, dtb=None):
    return command_line.command(one, KERNEL, INITRD, "vdma.seed=0x1", dtb)


def strange(cmd):
    """The absolute paths that a command line has, but for those that were passed."""
    found = re.findall(r"(?<![\w/])/[^\s,=]+", " ".join(cmd))
    return [path for path in found if not any(path.startswith(start) for start in PASSED)]


def devices(one, cmd):
    """Each device of the scenario with its properties, in the scenario's order."""
    words = [value.split(",") for value in options(cmd, "-device")]
    return [next(w for w in words if f"id={name}" in w) for name in one["devices"]]


@functools.cache
def every():
    return [one for name in base.names() for one in scenario.load(name).values()]


class EveryScenario(unittest.TestCase):
    def each(self, check):
        """Have a check look at every scenario and its command line."""
        self.assertGreater(len(every()), 300)
        for one in every():
            with self.subTest(base=one["base"], scenario=one["name"]):
                check(one, build(one))

    def test_it_builds_from_words(self):
        def check(one, cmd):
            self.assertTrue(all(isinstance(word, str) and word for word in cmd), cmd)
            self.assertEqual(cmd[0], one["machine"]["qemu"])
            self.assertEqual(options(cmd, "-m"), [one["memory"]])
            self.assertEqual(options(cmd, "-smp"), [str(one["cpus"])])
        self.each(check)

    def test_it_has_no_path_but_those_that_were_passed(self):
        def check(_, cmd):
            self.assertEqual(strange(cmd), [])
        self.each(check)

    def test_machine_options_follow_the_machine(self):
        def check(one, cmd):
            words = options(cmd, "-M")[0].split(",")
            self.assertEqual(words, [*one["machine"]["machine"].split(","),
                                     *one.get("machine_options", [])])
        self.each(check)

    def test_kernel_parameters_are_the_report_the_lab_s_and_the_scenario_s(self):
        def check(one, cmd):
            if one["firmware"] == "uefi":
                # It has them on its disk.
                self.assertEqual(options(cmd, "-kernel") + options(cmd, "-append"), [])
                return
            append, = options(cmd, "-append")
            self.assertIn(f" vdma.report={one['machine']['report']} vdma.seed=0x1", append)
            self.assertTrue(append.endswith(one.get("append", "vdma.seed=0x1")))
        self.each(check)

    def test_every_device_is_there_with_its_backend_and_options(self):
        def check(one, cmd):
            for name, words in zip(one["devices"], devices(one, cmd), strict=True):
                backend, props = (vhost(name, one["behind"][name]) if name in one["behind"]
                                  else BACKENDS[name])
                self.assertIn(" ".join(backend), " ".join(cmd))
                for prop in filter(None, [*props.split(","), *one.get("options", "").split(",")]):
                    self.assertIn(prop, words)
        self.each(check)

    def test_queues_are_those_of_a_device_and_of_what_is_behind_it(self):
        one = scenario.load()["queues-bounce"]
        cmd = build(one)
        blk, net, rng = devices(one, cmd)
        self.assertIn("num-queues=8", blk)
        self.assertIn("mq=on", net)
        self.assertEqual(options(cmd, "-netdev"), ["vhost-user,id=net0,chardev=net.end,queues=8"])
        self.assertNotIn("queues", " ".join(rng))

    def test_every_device_lies_where_the_guest_looks_for_it(self):
        """On PCI in the slot, or behind the port, that scenario.parent() names; else on a bus."""
        def check(one, cmd):
            for index, words in enumerate(devices(one, cmd)):
                parent = scenario.parent(one, index)
                if one["transport"] == "pci":
                    slot = int(parent.split(":")[2].split(".")[0], 16)
                    self.assertIn(f"addr={slot:#x}", words)
                elif one["transport"] == "pcie":
                    self.assertIn(f"bus=port{index}", words)
                    port, = [v for v in options(cmd, "-device") if f",id=port{index}," in v]
                    self.assertTrue(port.startswith("pcie-root-port,"))
                    self.assertIn(f"chassis={index + 1},", port)
                else:
                    self.assertIn(f"bus=virtio-mmio-bus.{index}", words)
                self.assertTrue(words[0].endswith(
                    "-device" if one["transport"] == "mmio" else "-pci"))
        self.each(check)

    def test_what_is_plugged_into_a_device_follows_it(self):
        seen = set()
        def check(one, cmd):
            values = options(cmd, "-device")
            for name in set(one["devices"]) & set(PLUGGED):
                at = next(n for n, v in enumerate(values) if f",id={name}," in v)
                self.assertEqual(values[at + 1], PLUGGED[name])
                seen.add(name)
            for name in set(PLUGGED) - set(one["devices"]):
                self.assertNotIn(PLUGGED[name], values)
        self.each(check)
        self.assertEqual(seen, set(PLUGGED))


class Controls(unittest.TestCase):
    def test_a_path_of_this_machine_is_seen(self):
        one = scenario.pick(["pci-modern"])[0]
        for extra in ("/home/me/disk.img", "file=/var/tmp/x,format=raw"):
            self.assertTrue(strange(build(one | {"qemu": ["-drive", extra]})), extra)

    def test_a_device_that_is_not_known_does_not_build(self):
        one = scenario.pick(["pci-modern"])[0]
        with self.assertRaises(KeyError):
            build(one | {"devices": ["floppy"]})


class Prepare(unittest.TestCase):
    def prepare(self, name):
        """The command line, and which commands were run for it."""
        with mock.patch.object(command_line, "run", return_value="virtio_mmio@0\npcie@1") as run:
            cmd = command_line.prepare(scenario.pick([name])[0], KERNEL, INITRD, Path("/there"),
                                       "x")
        return cmd, [[str(word) for word in call.args] for call in run.call_args_list]

    def test_without_edits_it_runs_nothing_and_names_no_device_tree(self):
        cmd, ran = self.prepare("pci-modern")
        self.assertEqual(ran, [])
        self.assertNotIn("-dtb", cmd)

    def test_nodes_have_ram_of_their_own(self):
        one = scenario.load()["numa-bounce"]
        self.assertEqual(command_line.backed(build(one), one), build(one))

    def test_with_edits_it_dumps_the_tree_and_edits_the_nodes_of_that_prefix(self):
        cmd, ran = self.prepare("mmio-noncoherent")
        self.assertEqual(options(cmd, "-dtb"), ["/there/machine.dtb"])
        self.assertIn("virt,gic-version=3,memory-backend=guest.ram,dumpdtb=machine.dtb", ran[0])
        self.assertEqual([words for words in ran if words[0] == "fdtput"], [
            ["fdtput", "-d", "/there/machine.dtb", "/virtio_mmio@0", "dma-coherent"],
            ["fdtput", "/there/machine.dtb", "/virtio_mmio@0", "dma-noncoherent"]])

    def test_a_node_by_its_path_is_made_and_is_that_one(self):
        pool = ["/reserved-memory/pool@50000000", "reg", "-tx", "0", "50000000"]
        with mock.patch.object(command_line, "run", return_value="virtio_mmio@0") as run:
            command_line.dump_dtb(["qemu", "-M", "virt"], Path("/there"), [pool])
        self.assertEqual([str(word) for word in run.call_args.args],
                         ["fdtput", "-p", "/there/machine.dtb", *pool])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""What a container may use is what counts, not what the machine has."""
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.core import cpus

GIB = 1 << 30


class Cpus(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        self.write("proc/meminfo", f"MemTotal: {64 << 20} kB\nMemAvailable: {62 << 20} kB\n")
        patch = mock.patch("os.sched_getaffinity", return_value=set(range(64)))
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def found(self):
        return (cpus.cpus(self.root), cpus.memory(self.root) / GIB, cpus.at_once(self.root))

    def test_no_groups(self):
        self.assertEqual(self.found(), (64, 62, 62))

    def test_version_2_within_a_group(self):
        self.write("proc/self/cgroup", "0::/user/mine")
        self.write("sys/fs/cgroup/user/mine/cpu.max", "max 100000")
        self.write("sys/fs/cgroup/user/cpu.max", "800000 100000")
        self.write("sys/fs/cgroup/user/mine/memory.max", "max")
        self.write("sys/fs/cgroup/user/memory.max", 6 * GIB)
        self.assertEqual(self.found(), (8, 6, 6))

    def test_version_2_in_a_container(self):
        self.write("proc/self/cgroup", "0::/")
        self.write("sys/fs/cgroup/cpu.max", "250000 100000")
        self.write("sys/fs/cgroup/memory.max", 4 * GIB)
        self.assertEqual(self.found(), (2, 4, 2))

    def test_version_1_whose_path_is_the_hosts(self):
        self.write("proc/self/cgroup", "4:memory:/docker/f00\n2:cpu,cpuacct:/docker/f00\n0::/")
        self.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", 300000)
        self.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", 100000)
        self.write("sys/fs/cgroup/memory/memory.limit_in_bytes", 2 * GIB)
        self.assertEqual(self.found(), (3, 2, 2))

    def test_version_1_without_a_limit(self):
        self.write("proc/self/cgroup", "4:memory:/\n1:cpu:/")
        self.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", -1)
        self.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", 100000)
        self.write("sys/fs/cgroup/memory/memory.limit_in_bytes", (1 << 63) - 4096)
        self.assertEqual(self.found(), (64, 62, 62))

    def test_never_less_than_one(self):
        self.write("proc/self/cgroup", "0::/../../else")
        self.write("sys/fs/cgroup/cpu.max", "50000 100000")
        self.write("sys/fs/cgroup/memory.max", GIB // 2)
        self.assertEqual(self.found(), (1, 0.5, 1))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""How much of this machine is ours: what a container may use, not what the machine has."""
import os
import re
from pathlib import Path

# What a compiler, a linker or a guest takes, as a rule.
EACH = 1 << 30


def groups(controller, root):
    """The folders of the control groups that this process is in, for one controller.

    Version 2 has one tree for all controllers, version 1 a tree for each. Whoever is in a
    container sees its own group at the top, whatever the path says.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = root / "sys/fs/cgroup" / (controller if names else "")
        own = top / path.lstrip("/")
        for folder in dict.fromkeys([own, *own.parents, top]):
            if folder.is_relative_to(top) and ".." not in folder.parts:
                yield folder


def numbers(path):
    """The numbers in a file of the kernel's; none if it is not there, or says "max"."""
    try:
        return [int(word) for word in re.findall(r"(?<!\S)\d+(?!\S)", path.read_text())]
    except OSError:
        return []


def cpus(root=Path("/")):
    """The CPUs that this process may use: those it is bound to, within its group's quota."""
    found = [len(os.sched_getaffinity(0))]
    for folder in groups("cpu", root):
        quota = numbers(folder / "cpu.max")
        if len(quota) != 2:
            quota = numbers(folder / "cpu.cfs_quota_us") + numbers(folder / "cpu.cfs_period_us")
        if len(quota) == 2 and quota[1]:
            found.append(quota[0] // quota[1])
    return max(1, min(found))


def memory(root=Path("/")):
    """The bytes of memory that can be had: what is available, within its group's limit."""
    text = (root / "proc/meminfo").read_text()
    found = [int(kib) << 10 for kib in re.findall(r"^MemAvailable:\s+(\d+) kB$", text, re.M)]
    for folder in groups("memory", root):
        found += numbers(folder / "memory.max") + numbers(folder / "memory.limit_in_bytes")
    return min(found, default=EACH)


def at_once(root=Path("/")):
    """How many compilers or guests to run at the same time."""
    return max(1, min(cpus(root), memory(root) // EACH))

# SPDX-License-Identifier: GPL-2.0-only
"""Bad input: each gets one clear line, a hint and a non-zero exit, and leaves nothing behind."""
import os
import signal
import subprocess
import time
from itertools import product
from pathlib import Path

from lab.core.cache import cache, ROOT
from lab.model.check import Check
from lab.patches import series
from lab.patches.base import Base

from . import odd_hosts
from .copy_of_lab import case, LIMIT, processes


def checks():
    for name, check in sorted((globals() | vars(odd_hosts)).items()):
        if name.startswith(("bad_", "odd_")) and callable(check):
            yield name.replace("_", " "), case(check)


def bad_scenario(lab):
    yield from lab.judge(lab.start("boot", "pci-modem"), "unknown scenario 'pci-modem'")


def bad_scenario_key(lab):
    lab.spoil("lab/scenarios/arm64.toml", "cpus = 1", "cpu = 1")
    yield from lab.judge(lab.start("list"), "unknown keys: cpu")


def bad_base(lab):
    yield from lab.judge(lab.start("build", "--base", "5.4"), "unknown base '5.4'")


def bad_kernel_kind(lab):
    yield from lab.judge(lab.start("build", "--kernel", "series@99"), "unknown kernel 'series@99'")


def bad_kernel_tree(lab):
    yield from lab.judge(lab.start("build", KERNEL=str(lab.folder)), "is not a kernel tree")


def bad_kernel_version(lab):
    makefile = lab.folder / "Makefile"
    makefile.write_text("VERSION = 5\nPATCHLEVEL = 4\nSUBLEVEL = 1\nEXTRAVERSION =\n")
    yield from lab.judge(lab.start("build", KERNEL=str(lab.folder)),
                         "is Linux 5.4.1: base 6.12 needs")


def bad_hunk(lab):
    """A hunk that no longer applies is named by commit, file and number."""
    entry = next(e for e in series.entries(Base("6.12")) if e.name.endswith("-sysfs"))
    lab.spoil(entry.diff("6.12").relative_to(ROOT), " static struct attribute *virtio_dev_attrs",
              " static struct attribute *virtio_other_attrs")
    yield from lab.judge(lab.start("build"),
                         rf"commit {entry.name}: drivers/virtio/virtio.c, hunk 1 \(@@ .* does not")


def bad_forgotten_base(lab):
    """A base that a commit says nothing of is refused, not taken without its hunks."""
    entry = next(e for e in series.entries(Base("6.1"))
                 if e.diff("6.1") and not (e.path / "common.diff").exists())
    (lab.repo / entry.diff("6.1").relative_to(ROOT)).unlink()
    yield from lab.judge(lab.start("build", "--base", "6.1"),
                         f"commit {entry.name} has no hunks for base 6.1")


def bad_newest(lab):
    """What does not apply to the newest kernel is said in its row, and by the exit status."""
    entry = next(e for e in series.entries(Base("6.1")) if e.name.endswith("-svm"))
    lab.spoil(entry.diff("6.1").relative_to(ROOT), " static int __init init_svm",
              " static int other")
    yield from lab.judge(lab.start("bases", "6.1"), rf"6\.1 .* commit {entry.name}: .*svm.c, hunk",
                         hint=False)


def bad_set(lab):
    yield from lab.judge(lab.start("debian", "6.12", "drop", "--only", "nothing"),
                         "base 6.12 has no set 'nothing'")
    yield Check.of("no drop-in is left", not (lab.folder / "drop").exists(), "drop")


def bad_package(lab):
    lab.spoil("lab/arch/arm64.toml", "packages = [", 'packages = ["no-such-package-at-all", ')
    yield from lab.judge(lab.start("build"), "cannot install no-such-package-at-all")


def bad_network(lab):
    """With no network and no source in the cache there is nothing to build from."""
    yield from lab.judge(lab.start("checkout", "6.12", under=["unshare", "--net", "--map-root-user"],
                                   VDMA_CACHE=str(lab.folder / "cache")),
                         r"(package lists of|fetching linux-source-6.12).*: E: ")
    left = list((lab.folder / "cache" / "src").glob("*"))
    yield Check.of("no source tree is left", not left, left)


def bad_cache(lab):
    yield from lab.judge(lab.start("build", VDMA_CACHE="/dev/null/x"),
                         "cannot use the cache folder")


def bad_disk(lab):
    """A disk that is too small is refused before anything is written to it."""
    small = lab.folder / "small"
    small.mkdir()
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", "size=64m,mode=1777", "vdma", small],
                   check=True)
    try:
        yield from lab.judge(lab.start("checkout", "6.12", VDMA_CACHE=str(small)),
                             "needs 6 GiB of disk")
    finally:
        subprocess.run([*sudo, "umount", small], check=True)


def bad_qemu(lab):
    old = lab.folder / "old-qemu"
    old.write_text("#!/bin/sh\necho QEMU emulator version 6.2.0\n")
    old.chmod(0o755)
    lab.spoil("lab/arch/arm64.toml", 'qemu = "qemu-system-aarch64"', f'qemu = "{old}"')
    yield from lab.judge(lab.start("boot"), "6.2.0 is too old")


def bad_qemu_option(lab):
    lab.spoil("lab/scenarios/arm64.toml", "disable-legacy=on", "disable-nothing=on")
    yield from lab.judge(lab.start("boot"), "QEMU has ended with 1: .*disable-nothing")


def bad_own_kernel(lab):
    """A file that the machine cannot boot is refused before QEMU is asked."""
    yield from lab.judge(lab.start("run", "--kernel", lab.repo / "README.md"),
                         "README.md is no kernel for arm64")


def bad_own_disk(lab):
    kernel = lab.folder / "Image"
    kernel.write_bytes(bytes(56) + b"ARMd" + bytes(64))
    yield from lab.judge(lab.start("run", "--kernel", kernel, "--disk", "none.qcow2"),
                         "the disk none.qcow2 cannot be read")


def bad_jobs(lab):
    yield from lab.judge(lab.start("jobs", "jenkins", "jobs"), "unknown format 'jenkins'")
    yield from lab.judge(lab.start("jobs", "lava", "jobs"), "cannot fetch kernels from ''")
    yield Check.of("no job is left", not (lab.folder / "jobs").exists(), "jobs")


def bad_mutation(lab):
    """A mutation that is not there, or whose place is not, is no mutation that was killed."""
    yield from lab.judge(lab.start("mutate", "svm-nothing"), "unknown mutation 'svm-nothing'")
    lab.spoil("lab/mutations/decision.toml", "if (!WARN_ON(", "if (!WARN(")
    yield from lab.judge(lab.start("mutate", "hook-second-taken"),
                         "virtio_dma_mode.c has 0 times what it changes")


def bad_reroll(lab):
    """A version that does not say what it changes is not written; one that does is."""
    again = "mbox", "6.12", "out", "--reroll", "2"
    yield from lab.judge(lab.start(*again), "'changes' beside the cover does not say what version 2 changes")
    yield Check.of("no mail is left", not (lab.folder / "out").exists(), "out")
    (lab.repo / "series" / "changes").write_text("v2: Fewer words.\n")
    yield from lab.judge(lab.start(*again), "v2-0000-cover-letter.patch", status=0, hint=False)
    cover = next((lab.folder / "out").glob("v2-0000-*")).read_text()
    yield Check.of("the cover says what it changes", "\nv2: Fewer words.\n" in cover, cover)


def bad_bench(lab):
    yield from lab.judge(lab.start("bench", "--arch", "vax"), "nothing is counted on 'vax'")


def bad_bench_guest(lab):
    """A guest in another mode than the row's is not counted."""
    lab.spoil("lab/scenarios/arm64.toml", 'mode = "phys"', 'mode = "xen"')
    # Two rows are enough: others have kernels that nothing else of a run needs.
    data = lab.repo / "lab" / "bench.toml"
    data.write_text(data.read_text().partition("[rows.hot]")[0])
    yield from lab.judge(lab.start("bench", "--arch", "arm64"), "no 'load .*' in mode xen")


def bad_guest_hangs(lab):
    """A guest that never says a word is given up, and where it was is told."""
    lab.spoil("lab/scenarios/arm64.toml", 'options = "disable-legacy=on"',
              'options = "disable-legacy=on"\nqemu = ["-S"]')
    yield from lab.judge(lab.start("boot", "--timeout", "3"), "the guest hangs after 'boot'",
                         "the end of its console", "NOT as the scenario says", hint=False)


def bad_guest_dies(lab):
    """A guest that panics is not taken for one that came to its end."""
    lab.spoil("lab/scenarios/arm64.toml", 'options = "disable-legacy=on"',
              'options = "disable-legacy=on"\nappend = "rdinit=/none init=/none"')
    yield from lab.judge(lab.start("boot"), "Kernel panic", "NOT as the scenario says", hint=False)


def interrupt(lab, proc, name, kill=False):
    """Press Ctrl-C once a process called @name runs, or kill the lab."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and proc.poll() is None and not any(
            running.startswith(name) for running in processes(str(lab.folder)).values()):
        time.sleep(0.1)
    time.sleep(2)  # QEMU is asked for its version first, and takes a while to get its ports.
    proc.send_signal(signal.SIGKILL if kill else signal.SIGINT)
    yield from lab.judge(proc, *([] if kill else ["interrupted"]),
                         status=-signal.SIGKILL if kill else 130, hint=False)


def bad_back_end(lab):
    """A back end that does not start, or that QEMU does not get to, leaves nothing."""
    lab.spoil("lab/scenarios/arm64-vhost.toml", "offer=44", "offer=x")
    yield from lab.judge(lab.start("boot", "vhost-user-rng"),
                         "the back end of rng has ended with 2: .*x is no number")
    lab.spoil("lab/scenarios/arm64-vhost.toml", "offer=x", "offer=44")
    lab.spoil("lab/scenarios/arm64-vhost.toml", '"rng"]', '"rng"]\noptions = "nothing=on"')
    yield from lab.judge(lab.start("boot", "vhost-user-rng"), "QEMU has ended with 1: .*nothing")


def bad_moment_in_boot(lab):
    """Interrupting or killing the lab ends a guest that would run for ever, and its back end."""
    for file, about in (("arm64", "virtio-pci, modern only"), ("arm64-vhost", "the bit, offered by")):
        lab.spoil(f"lab/scenarios/{file}.toml", f'about = "{about}', f'qemu = ["-S"]\nabout = "{about}')
    for scenario, kill in product(((), ("vhost-user-rng",)), (False, True)):
        proc = lab.start("boot", *scenario)
        yield from interrupt(lab, proc, "qemu-system", kill)


def bad_moment_in_build(lab):
    """Interrupting make leaves neither a process nor a kernel in the cache."""
    # A key that nothing has been built under, not by this test either.
    lab.spoil("lab/arch/common.config", "CONFIG_SMP=y", f"# {lab.folder.name}\nCONFIG_SMP=y")
    before = sorted(cache("kernel").iterdir())
    proc = lab.start("build", "--kernel", "hot")
    yield from interrupt(lab, proc, "make")
    yield Check.of("no kernel is added", sorted(cache("kernel").iterdir()) == before, before)

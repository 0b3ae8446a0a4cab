# SPDX-License-Identifier: GPL-2.0-only
"""A guest with a prompt on this terminal, or the command line for one."""
import shlex
import subprocess

from ..core.cache import cache
from ..core.errors import Fail
from ..core.process import say
from ..patches.base import Base
from ..build import guest, kernel
from ..vm.backend import Backends, commands, in_kernel
from ..vm.command_line import prepare
from ..vm.media import write_media
from . import runner


def interactive(scenario, kind):
    """The command line of a guest with a prompt on this terminal, and the folder of its disks."""
    if scenario["vmm"] or scenario["distribution"] or in_kernel(scenario):
        raise Fail(f"{scenario['name']} has no prompt, and a command line for each boot only",
                   "boot it without --shell and --dry-run")
    scenario = runner.with_qemu(scenario)
    arch, base, folder = scenario["machine"], Base(scenario["base"]), cache("shell")
    image = kernel.build(base, arch, kind)
    write_media(folder)
    cmd = prepare(scenario, image, guest.build(arch, image, base), folder,
                  "vdma.shell vdma.steps=devices")
    return cmd + ["-serial", "mon:stdio", "-chardev", "null,id=report",
                  "-device", "pci-serial,chardev=report,addr=0x4"], folder


def shell(scenario, kind):
    cmd, folder = interactive(scenario, kind)
    say("'help' lists the commands; 'poweroff', or Ctrl-A x, ends the guest")
    with Backends(scenario, runner.back_end(scenario), folder):
        return subprocess.run(cmd, cwd=folder, check=False).returncode


def dry_run(scenario, kind):
    cmd, folder = interactive(scenario, kind)
    for _, behind in commands(scenario, runner.back_end(scenario)):
        print(f"cd {shlex.quote(str(folder))} && {shlex.join(behind)} &")
    print(f"cd {shlex.quote(str(folder))} && {shlex.join(cmd)}")

# SPDX-License-Identifier: GPL-2.0-only
"""The command line of ./vdma: the groups of verbs, and what becomes of an error."""
import argparse
import os
import select
import signal
import subprocess
import sys

if sys.version_info < (3, 11):
    sys.exit("vdma: Python 3.11 or later is needed\n  hint: Debian 12 and 13 have it as python3")

from ..core import environment
from ..core.errors import explain, Fail
from ..core.process import say
from . import boot, kernels, pages, series, tests

GROUPS = boot, tests, kernels, series, pages
SIGPIPE = 141  # What a shell reports of a command that a closed pipe has ended.


def parser():
    top = argparse.ArgumentParser(
        prog="vdma", description="virtio platform DMA: a Linux patch series, and the lab that"
        " proves it on booted guests.",
        epilog="'./vdma VERB --help' explains a verb. README.md is the place to start.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for group in GROUPS:
        group.add(verbs)
    top.set_defaults(verbs=verbs.choices)
    return top


def reader_has_gone():
    """Whether our output goes to a pipe that nobody reads any more, as after '| head'."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def main():
    environment.clean()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args = parser().parse_args()
    try:
        status = args.func(args) or 0
        sys.stdout.flush()
        return status
    except Fail as err:
        fail = err
    except (OSError, subprocess.CalledProcessError) as err:
        if isinstance(err, BrokenPipeError) and reader_has_gone():
            # Python flushes once more when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return SIGPIPE
        fail = explain(err)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    say(fail)
    if fail.hint:
        print(f"  hint: {fail.hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-only
"""Commands: run them, show how far they are, say a line to the user."""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from .commands import package
from .errors import Fail


def say(text):
    print(f"vdma: {text}", file=sys.stderr, flush=True)


def run(*cmd, log=None, label=None, steps=0, text=None, **kwargs):
    """Run a command to its end and return its output; kill its children if we stop.

    @text is its input. With a label, the output goes to @log and progress is shown; @steps is
    how many lines it prints, if that is known.
    """
    cmd = [str(c) for c in cmd]
    try:
        stdin = kwargs.pop("stdin", subprocess.PIPE if text else subprocess.DEVNULL)
        with (open(log, "wb") if log else contextlib.nullcontext(subprocess.PIPE)) as out, \
                subprocess.Popen(cmd, stdin=stdin, stdout=out,
                                 stderr=subprocess.STDOUT if log else subprocess.PIPE,
                                 start_new_session=True, **kwargs) as proc:
            try:
                if label:
                    progress(proc, label, log, steps)
                output, error = proc.communicate(text.encode() if text else None)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(proc.pid, signal.SIGTERM)
                raise
    except FileNotFoundError as err:
        if err.filename != cmd[0]:
            raise
        raise Fail(f"{cmd[0]} is not installed", f"Debian has it in {package(cmd[0])}") from err
    if proc.returncode:
        raise subprocess.CalledProcessError(proc.returncode, cmd, output, error)
    return "" if log else output.decode(errors="replace").rstrip("\n")


def progress(proc, label, log, steps):
    """Tell every 15 seconds, on a terminal every second, how far the work is."""
    start = time.monotonic()
    tty = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    say(label)
    while True:
        try:
            proc.wait(1 if tty else 15)
            break
        except subprocess.TimeoutExpired:
            text = f"{label}: {far(log, steps, time.monotonic() - start)}"
            print(f"\r\033[K{text}" if tty else f"vdma: {text}", end="" if tty else "\n",
                  file=sys.stderr, flush=True)
    if tty:
        print("\r\033[K", end="", file=sys.stderr)


def far(log, steps, seconds):
    """How far a command is, by the lines of its log, or by what ninja says there."""
    lines = Path(log).read_bytes().splitlines()
    done, exact = len(lines), ""
    if counted := re.match(rb"\[(\d+)/(\d+)\]", lines[-1] if lines else b""):
        done, steps, exact = int(counted[1]), int(counted[2]), "exact"
    text = f"{seconds:.0f} s, {done:,}"
    if not steps or done > steps:
        return f"{text} steps"
    text += f" of {steps:,} steps" if exact else f" of about {steps:,} steps"
    left = seconds / done * (steps - done) / 60 if done else 0
    return f"{text}, {left:.0f} min left" if left >= 1 else text


def tail(log, lines=12):
    text = Path(log).read_text(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in text[-lines:])

# SPDX-License-Identifier: GPL-2.0-only
"""What the lab asks of the machine it runs on: errors, commands, packages, cache."""
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .errors import Fail


def say(text):
    print(f"vdma: {text}", file=sys.stderr, flush=True)


def run(*cmd, log=None, label=None, text=None, **kwargs):
    """Run a command to its end and return its output; kill its children if we stop.

    @text is its input. With a label, the output goes to @log and progress is shown.
    """
    cmd = [str(c) for c in cmd]
    try:
        out = open(log, "wb") if log else subprocess.PIPE
        stdin = kwargs.pop("stdin", subprocess.PIPE if text else subprocess.DEVNULL)
        with subprocess.Popen(cmd, stdin=stdin, stdout=out,
                              stderr=subprocess.STDOUT if log else subprocess.PIPE,
                              start_new_session=True, **kwargs) as proc:
            try:
                if label:
                    progress(proc, label, log)
                output, error = proc.communicate(text.encode() if text else None)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(proc.pid, signal.SIGTERM)
                raise
    except FileNotFoundError as err:
        raise Fail(f"{cmd[0]} is not installed", "see the packages in README.md") from err
    if proc.returncode:
        raise subprocess.CalledProcessError(proc.returncode, cmd, output, error)
    return "" if log else output.decode(errors="replace").rstrip("\n")


def progress(proc, label, log):
    """Tell every 15 seconds, on a terminal every second, that work goes on."""
    start, tty = time.monotonic(), sys.stderr.isatty()
    say(label)
    while True:
        try:
            proc.wait(1 if tty else 15)
            break
        except subprocess.TimeoutExpired:
            lines = sum(1 for _ in open(log, "rb"))
            text = f"{label}: {time.monotonic() - start:.0f} s, {lines} steps"
            print(f"\r{text}" if tty else f"vdma: {text}", end="" if tty else "\n",
                  file=sys.stderr, flush=True)
    if tty:
        print("\r\033[K", end="", file=sys.stderr)


def tail(log, lines=12):
    text = Path(log).read_text(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in text[-lines:])

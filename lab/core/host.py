# SPDX-License-Identifier: GPL-2.0-only
"""What the lab asks of the machine it runs on: errors, commands, packages, cache."""
import contextlib
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["git", "make", "gcc", "flex", "bison", "bc", "libssl-dev", "libelf-dev", "cpio",
         "kmod", "xz-utils", "libc6-dev", "device-tree-compiler"]


class Fail(Exception):
    """What the user must know: one line, and a hint what to do about it."""

    def __init__(self, what, hint=None):
        super().__init__(what)
        self.hint = hint


def say(text):
    print(f"vdma: {text}", file=sys.stderr, flush=True)


def cache(*parts):
    """A folder of the cache, which lives outside the checkout."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("VDMA_CACHE") or Path(home) / "vdma", *parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Fail(f"cannot use the cache folder {path}: {err.strerror}",
                   "set VDMA_CACHE to a folder that can be written") from err
    return path


def room(gib, what):
    """Refuse to start what the disk cannot hold."""
    free = shutil.disk_usage(cache()).free / 2**30
    if free < gib:
        raise Fail(f"{what} needs {gib} GiB of disk, {free:.1f} GiB are free in {cache()}",
                   "free some space, run './vdma clean', or set VDMA_CACHE to another disk")


@contextlib.contextmanager
def lock(name):
    """Keep two runs from using one build folder at the same time."""
    with open(cache("lock") / name, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another vdma that uses {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def new_entry(path):
    """Fill a cache entry aside and move it into place whole, or not at all."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as temp:
        entry = Path(temp) / path.name
        entry.mkdir()
        yield entry
        if path.exists():
            shutil.rmtree(path)
        entry.rename(path)


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


def installed(package):
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package],
                           capture_output=True, text=True, check=False)
    return query.stdout.endswith(" installed")


def need(packages):
    """Install the Debian packages that are missing, and name them."""
    if not shutil.which("dpkg-query"):
        say("not a Debian system: taking the tools for granted")
        return
    missing = [p for p in packages if not installed(p)]
    if not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    log = cache("log") / "apt.log"
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    # Another vdma, or the machine's own upgrade, may be installing just now.
    install = [*sudo, "apt-get", "-oDPkg::Lock::Timeout=600", "install", "-y",
               "--no-install-recommends", *missing]
    stdin = None if sudo else subprocess.DEVNULL
    label = f"installing {' '.join(missing)}"
    try:
        try:
            run(*install, log=log, label=label, env=env, stdin=stdin)
        except subprocess.CalledProcessError:
            # The package lists may be missing or old.
            run(*sudo, "apt-get", "update", log=log, label="updating the package lists", env=env)
            run(*install, log=log, label=label, env=env, stdin=stdin)
    except subprocess.CalledProcessError as err:
        reason = next((line for line in log.read_text(errors="replace").splitlines()
                       if line.startswith("E: ")), f"apt-get exited with {err.returncode}")
        raise Fail(f"cannot install {' '.join(missing)}: {reason}",
                   f"see {log}, or install them by hand") from err


def explain(err):
    """Turn what the system says into a line for the user."""
    if isinstance(err, OSError) and err.errno == errno.ENOSPC:
        return Fail("the disk is full", "free some space or run './vdma clean'")
    if isinstance(err, subprocess.CalledProcessError):
        error = (err.stderr or b"").decode(errors="replace").strip().splitlines()
        return Fail(f"{' '.join(err.cmd[:3])} exited with {err.returncode}",
                    error[-1] if error else None)
    return Fail(str(err))

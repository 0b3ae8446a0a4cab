# SPDX-License-Identifier: GPL-2.0-only
"""The one error that the user sees, and how the system's become one."""
import errno
import subprocess


class Fail(Exception):
    """What the user must know: one line, and a hint what to do about it."""

    def __init__(self, what, hint=None):
        super().__init__(what)
        self.hint = hint


def explain(err):
    """Turn what the system says into a line for the user."""
    if isinstance(err, OSError) and err.errno == errno.ENOSPC:
        return Fail("the disk is full", "free some space or run './vdma clean'")
    if isinstance(err, subprocess.CalledProcessError):
        error = (err.stderr or b"").decode(errors="replace").strip().splitlines()
        return Fail(f"{' '.join(err.cmd[:3])} exited with {err.returncode}",
                    error[-1] if error else None)
    return Fail(str(err))

# SPDX-License-Identifier: GPL-2.0-only
"""QMP: one question and its answer at a time, with the events that come between.

Hand-written on purpose: QEMU's own client is a package of asynchronous code that Debian
does not have for Python 3.11, and all that is needed of it is this.
"""
import json
import select

from ..core.errors import Fail
from .patience import SLICE


class Gone(Exception):
    """There is nobody to answer any more."""


class Qmp:
    """A connection to QEMU's monitor. It waits as long as @patience() lasts."""

    def __init__(self, sock, patience):
        self._sock, self._patience, self._rest, self.events = sock, patience, b"", []
        self._answer()
        self("qmp_capabilities")

    def __call__(self, name, **arguments):
        """Ask, and return the answer; raise Fail if QEMU says no, Gone if it says nothing."""
        request = {"execute": name} | ({"arguments": arguments} if arguments else {})
        try:
            self._sock.sendall(json.dumps(request).encode() + b"\n")
        except OSError as err:
            raise Gone from err
        answer = self._answer()
        if "error" in answer:
            raise Fail(f"QMP {name}: {answer['error']['desc']}")
        return answer["return"]

    def _answer(self):
        """The next answer. Keep the events before it: each is told once."""
        while True:
            answer = self._message()
            if "event" not in answer:
                return answer
            self.events.append(answer)

    def _message(self):
        patience = self._patience()
        while b"\n" not in self._rest:
            while not select.select([self._sock], [], [], SLICE)[0]:
                if not patience.look():
                    raise Gone
            try:
                data = self._sock.recv(1 << 16)
            except OSError as err:
                raise Gone from err
            if not data:
                raise Gone
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            return json.loads(line)
        except ValueError as err:
            raise Gone from err

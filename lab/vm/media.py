# SPDX-License-Identifier: GPL-2.0-only
"""The bytes that a guest reads and writes, and whether they came through."""
import random
import shutil
import socket
import threading

from ..core.cache import cache, new_entry
from ..model.media import DISK, ENTROPY, KEYS, NET, presses, SWAP
from ..model.scenario import SILENCE


def images():
    """Random bytes for the disk and for virtio-rng, made once."""
    entry = cache("images") / "v1"
    if not entry.exists():
        with new_entry(entry) as new:
            (new / "disk.img").write_bytes(random.randbytes(DISK))
            (new / "entropy.img").write_bytes(random.randbytes(ENTROPY))
    return entry


class Peer(threading.Thread):
    """The host's end of the network test: send, and collect what comes back."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.sent, self.echoes = random.randbytes(NET), []
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(SILENCE)
                sender = threading.Thread(target=self._send, args=(peer,), daemon=True)
                sender.start()
                back = bytearray()
                try:
                    while data := peer.recv(1 << 16):
                        back += data
                except OSError:
                    pass
                sender.join()
                self.echoes.append(bytes(back))

    def _send(self, peer):
        try:
            peer.sendall(self.sent)
        except OSError:
            pass

    def stop(self):
        # close() alone leaves accept() waiting.
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def look(run, machine, device):
    run.pictures.append(machine.picture(device))


def press(run, machine, keys):
    for _ in range(int(keys)):
        machine.press(presses(run.seed)[run.typed % KEYS])
        run.typed += 1


# What the guest asks for, and waits until it is done.
HELP = {"look": look, "type": press}


def furnish(folder, source):
    """What is behind the devices: disks, random bytes, a folder to share."""
    (folder / "share").mkdir(exist_ok=True)
    for name, to in (("disk.img", "disk.img"), ("entropy.img", "entropy.img"),
                     ("entropy.img", "share/in")):
        shutil.copy(source / name, folder / to)
    with open(folder / "swap.img", "wb") as file:
        file.truncate(SWAP)

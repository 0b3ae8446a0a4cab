# SPDX-License-Identifier: GPL-2.0-only
"""What is behind a guest's devices: disks, random bytes, a folder to share, a network peer."""
import random
import shutil
import socket
import threading

from ..core.cache import cache, new_entry
from ..model.media import disk_image, entropy_image, IMAGES, NET, SWAP
from ..model.record import digest
from ..model.scenario import SILENCE


def images():
    """The disk and the random numbers, made once."""
    entry = cache("images") / IMAGES
    if not entry.exists():
        with new_entry(entry) as new:
            (new / "disk.img").write_bytes(disk_image())
            (new / "entropy.img").write_bytes(entropy_image())
    return entry


def write_media(folder, _image=None):
    """Put into the folder of a boot what its devices read and write."""
    (folder / "share").mkdir(exist_ok=True)
    source = images()
    for name, to in (("disk.img", "disk.img"), ("entropy.img", "entropy.img"),
                     ("entropy.img", "share/in")):
        shutil.copy(source / name, folder / to)
    with open(folder / "swap.img", "wb") as file:
        file.truncate(SWAP)


def read_media(folder, record):
    """Note what the guest left there."""
    record.disk = digest((folder / "disk.img").read_bytes())
    # A sparse file has what was written to it.
    record.swapped = (folder / "swap.img").stat().st_blocks * 512
    for step, path in (("port", folder / "port.out"), ("share", folder / "share" / "out")):
        if path.exists():
            data = path.read_bytes()
            record.written[step] = {"bytes": len(data), "sha256": digest(data)}


class Peer(threading.Thread):
    """The host's end of the network test: send, and collect what comes back."""

    def __init__(self, _image):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.sent = random.randbytes(NET)
        self.digest, self.echoes = digest(self.sent), []  # of each echo its digest
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
                self.echoes.append(digest(back))

    def _send(self, peer):
        try:
            peer.sendall(self.sent)
        except OSError:
            pass

    def note(self, record):
        """Note what was sent, and what came back."""
        record.sent, record.echoes = self.digest, self.echoes

    def stop(self):
        # close() alone leaves accept() waiting.
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

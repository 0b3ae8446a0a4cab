# SPDX-License-Identifier: GPL-2.0-only
"""A host whose kernel serves a guest's devices: what goes into it, and what both ends agree on."""
import re
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.build import host
from lab.core.cache import ROOT
from lab.vm import hosted


def defined(path, name):
    return re.search(rf"^#define {name}\s+(.*)$", (ROOT / "lab" / path).read_text(), re.M)[1]


class Hosts(unittest.TestCase):
    def test_guest_and_host_agree_on_where_the_host_is(self):
        self.assertEqual(defined("host/main.c", "ADDRESS"), defined("guest/lib/iface.h", "HOST"))
        self.assertEqual(defined("host/main.c", "PORT"), defined("guest/steps/sock.c", "PORT"))

    def test_what_a_command_names_goes_along_with_its_libraries(self):
        with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
            image = Path(folder) / "Image"
            image.write_bytes(b"")
            program = shutil.which("git")
            found = host.files([program, "-kernel", str(image), "-append", "/no/such file", "-m", "1G"])
            self.assertEqual(found[:2], [program, str(image)])
            self.assertTrue(all(Path(name).is_file() for name in found[2:]) and found[2:], found)
            with mock.patch.object(host.initramfs, "pack") as pack:
                host.pack(host.Host({}, Path(folder), Path("/made/init")), [program, str(image)],
                          Path(folder))
            spec = pack.call_args.args[1]
        self.assertIn("file /init /made/init 755 0 0\n", spec)
        self.assertIn(f"file {image} {image} 755 0 0\n", spec)
        listed = [line.split()[1] for line in spec.splitlines()]
        # A folder comes before what is in it.
        self.assertTrue(all(str(Path(name).parent) in (*listed[:at], "/")
                            for at, name in enumerate(listed)), spec)

    def test_the_monitor_and_the_report_pass_through_the_host(self):
        text = " ".join(hosted.OWN)
        for chardev in re.findall(r"chardev\d=(\w+)", " ".join(hosted.PORTS)):
            self.assertIn(f"serial,id={chardev},path=/dev/ttyS", text)

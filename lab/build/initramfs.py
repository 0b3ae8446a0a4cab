# SPDX-License-Identifier: GPL-2.0-only
"""Pack files into an initramfs."""
import subprocess


def pack(kernel, spec, to):
    """Pack what @spec lists, with the tool that came with @kernel."""
    listed = to.with_name(to.name + ".spec")
    listed.write_text(spec)
    with open(to, "wb") as file:
        subprocess.run([kernel / "gen_init_cpio", listed], stdout=file, check=True)
    return to

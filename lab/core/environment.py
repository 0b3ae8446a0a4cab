# SPDX-License-Identifier: GPL-2.0-only
"""Keep what the user's environment says away from what the lab does and writes."""
import os

# git's variables retarget its commands, make's and the kernel's change a build,
# a locale changes what is parsed. Take what names places and the network only.
KEPT = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "XDG_CACHE_HOME", "CI",
        "KERNEL", "QEMU", "SPEC", "APT_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK",
        "PYTHONDONTWRITEBYTECODE"}
KEPT_PREFIX = "VDMA_", "SUDO_"
KEPT_SUFFIX = "_PROXY"
FIXED = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1",
         # Nothing of the user's or the machine's configuration of git.
         "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def kept(name):
    return name in KEPT or name.startswith(KEPT_PREFIX) or name.upper().endswith(KEPT_SUFFIX)


def clean():
    """Reduce the environment of this process, and so of all that it starts."""
    for name in [n for n in os.environ if not kept(n)]:
        del os.environ[name]
    os.environ.update(FIXED)
    os.umask(0o022)

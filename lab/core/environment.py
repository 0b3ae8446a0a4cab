# SPDX-License-Identifier: GPL-2.0-only
"""Keep what the user's environment says away from what the lab does and writes."""
import os
import re
import sys

# git's variables retarget its commands, make's and the kernel's change a build,
# a locale changes what is parsed. Take what names places and the network only.
KEPT = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "XDG_CACHE_HOME", "CI",
        "KERNEL", "QEMU", "SPEC", "APT_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK",
        "PYTHONDONTWRITEBYTECODE"}
KEPT_PREFIX = "VDMA_", "SUDO_"
KEPT_SUFFIX = "_PROXY"
FIXED = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1",
         # Perl's scripts name people in the order of their hashes.
         "PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0",
         # Nothing of the user's or the machine's configuration of git.
         "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def kept(name):
    return name in KEPT or name.startswith(KEPT_PREFIX) or name.upper().endswith(KEPT_SUFFIX)


def temporary():
    """A folder for compilers and the like: the user's, if it is one that all of them take."""
    for path in filter(None, (os.environ.get("TMPDIR"), "/tmp", "/var/tmp")):
        # Sockets are made there: their names are short.
        if re.fullmatch(r"/[\w./+@-]{1,60}", path, re.A) and os.path.isdir(path) \
                and os.access(path, os.W_OK | os.X_OK):
            return path
    sys.exit("vdma: no temporary folder can be written to\n"
             "  hint: set TMPDIR to one, with a short and plain name")


def clean():
    """Reduce the environment of this process, and so of all that it starts."""
    # What we open must not take the place of a stream that was closed.
    while (number := os.open("/dev/null", os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w", encoding="utf-8")
                              for stream in (sys.stdout, sys.stderr))
    try:
        os.getcwd()
    except OSError:
        sys.exit("vdma: the folder that you are in is gone\n  hint: go to another one: cd")
    FIXED["TMPDIR"] = temporary()
    for name in [n for n in os.environ if not kept(n)]:
        del os.environ[name]
    os.environ.update(FIXED)
    os.umask(0o022)

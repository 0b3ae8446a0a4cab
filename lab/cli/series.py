# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that turn the series into commits, mails and packages, and back."""
from argparse import ArgumentTypeError
from email.utils import parseaddr
from pathlib import Path

from ..core.errors import Fail
from ..core.git import sender
from ..core.process import say
from ..model.scenario import COMPANION
from ..patches import debian, mbox, refresh, series
from ..patches.base import Base
from ..patches.qemu import companions, Qemu
from ..patches.spec import Spec
from ..patches.swiotlb import PREFIX, Swiotlb
from ..flows.jobs import github
from .verb import option, verb


def base_of(name):
    """What a tree can be made of: a kernel base, for either of its series, QEMU or the specification."""
    if name == "spec":
        return Spec()
    if name.startswith(PREFIX):
        return Swiotlb(name.removeprefix(PREFIX))
    return Qemu(name) if name in companions() else Base(name)


def do_checkout(args):
    folder = Path(args.dir or f"linux-{args.base}")
    series.checkout(base_of(args.base), folder)
    print(folder)


def do_refresh(args):
    refresh.refresh(base_of(args.base), Path(args.dir or f"linux-{args.base}"))


def do_mbox(args):
    who = args.sender or sender()
    if args.since and not args.reroll:
        raise Fail("--since is for a second version", "say which one: --reroll 2")
    for name in mbox.write(base_of(args.base), Path(args.dir or f"outgoing-{args.base}"),
                           args.reroll, args.only, who, args.since):
        print(name)
    if not who:
        say("not for sending: nobody has signed the mails\n"
            "  hint: --from 'Name <address>', or git config --global user.name and user.email")


def person(text):
    """Who 'Name <address>' is."""
    who = parseaddr(text)
    if not all(who) or "@" not in who[1]:
        raise ArgumentTypeError(f"'{text}' is not 'Name <address>'")
    return who


def do_debian(args):
    folder = Path(args.dir or f"debian-{args.base}")
    for patch in debian.write(Base(args.base), folder, args.only):
        print(patch)


def do_jobs(args):
    made, left = github.make(args.format, args.url)
    for path in github.write(made, Path(args.dir or f"outgoing-{args.format}")):
        print(path)
    for name, reason in left.items():
        say(f"left out: {name}: {reason}")


def folder(default):
    return option("dir", metavar="DIR", nargs="?", help=f"the folder (default: {default})")


def add(verbs):
    base = option("base", metavar="BASE", help="a kernel, by its name in bases/; the companion"
                  f" QEMU, by its name in qemu/base.toml ({COMPANION}, for one); {PREFIX}BASE,"
                  " for the swiotlb series; or spec")
    only = option("--only", metavar="SET",
                  help="write a set from series/sets/ (default: the whole series)")
    verb(verbs, do_checkout, "make a git tree with one commit per entry of a series", base,
         folder("linux-BASE"),
         more="The commits are on branch 'series'; branch 'base' is the source without them.")
    verb(verbs, do_refresh, "fold the commits of such a tree back into the series", base,
         folder("linux-BASE"),
         more="It folds the commits from 'base' to HEAD, and refuses a tree with uncommitted"
         " changes.")
    verb(verbs, do_mbox, "write a series as 'git send-email' takes it", base,
         folder("outgoing-BASE"), only,
         option("--from", dest="sender", type=person, metavar="WHO",
                help="who sends and signs it, as 'Name <address>' (default: the user of git)"),
         option("--reroll", type=int, metavar="N", help="write version N of the posting, from 2;"
                " what a set, or the file beside the cover letter, says of 'changes' must have a"
                " paragraph 'vN:'"),
         option("--since", metavar="REV", help="with --reroll: the revision of this repository"
                " that the last version was sent from, to add a range-diff"))
    verb(verbs, do_debian, "write the series as a drop-in for debian/patches of Debian's kernel",
         option("base", metavar="BASE", help="a name in bases/"), folder("debian-BASE"), only)
    verb(verbs, do_jobs, "write the scenarios as jobs for a hosted CI or a test farm",
         option("format", metavar="FORMAT", help=" or ".join(github.FORMATS)),
         folder("outgoing-FORMAT"),
         option("--url", metavar="URL", help="where a farm finds the kernels: URL/BASE-ARCH-KIND/"
                " must hold the image and, as 'initrd', the initramfs of './vdma build'"))

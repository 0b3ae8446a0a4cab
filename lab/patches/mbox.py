# SPDX-License-Identifier: GPL-2.0-only
"""The series as it goes to the mailing lists, and the proof that it arrives."""
import email.utils
import os
import re
import subprocess
import tempfile
from pathlib import Path

from ..core.cache import cache, ROOT
from ..core.errors import Fail
from ..core.git import git, identity, WHO
from ..core.process import run
from . import earlier, series

# What "./vdma test" leaves behind for the cover letter.
LAST = "last-test"
# What a source tree is known by, that of Linux and that of QEMU.
TREE = ("COPYING", "CREDITS", "Kbuild", "Makefile", "README", "VERSION", "Documentation/", "arch/",
        "include/", "drivers/", "fs/", "init/", "ipc/", "kernel/", "lib/", "scripts/", "docs/",
        "linux-user/", "system/")


NOBODY = "Not for sending: nobody has signed this. Write it again with --from, or tell git who you are."


def write(base, folder, reroll=None, only=None, who=None, since=None):
    """Write what git send-email takes, the cover letter first; return the files.

    Of a set write its own commits. A set of one has no cover letter: what that would say is
    below its message. They are signed by @who, a name and an address. A version, @reroll, is
    compared with what was sent from the revision @since.
    """
    base.fetch()
    if folder.exists() and any(folder.iterdir()):
        raise Fail(f"{folder} is not empty", "name another folder")
    last = series.commits(base, only=only)[-1]
    form = ["format-patch", "-o", folder.resolve(), "--thread=shallow", "--base=base"]
    form += [f"--reroll-count={reroll}"] if reroll else []
    form += [f"--range-diff={earlier.commits(base, since, only)}"] if since else []
    first, one, covered = "base", {}, True
    if only:
        one = series.every_set(base)[only]
        form += ["--rfc"] if one.get("rfc") else []
        first, covered = f"{last}~{len(series.members(base, only))}", "subject" in one
    words = of_set(one, only, reroll) if only else cover(base, reroll)
    words = numbered(words, base, series.members(base, only) if only else series.entries(base))
    if covered:
        names = with_cover(base, first, last, form, words)
    else:
        names = git(base.tree, *form, f"{first}..{last}",
                    env=identity(series.date(base))).splitlines()
    files = [Path(name) for name in names]
    if not covered and words:
        files[0].write_text(below(files[0].read_text(), words))
    files[0].write_text(based(files[0].read_text(), base))
    address(base, last, files, covered, one.get("cc", []))
    for file in files:
        file.write_text(signed(file.read_text(), who) if who else unsigned(file.read_text()))
    return names


def signed(mail, who):
    """A mail of the one who sends it, who also signs the patch."""
    own, (name, address) = "{NAME} <{EMAIL}>".format(**WHO), who
    head, blank, body = mail.partition("\n\n")
    head = head.replace(f"From: {own}", f"From: {email.utils.formataddr(who)}")
    body = body.replace(own, f"{name} <{address}>")
    # A cover letter lists patches by author.
    body = re.sub(rf"^{WHO['NAME']} (?=\(\d+\):$)", lambda _: f"{name} ", body, flags=re.M)
    if not (head + body).isascii() and "\nContent-Type:" not in head:
        head += ("\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8"
                 "\nContent-Transfer-Encoding: 8bit")
    # What is left of it is in the names of mails.
    return (head + blank + body).replace(WHO["EMAIL"], address)


def unsigned(mail):
    """A mail that says that it must not be sent, where its subject is and where it is read."""
    mail = re.sub(r"^Subject: \[", "Subject: [NOT FOR SENDING ", mail, count=1, flags=re.M)
    if "\n---\n" in mail:
        return below(mail, NOBODY)
    return mail.replace("\n\n", f"\n\n{NOBODY}\n\n", 1)


def below(mail, text):
    """The mail of a patch, with words for its readers that are not in the commit."""
    return mail.replace("\n---\n", f"\n---\n{text}\n\n", 1)


def with_cover(base, first, last, form, text):
    """Have git write mails, the cover letter first."""
    # git takes that from a branch: one of our own, for others write mails as well.
    branch = f"cover-{os.getpid()}"
    git(base.tree, "branch", "-q", "-f", branch, last)
    try:
        return git(base.tree, "-c", f"branch.{branch}.description={text}", *form,
                   "--cover-letter", "--cover-from-description=subject", f"{first}..{branch}",
                   env=identity(series.date(base))).splitlines()
    finally:
        git(base.tree, "branch", "-q", "-D", branch)


def numbered(text, base, sent):
    """A text in which patches have their numbers for their names: {ring-enomem}."""
    numbers = {entry.short: str(number) for number, entry in enumerate(sent, 1)}
    if unknown := set(re.findall(r"\{([a-z0-9-]+)\}", text)) - set(numbers):
        raise Fail(f"the cover letter names {', '.join(sorted(unknown))}, which is no patch of"
                   " what is sent", f"see {base.series.name}/: a name is without its number")
    return re.sub(r"\{([a-z0-9-]+)\}", lambda match: numbers[match[1]], text)


def of_set(one, name, reroll):
    """What a set says to its readers."""
    parts = [one.get("subject", ""), one.get("mail", "").strip(),
             changes(one.get("changes", ""), f"'changes' of the set {name}", reroll)]
    return "\n\n".join(filter(None, parts))


def changes(text, where, reroll):
    """What the versions change, which must be there for this one."""
    if reroll and not re.search(rf"^v{reroll}: \S", text, re.M):
        raise Fail(f"{where} does not say what version {reroll} changes",
                   f"write a paragraph 'v{reroll}: ...' to it")
    return text.strip() if reroll else ""


def cover(base, reroll):
    text = (base.series / "cover").read_text()
    if reroll:
        file = base.series / "changes"
        text += "\n" + changes(file.read_text() if file.exists() else "",
                               "'changes' beside the cover", reroll) + "\n"
    # The tests that are run as a whole are those of the virtio series, for its reviewers.
    if base.series != ROOT / "series":
        return text
    last = cache() / LAST
    return text + "\nThe last complete run of './vdma test': " + (
        last.read_text() if last.exists() else "none on this machine.\n")


def based(mail, base):
    """The mail that says what the others apply to, by a name that others know.

    Only a commit of the user's own tree is one. What a set needs stays there by its patch ids.
    """
    own = base.own and (Path(base.own) / ".git").exists()
    name = f"base-commit: {git(base.own, 'rev-parse', 'HEAD')}" if own else \
        f"base: {tag(base.release())}"
    return re.sub(r"^base-commit: [0-9a-f]+$", name, mail, count=1, flags=re.M)


def tag(release):
    """What upstream's git calls a release: Linux has no .0 there."""
    name, version = release.split()
    return "v" + (re.sub(r"^(\d+\.\d+)\.0(?=-|$)", r"\1", version) if name == "Linux" else version)


def address(base, commit, files, covered, more=()):
    """Add To (maintainers) and Cc (reviewers and lists), as the tree's own script names them.

    A set names @more, whom the script does not know: all its mails go to them as well.
    """
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        for path in ("scripts/get_maintainer.pl", "MAINTAINERS"):
            try:
                text = git(base.tree, "show", f"{commit}:{path}") + "\n"
            except subprocess.CalledProcessError:
                return  # The specification has neither.
            (Path(temp) / Path(path).name).write_text(text)
        for name in TREE:
            # It looks whether it is in a source tree: nothing more is read of one.
            (Path(temp) / name).mkdir() if name.endswith("/") else (Path(temp) / name).touch()
        add_headers(temp, files, covered, more)


def add_headers(folder, files, covered, more=()):
    """Address mails by the script and the list of maintainers in a folder."""
    everyone = {"To": [], "Cc": []}
    # The script looks for settings in the tree, and at home.
    env = os.environ | {"HOME": str(folder)}
    for file in reversed(files):
        own = {}
        for field, options in (("To", ("--nor", "--nol")), ("Cc", ("--nom",))):
            own[field] = [] if covered and file == files[0] else run(
                "perl", "get_maintainer.pl", "--nogit", "--nogit-fallback", "--norolestats",
                *options, file.resolve(), cwd=folder, env=env).splitlines()
            everyone[field] += own[field]
            own[field] = own[field] or everyone[field]
        there = {email.utils.parseaddr(who)[1] for who in own["To"] + own["Cc"]}
        own["Cc"] = [who for who in own["Cc"] if who not in own["To"]] + [
            who for who in more if email.utils.parseaddr(who)[1] not in there]
        file.write_text(addressed(file.read_text(), own))


def addressed(mail, fields):
    """A mail with fields at the end of its header: the names of each, and each name once."""
    head, blank, body = mail.partition("\n\n")
    for field, names in fields.items():
        if names:
            head += f"\n{field}: " + ",\n ".join(dict.fromkeys(names))
    return head + blank + body

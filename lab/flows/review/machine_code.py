# SPDX-License-Identifier: GPL-2.0-only
"""Show that a patch series leaves the machine code of hot functions alone.

Disassemble an object file built without and with the series, take away what
moves without meaning anything, and put every function in one class:

  same      the instructions are identical
  offsets   only immediates of loads, stores, additions and moves differ, as they
            do when a structure's fields move or it grows; but a changed constant
            looks alike, so the numbers are listed for someone to read
  differs, added, removed

Do not compare what lies in data sections, nor which part of one an instruction
points at: strings and line numbers move with every patch. A switch that became
a table keeps its targets out of sight that way. Ignore the nops that align loops
and, on powerpc, end dispatch groups, for they depend on where a function lies, but
not those that the kernel patches.

Understand GNU objdump for aarch64, powerpc64le and x86_64.
"""

import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

# Name what virtio_ring runs per request, and none of what makes, resizes or frees
# a queue. Accept what the compiler splits off, such as foo.cold.
HOT = re.compile(r"""(?:
    virtqueue_ (?: add | get_buf | kick | poll | dma ) (?: _\w+ )?
  | virtqueue_ (?: enable | disable ) _cb (?: _\w+ )?
  | virtqueue_ (?: notify | use_indirect | is_broken | get_vring_size )
  | vring_ (?: map | unmap ) _ (?! left \b ) \w+
  | vring_ (?: mapping_error | dma_dev | interrupt | need_event | notification_data )
  | (?: alloc_indirect | detach_buf | more_used | is_used_desc | packed ) (?: _\w+ )?
) (?: \.\w+ )* '*""", re.VERBOSE)

_KINDS = "same", "offsets", "differs", "added", "removed"
_SECTION = re.compile(r"(?:Disassembly of section |RELOCATION RECORDS FOR \[)([^]]+?)]?:$")
_LABEL = re.compile(r"[0-9a-f]+ <(.+)>:$")
_INSN = re.compile(r" *([0-9a-f]+):\t(.+)$")
_RELOC = re.compile(r"\s*([0-9a-f]+):? (R_\w+)\s+(.+?)([+-]0x[0-9a-f]+)?$")
_TARGET = re.compile(r"\b([0-9a-f]+) <[^>]+>")
_NOP = re.compile(r"(?:(?:data16|cs) )*(?:nop|xchg +%ax,%ax)|ori +r2,r2,0$")
_NUMBER = re.compile(r"\.\d+\b")
_DATA = re.compile(r"\.LC(?=\d)|\.rodata\.str(?=\d)|\.(?:init\.|exit\.)?s?(?:data|bss|rodata)\b\S*"
                   r"|\.altinstr\S*|__(?:bug|ex|jump)_table$")
_NOT_PATCHING = re.compile(r"\.(?:debug|eh_frame|orc_|(?:\w+\.)?text)")

# Take displacement(base), which any x86 instruction may have, for an offset in
# all of them, other immediates only where the instruction loads, stores or adds.
_FIELD = r"-?\b(?:0x[0-9a-f]+|\d+)(?=\([%r])"
_VALUE = r"(?<=, )#-?\w+|\$-?0x\w+|(?<=,)-?\d+$"
_ADJUSTS = re.compile(r"(?:(?:ld|st|prf)\w*|(?:add|sub)[bwlq]?|movk?|mov[zn]|mov[bwlq]|movabs"
                      r"|lea\w*|p?addis?|p?lis?) ")


@dataclass(frozen=True)
class Verdict:
    """Say what became of one function, and what a reader needs to judge that."""

    name: str
    kind: str
    detail: list[str] = field(default_factory=list)


def _objdump(path: Path, cross: str, *options: str) -> list[str]:
    tool = f"{cross}objdump"
    try:
        run = subprocess.run([tool, *options, str(path)], capture_output=True, text=True,
                             env=os.environ | {"LC_ALL": "C"})
    except OSError as error:
        raise ValueError(f"cannot run {tool}: {error.strerror}") from None
    if run.returncode:
        raise ValueError(f"cannot disassemble {path}: {' '.join(run.stderr.split())}")
    return run.stdout.splitlines()


def _normalise(section: str, text: str, relocs: list, place: dict, pointers: dict) -> str:
    """Write an instruction without the addresses that say only where things lie."""

    def where(section: str, address: int) -> str:
        return place.get((section, address), f"{section}{address:+#x}")

    def symbol(name: str, addend: int, bias: int = 0) -> str:
        # powerpc loads addresses from a table, the order of which says nothing.
        if name == ".toc" and (name, addend) in pointers:
            return f"toc({symbol(*pointers[name, addend])})"
        if (name, 0) in place:
            return where(name, addend + bias)
        if data := _DATA.match(name):
            return f"{data[0]}+?"
        return _NUMBER.sub("", name) + (f"{addend:+#x}" if addend else "")

    text = re.sub(r"-?0x[0-9a-f]+(?=\(%rip\))", "", text.split("//")[0])
    # An operand that a relocation fills in holds no address yet.
    text = _TARGET.sub(lambda m: "?" if relocs else where(section, int(m[1], 16)), text)
    # Spell out the offset of a structure's first field, which objdump leaves out.
    text = re.sub(r"\[(\w+)\]", r"[\1, #0]", re.sub(r"(?<!\w)\(%(?!rip)", "0x0(%", text))
    # x86 counts from the end of the four bytes that are filled in.
    return " ".join([*text.split(), *(
        f"{kind} {symbol(name, addend, 4 * kind.endswith(('_PC32', '_PLT32')))}"
        for kind, name, addend in relocs)])


def _functions(path: Path, cross: str) -> dict[str, list[str]]:
    """Disassemble PATH into the normalised instructions of each function."""
    pointers: dict[tuple[str, int], tuple[str, int]] = {}
    for line in _objdump(path, cross, "-r"):
        if m := _SECTION.match(line):
            section = m[1]
        elif (m := _RELOC.match(line)) and not _NOT_PATCHING.match(section):
            pointers[section, int(m[1], 16)] = m[3], int(m[4] or "0", 16)
    patched = set(pointers.values())

    # Count in instructions, not bytes: how long one is may depend on its operands.
    place: dict[tuple[str, int], str] = {}
    bodies: dict[str, list[tuple[str, str, list]]] = {}
    for line in _objdump(path, cross, "-drz", "--no-show-raw-insn"):
        if m := _SECTION.match(line):
            section = m[1]
        elif m := _LABEL.match(line):
            name = _NUMBER.sub("", m[1])
            while name in bodies:
                name += "'"
            body = bodies[name] = []
        elif m := _INSN.match(line):
            here = section, int(m[1], 16)
            place[here] = f"{name}+#{len(body)}" if body else name
            if here in patched or not _NOP.match(m[2]):
                body.append((section, m[2], []))
        elif (m := _RELOC.match(line)) and body:
            body[-1][2].append((m[2], m[3], int(m[4] or "0", 16)))
    if not bodies:
        raise ValueError(f"no code in {path}")
    return {name: [_normalise(*insn, place, pointers) for insn in body]
            for name, body in bodies.items()}


def _shape(insn: str) -> tuple[str, list[int]]:
    """Split INSN into what must stay and the numbers that a moved field changes."""
    number = re.compile(f"{_FIELD}|{_VALUE}" if _ADJUSTS.match(insn) else _FIELD)
    return number.sub("_", insn), [int(n.strip("#$"), 0) for n in number.findall(insn)]


def _judge(name: str, old: list[str] | None, new: list[str] | None) -> Verdict:
    if old is None or new is None:
        return Verdict(name, "added" if old is None else "removed",
                       [f"{len(new if old is None else old)} instructions"])
    if old == new:
        return Verdict(name, "same")
    pairs = [(i, a, b) for i, (a, b) in enumerate(zip_longest(old, new, fillvalue="(end)"))
             if a != b]
    if all(_shape(a)[0] == _shape(b)[0] for _, a, b in pairs):
        moves = Counter((x, y) for _, a, b in pairs
                        for x, y in zip(_shape(a)[1], _shape(b)[1]) if x != y)
        return Verdict(name, "offsets",
                       [f"{x} -> {y} ({y - x:+d}) x{n}" for (x, y), n in sorted(moves.items())])
    # Prefer what changed to a branch within the function that only reaches further.
    own = re.compile(rf"{re.escape(name)}\+#\d+")
    i, a, b = min(pairs, key=lambda pair: len({_shape(own.sub("", x))[0] for x in pair[1:]}) == 1)
    return Verdict(name, "differs", [f"+#{i}: {a} | {b}", f"{len(old)} -> {len(new)} instructions"])


def compare(before: Path, after: Path, cross: str) -> dict[str, Verdict]:
    """Judge every function of two objects, with the objdump that CROSS prefixes."""
    old, new = _functions(before, cross), _functions(after, cross)
    return {name: _judge(name, old.get(name), new.get(name)) for name in old | new}


def report(before: Path, after: Path, cross: str,
           hot: re.Pattern[str] = HOT) -> tuple[bool, list[str]]:
    """Tell whether every HOT function is the same, and say what is not.

    Let none pass in class offsets, and no comparison that found none at all.
    """
    verdicts = compare(before, after, cross).values()
    kinds = Counter(v.kind for v in verdicts)
    checked = [v for v in verdicts if hot.fullmatch(v.name)]
    same = sum(v.kind == "same" for v in checked)
    lines = [f"{before.name}: {len(verdicts)} functions: "
             + ", ".join(f"{kinds[kind]} {kind}" for kind in _KINDS)
             + f"; hot: {same} of {len(checked)} same"]
    lines += [f"{'HOT ' if v in checked else ''}{v.kind} {v.name}: {'; '.join(v.detail)}"
              for v in verdicts if v.kind != "same"]
    return 0 < same == len(checked), lines

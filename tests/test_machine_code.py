# SPDX-License-Identifier: GPL-2.0-only
"""Machine code: what may move without meaning anything, and what may not."""
import unittest
from pathlib import Path
from unittest import mock

from lab.flows.review import machine_code

BEFORE, AFTER = Path("virtio_ring.o"), Path("after/virtio_ring.o")


def text(functions, start=0):
    """What objdump writes of functions: each a list of instructions, and of relocations."""
    lines, address = ["Disassembly of section .text:", ""], start
    for name, body in functions.items():
        lines.append(f"{address:016x} <{name}>:")
        for line in body:
            if line.startswith("R_"):
                lines.append(f"\t\t\t{address - 4:x}: {line}")
            else:
                lines.append(f" {address:x}:\t{line}")
                address += 4
        lines.append("")
    return lines


def judge(before, after, relocs=("", ""), start=0):
    """The verdicts on two objects, of which the second begins at another place."""
    texts = {(BEFORE, "-drz"): text(before), (AFTER, "-drz"): text(after, start),
             (BEFORE, "-r"): relocs[0].splitlines(), (AFTER, "-r"): relocs[1].splitlines()}
    with mock.patch.object(machine_code, "_objdump",
                           lambda path, cross, option, *_: texts[path, option]):
        return (machine_code.compare(BEFORE, AFTER, ""),
                machine_code.report(BEFORE, AFTER, ""))


def verdict(before, after, **more):
    """The verdict on one function that was changed."""
    found = judge({"virtqueue_kick": before}, {"virtqueue_kick": after}, **more)
    return found[0]["virtqueue_kick"]


LOAD = "ldr\tx0, [x1, #16]"


class Same(unittest.TestCase):
    def same(self, before, after, **more):
        self.assertEqual(verdict(before, after, **more).kind, "same")

    def test_the_same_instructions(self):
        self.same([LOAD, "ret"], [LOAD, "ret"])

    def test_where_a_function_lies_says_nothing(self):
        self.same(["b.eq\t8 <virtqueue_kick+0x8>", LOAD, "ret"],
                  ["b.eq\t1008 <virtqueue_kick+0x8>", LOAD, "ret"], start=0x1000)

    def test_nops_that_align_say_nothing(self):
        self.same([LOAD, "ret"], [LOAD, "nop", "ret"])
        self.same(["ret"], ["data16 cs nop", "xchg   %ax,%ax", "ori     r2,r2,0", "ret"])

    def test_a_branch_over_a_nop_is_counted_in_instructions(self):
        self.same(["b.eq\t4 <virtqueue_kick+0x4>", "ret"],
                  ["b.eq\t8 <virtqueue_kick+0x8>", "nop", "ret"])

    def test_comments_and_the_numbers_of_strings_and_clones_say_nothing(self):
        self.same(["adrp\tx0, 0 <.LC1>  // a", "R_AARCH64_ADR_PREL_PG_HI21\t.LC1+0x8"],
                  ["adrp\tx0, 0 <.LC7>  // b", "R_AARCH64_ADR_PREL_PG_HI21\t.LC7+0x10"])
        self.same(["bl\t0 <x>", "R_AARCH64_CALL26\tfoo.isra.0"],
                  ["bl\t0 <x>", "R_AARCH64_CALL26\tfoo.isra.7"])

    def test_a_first_field_is_spelt_out(self):
        self.assertEqual(machine_code._normalise(".text", "ldr x0, [x1]", [], {}, {}),
                         "ldr x0, [x1, #0]")
        self.assertEqual(machine_code._normalise(".text", "mov (%rax),%rbx", [], {}, {}),
                         "mov 0x0(%rax),%rbx")

    def test_control_what_a_relocation_names_is_kept(self):
        call = "bl\t0 <x>"
        found = verdict([call, "R_AARCH64_CALL26\tfoo"], [call, "R_AARCH64_CALL26\tbar"])
        self.assertEqual(found.kind, "differs")

    def test_control_a_nop_that_the_kernel_patches_counts(self):
        where = "RELOCATION RECORDS FOR [__patchable]:\n0000000000000000 R_ABS .text+0x4"
        patched = verdict([LOAD, "ret"], [LOAD, "nop", "ret"], relocs=("", where))
        self.assertEqual(patched.kind, "differs")


class Offsets(unittest.TestCase):
    def test_a_field_that_moved_is_listed(self):
        found = verdict([LOAD, LOAD, "ret"], [LOAD.replace("16", "24")] * 2 + ["ret"])
        self.assertEqual((found.kind, found.detail), ("offsets", ["16 -> 24 (+8) x2"]))

    def test_a_field_that_became_the_first_one_is_an_offset(self):
        self.assertEqual(verdict([LOAD], ["ldr\tx0, [x1]"]).kind, "offsets")

    def test_x86_and_powerpc_too(self):
        self.assertEqual(verdict(["mov    0x10(%rax),%rbx"], ["mov    0x18(%rax),%rbx"]).kind,
                         "offsets")
        self.assertEqual(verdict(["ld      r3,16(r4)"], ["ld      r3,24(r4)"]).kind, "offsets")

    def test_control_a_number_that_is_compared_is_none(self):
        self.assertEqual(verdict(["cmp\tx0, #0x10"], ["cmp\tx0, #0x18"]).kind, "differs")


class Differs(unittest.TestCase):
    def test_another_instruction(self):
        found = verdict([LOAD, "ret"], ["ldr\tw0, [x1, #16]", "ret"])
        self.assertEqual(found.kind, "differs")
        self.assertEqual(found.detail, ["+#0: ldr x0, [x1, #16] | ldr w0, [x1, #16]",
                                        "2 -> 2 instructions"])

    def test_one_instruction_more(self):
        found = verdict([LOAD], [LOAD, "ret"])
        self.assertEqual((found.kind, found.detail[-1]), ("differs", "1 -> 2 instructions"))

    def test_what_changed_is_shown_rather_than_what_reaches_further(self):
        before = ["b.eq\t8 <virtqueue_kick+0x8>", LOAD, "ret"]
        after = ["b.eq\tc <virtqueue_kick+0xc>", LOAD, "mov\tx0, x2", "ret"]
        self.assertIn("mov x0, x2", verdict(before, after).detail[0])

    def test_a_branch_to_another_place_within_the_function(self):
        body = [LOAD, LOAD, "ret"]
        self.assertEqual(verdict(["b.eq\t4 <virtqueue_kick+0x4>", *body],
                                 ["b.eq\t8 <virtqueue_kick+0x8>", *body]).kind, "differs")


class Report(unittest.TestCase):
    base = {"virtqueue_add": [LOAD, "ret"], "vring_del": ["ret"]}

    def test_hot_functions_that_are_the_same_pass(self):
        _, (good, lines) = judge(self.base, self.base)
        self.assertTrue(good)
        self.assertEqual(lines, [
            "virtio_ring.o: 2 functions: 2 same, 0 offsets, 0 differs, 0 added, 0 removed;"
            " hot: 1 of 1 same"])

    def test_a_cold_function_may_change_come_and_go(self):
        after = {"virtqueue_add": [LOAD, "ret"], "vring_new": [LOAD]}
        found, (good, lines) = judge(self.base, after)
        self.assertTrue(good)
        self.assertEqual((found["vring_del"].kind, found["vring_new"].kind), ("removed", "added"))
        self.assertEqual(lines[1:], ["removed vring_del: 1 instructions",
                                     "added vring_new: 1 instructions"])

    def test_a_hot_function_may_not_even_change_offsets(self):
        for body in ([LOAD.replace("16", "24"), "ret"], ["ret"]):
            _, (good, lines) = judge(self.base, self.base | {"virtqueue_add": body})
            self.assertFalse(good)
            self.assertTrue(lines[1].startswith("HOT "), lines)

    def test_a_hot_function_that_comes_or_goes_fails(self):
        without = {"vring_del": ["ret"], "vring_map_one": ["ret"]}
        for before, after in ((without, without | {"virtqueue_add": ["ret"]}),
                              (without | {"virtqueue_add": ["ret"]}, without)):
            self.assertFalse(judge(before, after)[1][0])

    def test_no_hot_function_at_all_fails(self):
        cold = {"vring_del": ["ret"]}
        self.assertFalse(judge(cold, cold)[1][0])

    def test_no_code_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "no code in virtio_ring.o"):
            judge({}, self.base)

    def test_functions_of_one_name_are_told_apart(self):
        two = text({"helper": ["ret"]}) + text({"helper": [LOAD]}, 0x100)
        with mock.patch.object(machine_code, "_objdump", lambda _, __, option, *___:
                               two if option == "-drz" else []):
            found = machine_code._functions(BEFORE, "")
        self.assertEqual(found, {"helper": ["ret"], "helper'": ["ldr x0, [x1, #16]"]})

    def test_what_is_hot(self):
        for name in ("virtqueue_add", "virtqueue_add_sgs", "detach_buf_split.cold",
                     "virtqueue_get_buf_ctx", "vring_unmap_one_packed", "virtqueue_kick'"):
            self.assertTrue(machine_code.HOT.fullmatch(name), name)
        # What a driver has left is unmapped when its queue goes.
        for name in ("vring_create_virtqueue", "virtqueue_resize", "vring_alloc_queue", "probe",
                     "vring_unmap_left", "vring_unmap_left.isra"):
            self.assertFalse(machine_code.HOT.fullmatch(name), name)


if __name__ == "__main__":
    unittest.main()

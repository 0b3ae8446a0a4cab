# SPDX-License-Identifier: GPL-2.0-only
"""Results as KTAP on standard output, and as JUnit for those who collect it."""
import os
import sys
import time
from xml.etree import ElementTree

# How much of each reason the end of a run repeats.
REASON = 300


def wrong(checks):
    """What does not hold, each with its reason."""
    return [(f"{check.id}: {check.title}", str(check.detail)) for check in checks if not check.ok]


class Report:
    """Print results as they come; count them; close with one summary line."""

    def __init__(self):
        self.cases, self.summary = [], None
        self.start = self.last = time.monotonic()
        self.parts = {}  # of each part, whether all its tests passed
        print("KTAP version 1", flush=True)

    def add(self, name, checks=(), skip=None, part=None):
        """A test of one or more checks. No check at all is a failure. @part is what it is of."""
        checks = list(checks)
        ok = bool(skip) or (bool(checks) and all(check.ok for check in checks))
        if checks:
            print("    KTAP version 1")
            print(f"    1..{len(checks)}")
            for number, check in enumerate(checks, 1):
                print(f"    {'ok' if check.ok else 'not ok'} {number} {check.id}: {check.title}")
                if not check.ok:
                    print("".join(f"    # {line}\n" for line in str(check.detail).splitlines()),
                          end="")
        directive = f" # SKIP {skip}" if skip else ""
        print(f"{'ok' if ok else 'not ok'} {len(self.cases) + 1} {name}{directive}", flush=True)
        now = time.monotonic()
        self.cases.append((name, ok, skip, checks, now - self.last))
        self.last = now
        if part:
            self.parts[part] = self.parts.get(part, True) and ok
        return ok

    def close(self, junit=None, note=None):
        """Print plan, times, what failed, a note and the summary; write JUnit; return the status."""
        skipped = sum(1 for c in self.cases if c[2])
        failed = sum(1 for c in self.cases if not c[1])
        passed = len(self.cases) - failed - skipped
        if junit:
            self._junit(junit, failed, skipped)
        print(f"1..{len(self.cases)}")
        # With all that was started and has ended: builds and guests.
        used = sum(os.times()[:4])
        took = self.last - self.start
        print(f"# took {took / 60:.1f} min, and {used / 60:.1f} min of CPU time")
        for number, (name, ok, _, checks, _) in enumerate(self.cases, 1):
            # Whoever sees the end of a long run only must know where to look.
            if not ok:
                print(f"# not ok {number} {name}")
                for what, detail in wrong(checks):
                    print(f"#     {what}: {' '.join(detail.split())[:REASON]}")
        print(f"# {note}\n" if note else "", end="")
        self.summary = f"{passed} passed, {failed} failed, {skipped} skipped"
        print(self.summary)
        sys.stdout.flush()
        return 0 if passed and not failed else 1

    def _junit(self, path, failed, skipped):
        suite = ElementTree.Element("testsuite", name="vdma", tests=str(len(self.cases)),
                                    failures=str(failed), skipped=str(skipped))
        for name, ok, skip, checks, seconds in self.cases:
            case = ElementTree.SubElement(suite, "testcase", name=name, classname="vdma",
                                          time=f"{seconds:.1f}")
            if skip:
                ElementTree.SubElement(case, "skipped", message=skip)
            elif not ok:
                bad = wrong(checks)
                failure = ElementTree.SubElement(
                    case, "failure", message="; ".join(w for w, _ in bad) or "no checks")
                failure.text = "\n".join(f"{w}: {d}" for w, d in bad)
        ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)

# SPDX-License-Identifier: GPL-2.0-only
"""Break the series in one small place at a time: a test must notice, or there is a reason."""
import re
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ..core.cache import ROOT
from ..core.cpus import at_once
from ..core.errors import Fail
from ..core.process import say
from ..model import mutation, scenario
from ..model.check import Check
from ..patches import mutant
from ..patches.base import Base
from ..build import kernel
from . import runner

RESULTS = mutation.FOLDER / "README.md"
INTRO = """# Mutations

`./vdma mutate` wrote this: it makes one small change at a time to the C that the series adds, rebuilds, runs the
test that should notice, and says which of its checks was the first to fail. Each row is what the last run of that
mutation showed. `./vdma boot --kernel KERNEL+MUTATION TEST` shows one in full; KERNEL is the first that
`./vdma list` has for the test.

"""
# killed and survived are results; invalid is a mutation, or a reason, that must be mended.
KILLED, SURVIVED, INVALID = "killed", "survived", "invalid"


def listing():
    for one in mutation.load().values():
        print(f"{one['name']:30} {one['test']:30} {one['file']}"
              + (f"; survives: {one['survives']}" if one["survives"] else ""))


def run(wanted):
    """Try mutations, all or those of these names, and note the results; return the exit status."""
    chosen, results = mutation.pick(wanted), {}
    applies(chosen)
    # What takes the same kernel and configuration comes together, and needs the fewest builds.
    chosen.sort(key=lambda one: (one["base"], test_of(one)["arch"], test_of(one)["kernels"][0]))
    guests = at_once()
    pool, controls, waiting = ThreadPoolExecutor(guests), {}, []

    def finish():
        one, boot, job = waiting.pop(0)
        try:
            if failed(controls[one["base"], one["test"]].result()[1]):
                raise Fail(f"{one['test']} fails without any mutation")
            results[one["name"]] = verdict(one, *job.result())
        except Fail as err:
            results[one["name"]] = INVALID, str(err).partition("\n")[0]
        finally:
            if boot:
                shutil.rmtree(boot.kernel, ignore_errors=True)
        note(results)
        result, detail = results[one["name"]]
        print(f"{result:8} {one['name']:28} {one['test']:28} {detail}", flush=True)

    try:
        for one in chosen:
            test = test_of(one)
            if (one["base"], one["test"]) not in controls:
                controls[one["base"], one["test"]] = pool.submit(
                    runner.prove, runner.Boot(test, test["kernels"][0]))
            try:
                boot = runner.Boot(test, f"{test['kernels'][0]}+{one['name']}")
                waiting.append((one, boot, pool.submit(runner.prove, boot)))
            except Fail as err:
                waiting.append((one, None, pool.submit(broken, err)))
            if len(waiting) > 2 * guests:
                finish()
        while waiting:
            finish()
    finally:
        pool.shutdown(cancel_futures=True)
        for _, boot, _ in waiting:
            if boot:
                shutil.rmtree(boot.kernel, ignore_errors=True)
    return close(results)


def broken(err):
    raise err


def failed(checks):
    """The ids of what has failed, in the order of the checks."""
    return [check.id for check in checks if not check.ok]


def verdict(one, record, checks):
    """What a boot of the mutant says of it."""
    by = failed(checks)
    if not by:
        return SURVIVED, one["survives"] or "no check has failed"
    by = by[0]
    case = re.search(r"# (virtio_dma_test_\w+): (?:EXPECTATION|ASSERTION) FAILED", record.console)
    if by.startswith("kunit.") and case:
        by += f": {case[1]}"
    return (INVALID, f"it has a reason to survive, but: {by}") if one["survives"] else (KILLED, by)


def test_of(one):
    """The scenario that must notice, as it is on the mutation's base."""
    return scenario.load(one["base"])[one["test"]]


def applies(chosen):
    """Make sure that every mutation still has its place, before anything is built."""
    bases, below = {}, {}
    for one in chosen:
        base = bases[one["base"]] = bases.get(one["base"]) or Base(one["base"]).fetch()
        key = one["base"], test_of(one)["kernels"][0]
        below[key] = below.get(key) or kernel.commit_of(base, key[1])
        mutant.mutated(base, below[key], one)


def note(results):
    """Write down what there is, so that it is there even if the run ends early."""
    rows = noted() | {name: f"killed by {detail}" if result == KILLED
                      else f"{result}: {detail}" for name, (result, detail) in results.items()}
    RESULTS.write_text(page(mutation.load(), rows))


def close(results):
    """Sum the results up; return the exit status."""
    known = mutation.load()
    say(f"{RESULTS.relative_to(ROOT)} has the results")
    count = Counter(result for result, _ in results.values())
    reasons = sum(result == SURVIVED and bool(known[name]["survives"])
                  for name, (result, _) in results.items())
    holes = count[SURVIVED] - reasons
    print(f"{count[KILLED]} killed, {reasons} survived with a reason, {holes} survived"
          + (f", {count[INVALID]} invalid" if count[INVALID] else ""))
    return 1 if holes or count[INVALID] else 0


def noted():
    """What the page says of each mutation."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    return dict(re.findall(r"^\| `([\w-]+)` \| .* \| (.*) \|$", text, re.M))


def page(known, rows):
    lines = [INTRO]
    for file in dict.fromkeys(one["file"] for one in known.values()):
        own = [one for one in known.values() if one["file"] == file]
        lines.append(f"## {file}\n\nin " + ", ".join(
            f"[{name}]({name})" for name in dict.fromkeys(one["data"] for one in own))
            + "\n\n| mutation | test | result |\n| --- | --- | --- |\n")
        lines += [f"| `{one['name']}` | {one['test']} | {cell(one, rows)} |\n"
                  for one in own] + ["\n"]
    return "".join(lines).rstrip("\n") + "\n"


def cell(one, rows):
    row = rows.get(one["name"], "not run")
    return f"{SURVIVED}: {one['survives'] or 'for no reason'}" if row.startswith(SURVIVED) else row


def tests():
    """Nothing is built for it: the page knows every mutation, and each has its place."""
    known, rows = mutation.load(), noted()
    try:
        applies(list(known.values()))
        misplaced = ""
    except Fail as err:
        misplaced = str(err)
    holes = [name for name, one in known.items()
             if not rows.get(name, "").startswith(SURVIVED if one["survives"] else KILLED)]
    yield "mutations", [Check.of("each is of code that is there", not misplaced, misplaced),
                        Check.of("each was killed, or has a reason to survive", not holes, holes),
                        Check.of("the page is of these mutations", set(rows) == set(known),
                                 set(rows) ^ set(known))]

# SPDX-License-Identifier: GPL-2.0-only
"""What a boot must show: each check is (what, passed, detail)."""
import re
from collections import Counter

from ..model.scenario import parent
from ..patches.base import Base
from . import data, faults, host_actions, selftests

TROUBLE = re.compile(r"WARNING:|BUG:|UBSAN:|Oops|Call [Tt]race|Kernel panic|Unable to handle"
                     r"|DMA-API: (?!preallocated|debugging enabled|Mapped at)"
                     r"|swiotlb buffer is full|event 0x")
# What goes on over many lines: a warning, or what a sanitizer has to say.
REPORT = re.compile(r"^.*-\[ cut here \](.*\n)*?.*-\[ end trace .*$"
                    r"|^.*={60,}\n.*BUG: (.*\n)*?.*={60,}$", re.M)
ADDRESSED = ("access_platform", "platform_dma", "arch")
BIT = {"INDIRECT_DESC": 28, "EVENT_IDX": 29, "VERSION_1": 32, "ACCESS_PLATFORM": 33,
       "RING_PACKED": 34, "ORDER_PLATFORM": 36, "PLATFORM_DMA": 44}
POOL = re.compile(r"software IO TLB: mapped \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]")
# What the QEMU releases call the same bits.
ALIAS = {"IOMMU_PLATFORM": "ACCESS_PLATFORM"}


def judge(run):
    """All checks of a run; of a negative control, those that must fail turned round."""
    scenario, checks = run.scenario, list(survey(run))
    if not scenario["must_fail"]:
        return checks
    result = []
    for what, passed, detail in checks:
        if what in scenario["must_fail"]:
            result.append((f"control: it shows that not: {what}", not passed, detail))
        else:
            result.append((what, passed, detail))
    for what in set(scenario["must_fail"]) - {w for w, _, _ in checks}:
        result.append((f"control: {what}", False, "there is no such check in this run"))
    return result


def stuck(run):
    """The device's DMA is aborted: the guest says so and does not come up."""
    text = run.scenario["stuck"]
    yield f"the console says '{text}'", text in run.console, run.console[-500:]
    yield "the guest does not come up", run.end == "silent" and not run.records, run.end
    view = run.views["stuck"]
    rings = [a for d in view["devices"].values() for a in addresses(d)]
    yield ("the host sees rings at physical addresses",
           bool(rings) and all(in_ram(view, a) for a in rings), rings)
    if run.scenario["secure"]:
        state = view["ultravisor"]
        yield ("devices met private pages", state["secure"] and state["refused"] > 0,
               state["refused"])


def without(console, trouble):
    """The console without the warnings, each of many lines, that have one of the texts in them."""
    return REPORT.sub(lambda w: "" if any(text in w[0] for text in trouble) else w[0], console)


def survey(run):
    if run.scenario["stuck"]:
        yield from stuck(run)
        return
    done = run.all("done")
    errors = run.all("error")
    wanted = run.scenario["errors"]
    yield ("the guest runs to its end " + (f"and finds {', '.join(wanted)}" if wanted
                                           else "without an error"),
           run.finished() and {e["what"] for e in errors} == set(wanted)
           and (done[-1]["errors"] == "0") == (not wanted),
           "; ".join([run.end or ""] + [str(e) for e in errors]))
    steps = [s.partition(":")[0] for s in run.scenario["steps"]]
    expected = [run.scenario["machine"].get("harmless", "\n"), *run.scenario["trouble"]]
    if "faults" in steps:
        # Some of what fails says where, without a warning.
        expected += ["Call trace:", "Call Trace:"]
    trouble = [t for t in without(run.console, run.scenario["trouble"]).splitlines()
               if TROUBLE.search(t) and not any(e in t for e in expected)]
    yield "no warning on the console", not trouble, "\n".join(trouble[:5])
    yield from modes(run, steps)
    for name, view in run.views.items():
        yield from outside(run, name, view)
        if run.scenario["secure"]:
            yield from secure(run, name, view)
    if run.scenario["tce"] is not None:
        calls = [v["ultravisor"]["tce-hcalls"] for v in run.views.values()]
        yield ("I/O writes TCEs" if run.scenario["tce"] else "I/O writes no TCE",
               len(calls) > 1 and (calls[0] != calls[-1]) == run.scenario["tce"], calls)
    yield from data.survey(run, steps)
    yield from host_actions.survey(run)
    if "selftest" in steps:
        yield from selftests.survey(run)
    if "faults" in steps:
        yield from faults.survey(run)
    for text in run.scenario["trouble"]:
        yield f"the console says '{text}'", text in run.console, "it does not"
    for text, count in run.scenario["console"].items():
        yield (f"the console says {count} times '{text}'", run.console.count(text) == count,
               run.console.count(text))
    for suite in run.scenario["kunit"]:
        yield kunit(run, suite)


def mode_of(run, name, shown=True):
    """The mode that the scenario wants of a device; a stock kernel does not show it."""
    # A kernel with a part of the series may not show the mode yet.
    partial = run.kind.startswith(("vdma@", "only:")) and \
        " dma_mode_show" not in (run.kernel / "System.map").read_text()
    if shown and (run.kind == "stock" or partial):
        return "-"
    return run.scenario["modes"].get(name, run.scenario["mode"])


def devices(run):
    """The guest's last word on each device, by the name the scenario gave it."""
    wanted = {v["parent"]: n for n, v in next(iter(run.views.values()))["devices"].items()} \
        if run.views else {}
    return {wanted[d["parent"]]: d for d in run.all("device") if d["parent"] in wanted}


def modes(run, steps):
    seen = devices(run)
    # What QEMU's arguments bring besides goes by its driver's name: an IOMMU.
    known = {parent(run.scenario, index) for index in range(len(run.scenario["devices"]))}
    for name in {d["driver"] for d in run.all("device") if d["parent"] not in known}:
        said = {d["mode"] for d in run.all("device") if d["driver"] == name}
        yield (f"{name}: mode {mode_of(run, name)} in the guest", said == {mode_of(run, name)},
               f"said {said}")
    for name in run.scenario["devices"]:
        if name in run.scenario["absent"]:
            text = run.scenario["absent"][name]
            yield (f"{name}: its probe fails with one message", run.console.count(text) == 1,
                   text)
            continue
        want = mode_of(run, name)
        said = {d["mode"] for d in run.all("device")
                if name in seen and d["parent"] == seen[name]["parent"]}
        yield f"{name}: mode {want} in the guest", said == {want}, f"said {said or 'nothing'}"
        if name in seen and "domain" in run.scenario:
            domains = {d["domain"] for d in run.all("device")
                       if d["parent"] == seen[name]["parent"]}
            yield (f"{name}: its IOMMU domain is {run.scenario['domain']}, each time",
                   domains == {run.scenario["domain"]}, domains)
        if "rebind" in steps and name in seen:
            round_ = [r for r in run.all("rebind") if r["name"] == seen[name]["name"]]
            gone = "-" if want == "-" else "!ENODATA"
            yield (f"{name}: no mode while unbound, {want} again when bound",
                   {(r["unbound"], r["bound"]) for r in round_} == {(gone, want)}, round_)


def addresses(device):
    """Where the host sees a device's rings, and buffers that are queued."""
    return [a for ring in device["rings"] for a in ring] + device["buffers"]


def in_ram(view, address):
    return any(low <= address <= high for low, high in view["ram"])


def outside(run, moment, view):
    """The host's view at one moment: features, rings and buffers of every device."""
    scenario, said = run.scenario, devices(run)
    for name, device in view["devices"].items():
        if name in scenario["absent"]:
            yield (f"{moment}: {name} has no ring and no driver",
                   not device["rings"] and not device["ok"], device["rings"])
            continue
        bits, offered = ({ALIAS.get(b, b) for b in device[key]} for key in ("bits", "offered"))
        own = int(said.get(name, {}).get("features", "0"), 16)
        agree = {b for b, n in BIT.items() if own >> n & 1} == bits & set(BIT)
        # The balloon declines bits of the ring: it has expectations of its own.
        expected = all((b in bits) == wanted for b, wanted in scenario["bits"].items()
                       if b.startswith(f"{name}.") or "." not in b and name != "balloon")
        yield (f"{moment}: {name}: features as wanted, and both sides agree",
               agree and expected, f"host: {sorted(bits)}, guest: {own:#x}")
        if scenario["offered"]:
            yield (f"{moment}: {name}: offers what the scenario says",
                   all((b in offered) == wanted for b, wanted in scenario["offered"].items()),
                   sorted(offered))
        wanted = scenario.get("rings")
        if isinstance(wanted, dict):
            wanted = wanted.get(name)
        where = wanted or ("iova" if mode_of(run, name, False) in ADDRESSED else "ram")
        found = addresses(device)
        yield (f"{moment}: {name}: rings and buffers "
               + {"iova": "at IOVAs, outside RAM", "ram": "in RAM"}[where],
               bool(found) and all(in_ram(view, a) == (where == "ram") for a in found)
               and min(found) >= scenario.get("above", 0)
               and max(found) < scenario.get("below", 1 << 64), " ".join(f"{a:#x}" for a in found))
        if name in scenario["bounced"]:
            pool = POOL.search(run.console)
            low, high = (int(a, 16) for a in pool.groups()) if pool else (0, 0)
            yield (f"{moment}: {name}: buffers lie in the swiotlb pool", bool(device["buffers"])
                   and all(low <= a <= high for a in device["buffers"]),
                   f"{[hex(a) for a in device['buffers']]} in {low:#x}-{high:#x}")
    if "aliases" in view:
        yield ("rings are in the linear map", not view["aliases"],
               "mapped elsewhere, or not cacheable: " + "; ".join(view["aliases"]))
    if "noncacheable" in view:
        # The kernel's own pools for atomic allocations are all that may be.
        pools = sum(int(k) << 10 for k in re.findall(r"preallocated (\d+) KiB", run.console))
        yield (f"{moment}: memory for DMA is "
               + ("cacheable" if scenario["cacheable"] else "not all cacheable"),
               pools > 0 and (view["noncacheable"] == pools) == scenario["cacheable"],
               f"{view['noncacheable']} bytes are not, the kernel's pools have {pools}")
    if "balloon" in view:
        yield (f"{moment}: the balloon takes memory and gives it back",
               view["balloon"] == [-(64 << 20), 0], view["balloon"])


def secure(run, moment, view):
    """A secure guest: what devices are handed is shared, and they tried nothing else."""
    state = view["ultravisor"]
    yield f"{moment}: the guest is a secure VM", state["secure"], state["secure"]
    yield f"{moment}: no device met a private page", state["refused"] == 0, state["refused"]
    shared = lambda a: any(s["base"] <= a < s["base"] + s["size"]  # noqa: E731
                           for s in state["shared"])
    for name, device in view["devices"].items():
        if name in run.scenario["absent"] or mode_of(run, name, False) != "arch":
            continue
        seen = addresses(device)
        yield (f"{moment}: {name}: rings and buffers in shared pages",
               bool(seen) and all(map(shared, seen)), " ".join(f"{a:#x}" for a in seen))


def totals(run, suite):
    """What the kernel says of a suite that it calls ok: cases that passed, and that failed."""
    return re.search(rf"# Totals: pass:(\d+) fail:(\d+) skip:\d+ total:\d+\s.* ok \d+ {suite}$",
                     run.console, re.M)


def kunit(run, suite):
    """A suite passes if the kernel says so, and left out no case but for a known reason."""
    result = totals(run, suite)
    known = {*run.scenario["machine"].get("kunit_skips", []),
             *Base(run.scenario["base"]).kunit_skips}
    skips = Counter(reason for reason in re.findall(r" # SKIP (.*)$", run.console, re.M)
                    if reason not in known)
    return (f"KUnit: {suite}", bool(result) and int(result[1]) > 0 and result[2] == "0"
            and skips == run.scenario["skips"], f"{result and result[0]}; skipped: {skips}")


def table(run):
    """The devices of a run, as people read them."""
    view = run.views[next(iter(run.views))] if run.views else {"devices": {}}
    checks = {what: passed for what, passed, _ in judge(run)}
    rows = [("DEVICE", "NAME", "TRANSPORT", "MODE", "RINGS (HOST)", "I/O", "FEATURES (HOST)")]
    for name, device in view["devices"].items():
        said = devices(run).get(name, {})
        io = [ok for what, ok in checks.items() if what.startswith(f"{name}:")]
        rows.append((name, said.get("name", "-"), device["parent"], said.get("mode", "-"),
                     ",".join(f"{r[0]:#x}" for r in device["rings"]) or "-",
                     "refused" if name in run.scenario["absent"] else
                     "ok" if io and all(io) else "FAILED",
                     ",".join(sorted(device["bits"] & (set(BIT) | set(ALIAS)))) or "-"))
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows)

# SPDX-License-Identifier: GPL-2.0-only
"""Records of boots: saved ones, and some that are made by hand.

A saved one is made by './vdma boot --save DIR SCENARIO' and 'python3 -m tests.records DIR...',
which drops the lines of its console that no check looks at.
"""
import copy
import re
import sys
from pathlib import Path

from lab.judge import boot, disk, host
from lab.model import media, scenario, storm
from lab.model.distribution import lines
from lab.model.features import BIT
from lab.model.record import digest, Record
from lab.model.scenario import parent

FOLDER = Path(__file__).parent / "records"
# What checks look for on any console, beside what the scenario says.
LOOKED_AT = re.compile(rf"{boot.TROUBLE.pattern}|{host.POOL.pattern}|preallocated \d+ KiB"
                       r"|-\[ cut here \]|-\[ end trace |={60}|# Totals: | # SKIP ")


def saved():
    """The names of all saved records."""
    return sorted(path.name for path in FOLDER.iterdir())


def load(name):
    return Record.load(FOLDER / name)


def trimmed(record):
    """The lines of its console that a check looks at, and the first ones, which say what it is."""
    one = record.scenario
    texts = [*one["console"], *one["trouble"], *one["absent"].values(), *one["kunit"]]
    texts += [one["stuck"]] if one["stuck"] else []
    lines = record.console.splitlines(True)
    return "".join(line for number, line in enumerate(lines)
                   if number < 2 or LOOKED_AT.search(line) or any(t in line for t in texts))


def keep(folder):
    """Keep a record that passes, with as little of its console as its verdict needs."""
    record = Record.load(folder)
    before = [(check.id, check.ok) for check in boot.judge(record)]
    record.console = trimmed(record)
    after = [(check.id, check.ok) for check in boot.judge(record)]
    if after != before or not all(ok for _, ok in before):
        return f"{folder} does not pass, or not without the rest of its console"
    record.save(FOLDER / record.scenario["name"])
    return None


def by_hand(name, steps, *said, base=scenario.BASE, moments=("running",), **fields):
    """A record of a scenario as it must be, with other steps, and with @said behind its devices.

    The devices lie in RAM from 1 GiB on, one MiB each, in the swiotlb pool and in shared pages.
    """
    one = scenario.pick([name], base)[0] | {"steps": steps, "console": {}, "trouble": []}
    view = {"ram": [[1 << 30, (2 << 30) - 1]], "devices": {}, "hypervisor": {
        "secure": True, "refused": 0, "tce-hcalls": 7,
        "shared": [{"base": 1 << 30, "size": 1 << 29}]}}
    devices = []
    for index, device in enumerate(one["devices"]):
        at, absent = (1 << 30) + (index << 20), device in one["absent"]
        bits = sorted(bit for bit, has in one["bits"].items() if has and bit in BIT)
        view["devices"][device] = {
            "parent": parent(one, index), "bits": bits, "ok": not absent,
            "rings": [] if absent else [[at, at + 4096, at + 8192]],
            "buffers": [at + (1 << 19)],
            "offered": sorted(bit for bit, has in one["offered"].items() if has)}
        if not absent:
            devices.append(["device", {
                "name": f"virtio{index}", "parent": parent(one, index), "driver": "-",
                "mode": one["modes"].get(device, one["mode"]), "domain": one.get("domain", "-"),
                "features": hex(sum(1 << BIT[bit] for bit in bits))}])
    record = Record(one, one["kernels"][0], end="QEMU exited with 0", **fields)
    record.said = [*devices, *map(list, said), ["done", {"errors": "0"}]]
    record.views = {moment: copy.deepcopy(view) for moment in moments}
    record.console = "".join(f"{text}\n" for text in one["absent"].values()) \
        + "software IO TLB: mapped [mem 0x40000000-0x43ffffff] (64MB)\n"
    return record


def faults():
    """Faults in a guest that watches itself: a kernel that takes half an hour to build."""
    tried = ["read", "write", *(name for index in range(2) for name in (
        f"virtio{index}", f"0000:00:{8 + index:02x}.0"))]
    return by_hand("pci-faults", ["devices", "faults:3000"],
                   ("faults", {"rounds": "3000", "injected": "700", "failed": "60"}),
                   *(("exhausted", {"name": name, "allocations": "9"}) for name in tried))


def secure():
    """A secure VM on pseries."""
    return by_hand("ppc-secure-legacy", ["devices"], moments=("running", "later"))


def protected():
    """A protected guest of pKVM, whose devices were told, at addresses that the host knows."""
    return by_hand("pkvm-access-platform", ["devices"], base="mainline")


def dead():
    """A secure VM without the series."""
    record = by_hand("ppc-secure-stock", [], moments=("stuck",))
    record.views["stuck"]["hypervisor"]["refused"] = 3
    record.said, record.end = [], "silent"
    record.console = record.scenario["stuck"] + "\n"
    return record


def without_pool():
    """A secure VM whose devices cannot be set up."""
    return by_hand("ppc-secure-noforce", [])


def held():
    """A secure VM that holds a buffer of its GPU twice while the driver goes."""
    return by_hand("ppc-secure-gpu-hold", ["devices", "hold:unbind:2"],
                   *(("hold", {"round": n, "before": "0", "held": "608", "gone": "0",
                               "closed": "0", "kept": "1"}) for n in "12"),
                   moments=("running", "later"))


def left():
    """A guest that bounces, and looks at its swiotlb pool before and after."""
    return by_hand("bounce-leftovers", ["devices", "pool", "pool"],
                   *(("pool", {"used": "73", "most": "80"}) for _ in "12"))


def grown():
    """A secure VM whose swiotlb pool grows, and is as full as before once it rests."""
    return by_hand("ppc-secure-dynamic", ["devices", "pool", "pool"],
                   *(("pool", {"used": "73", "most": "600", "slots": n}) for n in ("512", "2560")))


def started_by_uefi():
    """A guest whose firmware has read the kernel from a disk."""
    sha = digest(media.disk_image())
    record = by_hand("uefi-bit-stock", ["devices", "read"],
                     ("read", {"bytes": str(media.DISK), "sha256": sha}), disk=sha)
    record.views["running"]["loaded"] = 14 << 20
    return record


def canary():
    """A secure VM that is searched for its canary once."""
    return by_hand("ppc-secure-canary", ["devices", "canary:net"], searches=[[900, []]])


def crashed():
    """A secure VM that crashes, and another kernel that saves the checksum of a page."""
    page = media.pattern(1, 1 << 16)
    disk = digest(page).encode().ljust(4096, b"\0") + media.disk_image()[4096:]
    return by_hand("ppc-secure-kdump", ["devices", "loaded:crash", "vmcore"],
                   ("crash", {"page": "0x5550000", "bytes": "65536"}),
                   ("vmcore", {"disk": "disk0", "bytes": "4096", "sha256": digest(page)}),
                   moments=("first", "second"), seed=1, disk=digest(disk))


def retyped():
    """A guest that has its devices' domain translate no longer."""
    record = by_hand("smmu-mmio-legacy-domain", ["devices", "domain:identity", "devices",
                                                 "sync:bypassed"], moments=("bypassed",))
    now = {"mode": "phys", "domain": "identity"}
    again = [["device", {**fields, **now}] for fields in record.all("device")]
    changed = [["domain", {"parent": fields["parent"], "type": "identity", "mode": "phys"}]
               for _, fields in again]
    record.said[-1:-1] = changed + again
    return record


def lent():
    """A guest whose rng is driven by a program, twice, and by the kernel again."""
    drawn = media.entropy_image()[64:96].hex()
    record = by_hand("bit-pci-vfio", ["devices", "vfio:rng", "vfio:rng"], *(
        line for _ in range(2) for line in (
            ("vfio", {"device": "rng", "driver": "vfio-pci", "bytes": drawn}),
            ("returned", {"device": "rng", "mode": "platform_dma", "domain": "DMA"}))))
    for device in record.views["running"]["devices"].values():
        device |= {"rings": [[1 << 40]], "buffers": []}
    return record


def shared():
    """A guest whose disk and share work while readers fill the pool now and then."""
    return by_hand("bounce-flaky-pool", ["devices", "loaded:flood:8"],
                   ("flood", {"readers": "8", "sha256": media.disk_digest()}),
                   *(("loaded", {"device": name, "rounds": "3", "sha256": sha}) for name, sha in (
                       ("blk", media.disk_digest()), ("net", "-"), ("rng", "-"),
                       ("share", digest(media.entropy_image())))))


def counted():
    """A guest that bounces in the smallest pool, and reads its disk in small requests."""
    return by_hand("bounce-tiny-pool", ["devices", "read"],
                   ("read", {"disk": "disk0", "bytes": str(media.DISK), "requests": "1024",
                             "segment": "4096", "sha256": media.disk_digest()}), disk=media.disk_digest())


def function_reset():
    """A guest whose disk is reset by its PCI function, twice."""
    return by_hand("pcie-flr", ["devices", "flr:2"],
                   ("flr", {"device": "blk", "rounds": "2", "method": "flr_bus"}),
                   base="mainline")


def unsaved():
    """A secure VM that QEMU does not save."""
    return by_hand("ppc-secure-restart", ["devices", "loaded:host:restart"],
                   *(("loaded", {"device": name, "rounds": "3", "sha256": sha}) for name, sha in (
                       ("blk", media.disk_digest()), ("net", "-"), ("rng", "-"))),
                   refusal="QMP migrate: State blocked by non-migratable device 'x'")


def behind(name, *said, **report):
    """A guest whose rng has a back end of its own, which reports this besides."""
    drawn = media.entropy_image()[64:96].hex()
    return by_hand(name, ["devices", "rng"],
                   ("rng", {"bytes": "4096", "head": drawn, "tail": drawn}), *said,
                   backends={"rng": {"bytes": 4160, "buffers": 65, "refused": 0,
                                      "refused_at": [], "lies": {}, "misses": 0,
                                      "faults": 0} | report})


def vhost_user():
    """Such a guest that bounces."""
    return behind("vhost-user-rng-bounce", data=[1 << 30, (1 << 30) + 63])


def pinged():
    """A guest whose network card is behind another's back end."""
    return by_hand("vhost-user-net", ["devices", "ping:64"], ("ping", {"packets": "64"}),
                   backends={"net": {"misses": 0, "acked": 1 << 32, "packets": 66}})


def socketed():
    """A guest whose sockets the kernel of QEMU's host is behind."""
    record = by_hand("vhost-vsock-follows", ["devices", "sock:16"], ("sock", {"bytes": "1048576"}),
                     backends={"vsock": {"misses": 9, "bytes": 1 << 20, "ended": 1}})
    record.views["running"]["devices"]["vsock"] |= {"rings": [[1 << 40]], "buffers": []}
    return record


def queued():
    """A guest whose disk and card have a queue for each of eight CPUs, of which seven go and come."""
    disk = media.disk_digest()
    record = by_hand("queues-bounce", ["devices", "loaded:offline", "ping:64"],
                     *(("loaded", {"device": name, "rounds": "1", "sha256": disk if name == "blk" else "-"})
                       for name in ("blk", "net", "rng")),
                     ("offline", {"cpus": "8", "online": "0-7"}), ("ping", {"packets": "64"}),
                     backends={"net": {"misses": 0, "packets": 70, "streams": 8}})
    seen = record.views["running"]["devices"]
    seen["blk"] |= {"rings": seen["blk"]["rings"] * 8, "served": [*range(1, 9)]}
    seen["net"]["rings"] *= 17
    return record


def wide_pages():
    """A guest with pages of 64 KiB, whose rings are legacy."""
    record = by_hand("pages-64k-mmio-legacy", ["devices"])
    for device in record.views["running"]["devices"].values():
        device |= {"rings": [[1 << 40, (1 << 40) + 4096, (1 << 40) + (64 << 10)]], "buffers": []}
    return record


def weathered(*made):
    """What a guest of seed 1 says of storms, and the disk after each."""
    said, disks = storm.weather(1, (), made)
    return [("storm", {key: str(value) for key, value in one.items()} | {"failed": "0"})
            for one in said], disks


def stormy():
    """A guest that reads and writes its disk from two processes at random, twice."""
    lines, disks = weathered(storm.Storm(2, 9, 8192), storm.Storm(2, 9, 8192, 1))
    return by_hand("swiotlb-tiny", ["devices", "storm:2:9:8192", "read", "storm:2:9:8192:1"],
                   *lines[:2], ("read", {"bytes": str(media.DISK), "sha256": disks[0]}), *lines[2:],
                   seed=1, disk=disks[1])


def soaked():
    """A guest that does two steps at random, and eight requests after each."""
    lines, disks = weathered(*(storm.Storm(disk.SOAKERS, 2, disk.SOAKED, n) for n in range(2)))
    works = [[("loaded", {"device": name, "rounds": "1", "sha256": sha if name == "blk" else "-"})
              for name in ("blk", "net", "rng")] for sha in (media.disk_digest(), disks[0])]
    kept = {"unreclaimable": "9000", "slots": "73", "mappings": "-1", "slabs": "90"}
    pings = [("ping", {"packets": "4"})]
    return by_hand("pci-soak", ["devices", "soak:2:1:8:rebind+hotplug:blk:1"],
                   ("soaked", {"number": "0", "event": "rebind"}), *works[0], *pings, *lines[:4],
                   ("soaked", {"number": "1", "event": "hotplug:blk:1"}),
                   ("taken", {"device": "blk", "errno": "5"}), *works[1], *pings, *lines[4:],
                   ("grown", {"slab": "iommu_iova", "before": "64", "after": "64"}),
                   ("kept", {"when": "before"} | kept),
                   ("kept", {"when": "after"} | kept | {"unreclaimable": "9512"}),
                   ("soak", {"events": "2"}), seed=1, disk=disks[1])


def watched():
    """A guest in which KCSAN looks for data races, and finds none."""
    return by_hand("swiotlb-races", ["devices", "races:on", "races:off"],
                   ("races", {"state": "on", "watched": "10", "found": "0"}),
                   ("races", {"state": "off", "watched": "1010", "found": "0"}))


def installed():
    """A distribution that starts again, and finds what it wrote."""
    data, package = digest(lines(7, 2)), digest(b"a program")
    system = ("system", {"state": "running", "failed": "-", "target": "active"})
    compared = [("compare", {"type": kind, "sha256": data}) for kind in ("ext4", "xfs")]
    return by_hand("debian-bit-pci-off", ["system", "install:hello", "fill:2", "reboot", "system",
                                          "compare"],
                   *[("hello", {}), system] * 2, ("install", {"sha256": package}), *compared, seed=7,
                   written={"net": {"package": "hello_1_arm64.deb", "sha256": package,
                                    "asked": [["/./hello_1_arm64.deb", 200]]},
                            "blk": {"status": 0, "said": "", "missing": 0},
                            "data": {"status": 0, "said": "", "missing": 0}})


def lied_to():
    """A guest that draws 4 KiB from a back end that lies."""
    return behind("vhost-user-rng-lies", bytes=6_500_000, buffers=100_001,
                  lies={"longer": 30_000, "shorter": 10_001})


def lied_to_again():
    """A guest that reads its disk from a back end that lies of its status as well."""
    disk = media.disk_digest()
    return by_hand("liar-blk-lies", ["devices", "read:4096"],
                   ("read", {"bytes": str(media.DISK), "sha256": disk, "failed": "5000"}), disk=disk,
                   backends={"blk": {"bytes": media.DISK, "buffers": 100_001, "refused": 0,
                                     "refused_at": [], "misses": 0, "faults": 0,
                                     "lies": {"field": 5_001, "huge": 40_000}}})


def mended():
    """A guest whose rng's rings were broken, and that draws from a device that lies no more."""
    drawn = media.entropy_image()[64:96].hex()
    record = behind("vhost-user-rng-breaks", ("error", {"what": "stalled"}),
                    ("ready", {"name": "running"}),
                    ("rng", {"bytes": "4096", "head": drawn, "tail": drawn}), bytes=8300,
                    buffers=2001, lies={"longer": 960, "never": 40, "jump": 6})
    record.said[-1] = ["done", {"errors": "1"}]
    return record


MADE = {made.__name__: made for made in (
    faults, secure, protected, dead, without_pool, held, left, canary, crashed, retyped, lent,
    shared, counted, function_reset, unsaved, vhost_user, pinged, socketed, queued, wide_pages, soaked,
    stormy, watched, installed, lied_to, grown, lied_to_again, mended, started_by_uefi)}

if __name__ == "__main__":
    sys.exit("\n".join(filter(None, map(keep, sys.argv[1:]))) or 0)

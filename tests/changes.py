# SPDX-License-Identifier: GPL-2.0-only
"""What may be wrong with a record, and the check that must notice it."""
from lab.model import media


def put(**fields):
    """Other values of the record itself."""
    def change(record):
        for name, value in fields.items():
            assert getattr(record, name) != value, name
            setattr(record, name, value)
    return change


def said(verb, index=0, **fields):
    """Other fields of what the guest said by this verb for the n-th time."""
    def change(record):
        found = record.all(verb)[index]
        assert any(found.get(name) != value for name, value in fields.items()), found
        found.update(fields)
    return change


def unsaid(verb, index=0):
    """What the guest did not say."""
    def change(record):
        found = [n for n, (word, _) in enumerate(record.said) if word == verb]
        del record.said[found[index]]
    return change


def also(verb, **fields):
    """What the guest said besides."""
    def change(record):
        record.said.append([verb, fields])
    return change


def printed(text):
    """A line more on the console."""
    def change(record):
        record.console += text + "\n"
    return change


def instead(old, new=""):
    """Another text on the console, once."""
    def change(record):
        assert old in record.console, old
        record.console = record.console.replace(old, new, 1)
    return change


def seen(*path, value):
    """Another value somewhere in what QEMU showed."""
    def change(record):
        place = record.views
        for key in path[:-1]:
            place = place[key]
        assert place[path[-1]] != value, path
        place[path[-1]] = value
    return change


def device(name, moment="running", **fields):
    """Other properties of a device, as QEMU showed it."""
    def change(record):
        found = record.views[moment]["devices"][name]
        assert any(found[key] != value for key, value in fields.items()), found
        found.update(fields)
    return change


def item(field, index, value):
    """Another element of a list of the record."""
    def change(record):
        found = getattr(record, field)
        assert found[index] != value, found
        found[index] = value
    return change


def noted(name, **fields):
    """Something else that is behind a device in the end."""
    def change(record):
        record.written[name].update(fields)
    return change


def reported(name, **fields):
    """Other values in what the back end of a device reported."""
    def change(record):
        found = record.backends[name]
        assert any(found.get(key) != value for key, value in fields.items()), found
        found.update(fields)
    return change


def line(verb, old, new):
    """Another result of a selftest."""
    def change(record):
        found = next(r for r in record.all(verb) if old in r.get("line", ""))
        found["line"] = found["line"].replace(old, new)
    return change


FAR = [[1 << 40, (1 << 40) + 4096, (1 << 40) + 8192]]
NEAR = [[0x4000_0000, 0x4000_1000, 0x4000_2000]]
ARCH = "smmu-mmio-legacy"
# The record, what is wrong with it, and the check that must notice.
TABLE = [
    ("pci-others", put(end="QEMU exited with 1"), "guest.end"),
    ("pci-others", put(end="the guest hangs after 'boot'"), "guest.end"),
    ("pci-others", unsaid("done"), "guest.end"),
    ("pci-others", said("done", errors="1"), "guest.end"),
    ("pci-others", also("error", what="read"), "guest.end"),
    ("pci-others", printed("[    1.0] WARNING: CPU: 0 PID: 1 at x.c"), "console.clean"),
    ("pci-others", printed("[    1.0] event 0x10 received:"), "console.clean"),
    (ARCH, instead("coherent, through the IOMMU"), "console.count"),
    (ARCH, printed("coherent, through the IOMMU"), "console.count"),
    (ARCH, said("device", 0, mode="phys"), "blk.mode"),
    (ARCH, said("device", -1, mode="phys"), "rng.mode"),
    (ARCH, said("device", 0, domain="identity"), "blk.domain"),
    (ARCH, said("rebind", 1, bound="phys"), "net.rebind"),
    (ARCH, said("rebind", 1, unbound="arch"), "net.rebind"),
    (ARCH, also("device", parent="else.where", driver="virtio_iommu", mode="phys"),
     "virtio_iommu.mode"),
    (ARCH, device("blk", bits=["VERSION_1"]), "running.blk.features"),
    (ARCH, said("device", -1, features="0x100000000"), "running.rng.features"),
    (ARCH, device("blk", rings=NEAR), "running.blk.rings"),
    (ARCH, device("blk", rings=[], buffers=[]), "running.blk.rings"),
    (ARCH, device("net", buffers=[0x4000_0000]), "running.net.rings"),
    (ARCH, seen("running", "noncacheable", value=1 << 30), "running.cacheable"),
    (ARCH, line("selftest", "ok_1_", "not_ok_1_"), "selftest.blk"),
    (ARCH, line("selftest", "1..", "1..9"), "selftest.blk"),
    (ARCH, said("selftest", -1, exit="1"), "selftest.rng"),
    (ARCH, line("selftest", "_PLATFORM_DMA_is_", "_X_is_"), "selftest.skips"),
    (ARCH, line("selftest", "ok_1_", "ok_1_#_SKIP_nobody_knows_why_"), "selftest.skips"),
    ("pci-others", device("gpu", rings=FAR), "running.gpu.rings"),
    ("pci-others", seen("running", "aliases", value=["0x1000 is not mapped"]),
     "running.linear-map"),
    ("pci-others", seen("running", "balloon", value=[0, 0]), "running.balloon"),
    ("pci-others", said("read", 0, sha256="0"), "scsi.read"),
    ("pci-others", unsaid("read", 1), "scsi.read"),
    ("pci-others", put(disk="0"), "scsi.write"),
    ("pci-others", unsaid("write"), "scsi.write"),
    ("pci-others", put(seed=1), "scsi.write"),
    ("pci-others", said("rng", 0, head="00" * 32), "rng.bytes"),
    ("pci-others", said("rng", -1, tail="00" * 32), "rng.bytes"),
    ("pci-others", put(written={}), "serial.sent"),
    ("pci-others", put(seed=1), "share.sent"),
    ("pci-others", said("share", -1, sha256="0"), "share.received"),
    ("pci-others", item("pictures", 1, {"head": "P6\n1 1\n255\n", "sha256": "0"}), "gpu.screen"),
    ("pci-others", put(pictures=[]), "gpu.screen"),
    ("pci-others", put(seed=1), "gpu.pixels"),
    ("pci-others", said("input", 3, events="2+2-"), "input.keys"),
    ("pci-others", unsaid("input", -1), "input.keys"),
    ("pci-unfilter", said("read", 0, sha256="0"), "blk.read"),
    ("pci-unfilter", put(disk="0"), "blk.write"),
    ("pci-unfilter", said("net", 0, sha256="0"), "net.exchange"),
    ("pci-unfilter", put(echoes=[]), "net.exchange"),
    ("pci-unfilter", said("filter", 0, after="0x" + "f" * 16), "filter.negotiated"),
    ("pci-unfilter", said("unfilter", 0, before="0x" + "f" * 16), "unfilter.negotiated"),
    ("access-platform-bounce", device("net", buffers=[0x4000_0000]), "running.net.bounced"),
    ("access-platform-bounce", device("net", buffers=[]), "running.net.bounced"),
    ("access-platform-bounce", instead("software IO TLB: mapped", "x"), "running.net.bounced"),
    ("bit-pci-full-pool", device("blk", offered=["VERSION_1"]), "running.blk.offered"),
    ("bit-pci-full-pool", said("flood", sha256="0"), "blk.flood"),
    ("bit-pci-full-pool", unsaid("flood"), "blk.flood"),
    ("bit-pci-full-pool", put(console=""), "console.trouble"),
    ("stormy", unsaid("storm"), "blk.storm"),
    ("stormy", said("storm", reads="9"), "blk.storm"),
    ("stormy", said("storm", 1, pieces="9"), "blk.storm"),
    ("stormy", said("storm", 2, before="0"), "blk.storm"),
    ("stormy", said("storm", 3, after="0"), "blk.storm"),
    ("stormy", put(seed=2), "blk.storm"),
    ("stormy", put(disk=media.disk_digest()), "blk.write"),
    ("stormy", said("read", sha256=media.disk_digest()), "blk.read"),
    ("watched", printed("BUG: KCSAN: data-race in a / b"), "console.clean"),
    ("watched", said("races", 1, watched="1009"), "races.looked"),
    ("watched", unsaid("races"), "races.looked"),
    ("pcie-hotplug", unsaid("taken"), "blk.unplugged"),
    ("pcie-hotplug", said("taken", -1, errno="0"), "rng.unplugged"),
    ("pcie-hotplug", said("taken", -1, errno="110"), "rng.unplugged"),
    ("pci-restart", unsaid("loaded", -1), "rng.loaded"),
    ("pci-restart", said("loaded", 1, rounds="0"), "net.loaded"),
    ("pci-restart", said("loaded", 0, sha256="0"), "blk.loaded"),
    ("pci-restart", device("blk", "restarted", bits=[]), "restart.same"),
    ("pci-restart", lambda record: record.views.pop("saved"), "restart.same"),
    ("pci-restart", put(views={}), "restart.same"),
    ("pci-hibernate", put(swapped=4096), "swap.image"),
    ("kunit", instead("# Totals: pass:14 fail:0", "# Totals: pass:13 fail:1"),
     "kunit.virtio_dma_mode"),
    ("kunit", instead(" ok 1 virtio_dma_mode", " not ok 1 virtio_dma_mode"),
     "kunit.virtio_dma_mode"),
    ("kunit", printed("ok 1 x # SKIP nobody knows why"), "kunit.virtio_dma_ring"),
    ("smmu-mmio-legacy-stock", put(console=""), "stuck.console"),
    ("smmu-mmio-legacy-stock", put(end="vdma hello"), "stuck.silent"),
    ("smmu-mmio-legacy-stock", also("hello"), "stuck.silent"),
    ("smmu-mmio-legacy-stock", device("blk", "stuck", rings=FAR), "stuck.rings"),
    ("dead", seen("stuck", "hypervisor", "refused", value=0), "stuck.refused"),
    ("dead", seen("stuck", "hypervisor", "secure", value=False), "stuck.refused"),
    ("faults", said("faults", failed="0"), "faults.some"),
    ("faults", said("faults", injected="3000"), "faults.some"),
    ("faults", unsaid("exhausted"), "faults.each"),
    ("faults", said("exhausted", -1, allocations="0"), "faults.each"),
    ("secure", seen("running", "hypervisor", "secure", value=False), "running.secure"),
    ("secure", seen("running", "hypervisor", "refused", value=1), "running.refused"),
    ("secure", seen("running", "hypervisor", "shared", value=[]), "running.blk.shared"),
    ("secure", device("net", rings=[[0x7000_0000] * 3]), "running.net.shared"),
    ("secure", seen("later", "hypervisor", "tce-hcalls", value=8), "tce"),
    ("protected", seen("running", "hypervisor", "secure", value=False), "running.secure"),
    ("protected", seen("running", "hypervisor", "refused", value=1), "running.refused"),
    ("protected", device("net", buffers=[0x7000_0000]), "running.net.shared"),
    ("without_pool", printed("virtio_blk virtio0: device needs the DMA API: no SWIOTLB pool"), "blk.absent"),
    ("without_pool", instead("no SWIOTLB pool"), "blk.absent"),
    ("without_pool", device("rng", rings=NEAR), "running.rng.absent"),
    ("without_pool", device("rng", ok=True), "running.rng.absent"),
    ("held", unsaid("hold", -1), "gpu.held"),
    ("held", said("hold", 0, held="0"), "gpu.held"),
    ("held", said("hold", 0, before="-", held="-", gone="-", closed="-"), "gpu.held"),
    ("held", said("hold", 1, gone="608"), "gpu.unmapped"),
    ("held", said("hold", 1, closed="608"), "gpu.closed"),
    ("held", said("hold", 0, kept="0"), "gpu.kept"),
    ("started_by_uefi", seen("running", "loaded", value=66560), "esp.loaded"),
    ("left", said("pool", 1, used="145"), "pool.kept"),
    ("left", said("pool", 0, used="0"), "pool.kept"),
    ("left", unsaid("pool", -1), "pool.kept"),
    ("grown", said("pool", 1, slots="512"), "pool.grew"),
    ("grown", unsaid("pool", -1), "pool.grew"),
    ("crashed", put(disk="0" * 64), "vmcore.saved"),
    ("crashed", unsaid("crash", -1), "vmcore.saved"),
    ("crashed", unsaid("vmcore", -1), "vmcore.saved"),
    ("retyped", said("domain", 0, mode="arch"), "blk.retyped"),
    ("retyped", said("domain", 1, type="DMA"), "net.retyped"),
    ("retyped", unsaid("domain", 2), "rng.retyped"),
    ("retyped", said("device", 3, mode="arch"), "blk.mode"),
    ("retyped", said("device", 0, mode="phys"), "blk.mode"),
    ("retyped", said("device", 4, domain="DMA"), "net.domain"),
    ("retyped", unsaid("device", 5), "rng.domain"),
    ("retyped", device("blk", "bypassed", rings=FAR), "bypassed.blk.rings"),
    ("lent", said("vfio", 0, driver="virtio-pci"), "rng.vfio"),
    ("lent", said("vfio", 1, bytes="-"), "rng.vfio"),
    ("lent", said("vfio", 1, bytes="5a" * 32), "rng.vfio"),
    ("lent", unsaid("vfio"), "rng.vfio"),
    ("lent", said("returned", 0, mode="phys"), "rng.returned"),
    ("lent", said("returned", 1, domain="-"), "rng.returned"),
    ("lent", unsaid("returned", 1), "rng.returned"),
    ("shared", said("loaded", 3, sha256="0"), "share.loaded"),
    ("shared", unsaid("loaded", -1), "share.loaded"),
    ("counted", said("read", 0, requests="1025"), "blk.requests"),
    ("counted", said("read", 0, requests="64"), "blk.requests"),
    ("counted", unsaid("read"), "blk.requests"),
    ("counted", said("read", 0, segment="65536"), "blk.segment"),
    ("counted", unsaid("read"), "blk.segment"),
    ("function_reset", unsaid("flr", -1), "blk.flr"),
    ("function_reset", said("flr", 0, rounds="1"), "blk.flr"),
    ("function_reset", said("flr", 0, method="bus"), "blk.flr"),
    ("canary", put(searches=[[0, []]]), "canary.kept"),
    ("canary", put(searches=[]), "canary.kept"),
    ("canary", put(searches=[[900, [0x4000_0000]]]), "canary.hidden"),
    ("unsaved", put(refusal=""), "restart.refused"),
    ("vhost_user", reported("rng", bytes=4095), "rng.served"),
    ("vhost_user", unsaid("rng"), "rng.served"),
    ("vhost_user", put(backends={"rng": {}}), "rng.served"),
    ("vhost_user", said("rng", head="00" * 32), "rng.bytes"),
    ("vhost_user", reported("rng", refused=1, refused_at=[4096]), "rng.outside"),
    ("vhost_user", put(backends={"rng": {}}), "rng.outside"),
    ("vhost_user", reported("rng", misses=1), "rng.translated"),
    ("vhost_user", reported("rng", faults=1), "rng.translated"),
    ("vhost_user", reported("rng", data=[1 << 30, 1 << 31]), "rng.touched"),
    ("vhost_user", reported("rng", data=[4096, 1 << 30]), "rng.touched"),
    ("vhost_user", reported("rng", data=[]), "rng.touched"),
    ("pinged", reported("net", packets=63), "net.served"),
    ("pinged", unsaid("ping"), "net.served"),
    ("pinged", unsaid("ping"), "net.ping"),
    ("pinged", said("ping", packets="63"), "net.ping"),
    ("pinged", reported("net", misses=1), "net.translated"),
    ("socketed", said("sock", bytes="983040"), "vsock.echo"),
    ("socketed", unsaid("sock"), "vsock.echo"),
    ("socketed", reported("vsock", bytes=(1 << 20) - 1), "vsock.served"),
    ("socketed", reported("vsock", misses=0), "vsock.translated"),
    ("socketed", reported("vsock", ended=0), "vsock.host"),
    ("queued", said("offline", cpus="7"), "cpus.back"),
    ("queued", said("offline", online="0-6"), "cpus.back"),
    ("queued", unsaid("offline"), "cpus.back"),
    ("queued", device("blk", rings=FAR * 7), "running.blk.queues"),
    ("queued", device("blk", served=[*range(8)]), "running.blk.queues"),
    ("queued", device("net", rings=FAR * 16), "running.net.queues"),
    ("queued", reported("net", streams=7), "net.streams"),
    ("wide_pages", device("blk", rings=FAR), "running.blk.pages"),
    ("wide_pages", device("net", bits=["VERSION_1"], rings=[[1 << 40 | 4096]]), "running.net.pages"),
    ("wide_pages", device("rng", rings=[]), "running.rng.pages"),
    ("soaked", said("soak", events="1"), "soak.events"),
    ("soaked", unsaid("soak"), "soak.events"),
    ("soaked", unsaid("loaded"), "blk.loaded"),
    ("soaked", said("loaded", 3, sha256=media.disk_digest()), "blk.loaded"),
    ("soaked", unsaid("storm"), "blk.storm"),
    ("soaked", put(disk=media.disk_digest()), "blk.write"),
    ("soaked", said("soaked", event="hotplug:blk:1"), "soak.events"),
    ("soaked", unsaid("soaked"), "soak.events"),
    ("soaked", said("kept", 1, unreclaimable="9513"), "soak.kept"),
    ("soaked", said("kept", unreclaimable="-1"), "soak.kept"),
    ("soaked", said("kept", 1, unreclaimable="-1"), "soak.kept"),
    ("soaked", unsaid("kept"), "soak.kept"),
    ("soaked", said("kept", 1, slots="74"), "soak.mapped"),
    ("soaked", said("kept", 1, mappings="1"), "soak.mapped"),
    ("soaked", unsaid("kept", 1), "soak.mapped"),
    ("soaked", said("grown", slab="kmalloc-8k", after="81"), "soak.slabs"),
    ("soaked", said("grown", after="129"), "soak.slabs"),
    ("soaked", said("kept", slabs="0"), "soak.slabs"),
    ("soaked", unsaid("kept"), "soak.slabs"),
    ("soaked", said("taken", errno="0"), "soak.unplugged"),
    ("soaked", unsaid("taken"), "soak.unplugged"),
    ("soaked", unsaid("ping"), "net.ping"),
    ("installed", said("system", 1, state="degraded"), "system.running"),
    ("installed", said("system", failed="vdma.service"), "system.running"),
    ("installed", unsaid("system"), "system.running"),
    ("installed", unsaid("hello"), "system.boots"),
    ("installed", also("hello"), "system.boots"),
    ("installed", said("install", sha256="0"), "net.installed"),
    ("installed", noted("net", asked=[["/./hello_1_arm64.deb", 404]]), "net.installed"),
    ("installed", put(written={}), "net.installed"),
    ("installed", said("compare", 1, type="ext4"), "files.same"),
    ("installed", said("compare", sha256="0"), "files.same"),
    ("installed", unsaid("compare", 1), "files.same"),
    ("installed", noted("blk", status=4), "blk.clean"),
    ("installed", noted("data", status=1), "data.clean"),
    ("installed", noted("data", missing=1), "data.blocks"),
    ("lied_to", reported("rng", lies={"longer": 39_999}), "rng.lies"),
    ("lied_to", reported("rng", lies={}), "rng.lies"),
    ("lied_to", reported("rng", buffers=99_999), "rng.lies"),
    ("lied_to", put(backends={"rng": {}}), "rng.lies"),
    ("lied_to", reported("rng", bytes=4096 + 8 * 10_001 - 1), "rng.short"),
    ("mended", reported("rng", lies={"longer": 960, "never": 40, "jump": 4}), "rng.breaks"),
    ("mended", unsaid("ready"), "rng.mended"),
    ("mended", also("error", what="stalled"), "rng.mended"),
    ("lied_to_again", said("read", failed="5002"), "blk.failed"),
    ("lied_to_again", said("read", failed="0"), "blk.failed"),
    ("lied_to_again", reported("blk", bytes=media.DISK - 1), "blk.served"),
    ("lied_to_again", said("read", sha256="0"), "blk.read"),
]

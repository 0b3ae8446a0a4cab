# SPDX-License-Identifier: GPL-2.0-only
"""Whether allocations of a guest's drivers have failed, each in its turn."""
from ..model.check import Check
from ..model.scenario import parent


def survey(record):
    """The guest itself checks that all came back, in its mode, with nothing mapped."""
    rounds, injected, failed = (sum(int(r[key]) for r in record.all("faults"))
                                for key in ("rounds", "injected", "failed"))
    yield Check("faults.some", "faults: allocations fail, and probes and requests with some of"
                " them", 0 < failed < injected < rounds, record.all("faults"))
    tried = {r["name"]: int(r["allocations"]) for r in record.all("exhausted")}
    # Each device is unbound from its driver, and its transport from its own.
    wanted = {"read", "write"} | {name for index in range(len(record.scenario["devices"]))
                                  for name in (f"virtio{index}", parent(record.scenario, index))}
    yield Check("faults.each", "faults: each allocation of a request, a driver and a transport"
                " has failed in its turn", set(tried) == wanted and all(tried.values()), tried)

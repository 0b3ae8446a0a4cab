# SPDX-License-Identifier: GPL-2.0-only
"""Whether allocations of a guest's drivers have failed, each in its turn."""
from ..model.scenario import parent


def survey(run):
    """What is left to the guest: that all came back, in its mode, with nothing mapped."""
    rounds, injected, failed = (sum(int(r[key]) for r in run.all("faults"))
                                for key in ("rounds", "injected", "failed"))
    yield ("faults: allocations fail, and probes and requests with some of them",
           0 < failed < injected < rounds, run.all("faults"))
    tried = {r["name"]: int(r["allocations"]) for r in run.all("exhausted")}
    # Each device goes from its driver, and its transport from its own.
    wanted = {"read", "write"} | {name for index in range(len(run.scenario["devices"]))
                                  for name in (f"virtio{index}", parent(run.scenario, index))}
    yield ("faults: each of a request, a driver and a transport has failed in its turn",
           set(tried) == wanted and all(tried.values()), tried)

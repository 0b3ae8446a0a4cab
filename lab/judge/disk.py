# SPDX-License-Identifier: GPL-2.0-only
"""What a guest reads and writes of its disk: the host works it out as well."""
from ..model.check import Check
from ..model.media import disk_digest
from ..model.storm import Storm, weather

# Who makes the requests of a soak, and how large they may be: lab/guest/steps/soak.c.
SOAKERS, SOAKED = 4, 64 << 10


def survey(record, steps):
    """The disk reads as the host has it; the guest's writes change it, and nothing else does."""
    name = "blk" if "blk" in record.scenario["devices"] else "scsi"
    if "read" in steps:
        yield from read(record, name)
    if "read" in steps or [*storms(record)]:
        wrote = "write" in steps or bool([*storms(record)])
        yield Check(f"{name}.write", f"{name}: the image has what the guest wrote, and is otherwise"
                    " the same", record.disk == written(record)
                    and (written(record) != disk_digest()) == wrote, record.all("write"))
    floods = [i for i, s in enumerate(record.scenario["steps"]) if "flood" in s.split(":")]
    if floods:
        yield Check("blk.flood", "blk: readers in parallel all read what the host has",
                    [f["sha256"] for f in record.all("flood")] == [written(record, i) for i in floods],
                    record.all("flood"))
    if [*storms(record)]:
        yield storm(record)


def storms(record, steps=None):
    """The storms of these steps, or of all of the scenario's."""
    for step in record.scenario["steps"] if steps is None else steps:
        name, *words = step.split(":")
        if name == "storm":
            yield Storm(*map(int, words))
        if name == "soak":
            # Each event has a storm after it.
            for number in range(int(words[0]) if int(words[2]) else 0):
                yield Storm(SOAKERS, int(words[2]) // SOAKERS, SOAKED, number)


def write_of(record):
    """Where the guest's step write wrote, and how much."""
    return tuple(int(one[key]) for one in record.all("write")[:1] for key in ("offset", "bytes"))


def written(record, count=None):
    """The digest of the disk as the first steps make it, or all of them."""
    steps = record.scenario["steps"][:count]
    wrote = write_of(record) if count is None or "write" in steps else ()
    made = tuple(storms(record, steps))
    if made:
        return weather(record.seed, wrote, made)[1][-1]
    return disk_digest(record.seed, *wrote) if wrote else disk_digest()


def working(record):
    """The digest of the disk each time that all devices work, which is a write as well."""
    made = tuple(storms(record))
    digests = [written(record, 0) if not write_of(record)
               else disk_digest(record.seed, *write_of(record))]
    digests += weather(record.seed, write_of(record), made)[1] if made else []
    for step in record.scenario["steps"]:
        name, *words = step.split(":")
        # What works when the guest crashes cannot tell.
        if name == "loaded" and words[:1] != ["crash"]:
            yield digests[0]
        stormy = [*storms(record, [step])]
        for _ in range(int(words[0]) if name == "soak" else 0):
            yield digests[0]
            digests, stormy = digests[bool(stormy):], stormy[1:]
        digests = digests[len(stormy):]


def read(record, name):
    wanted = [written(record, i) for i, step in enumerate(record.scenario["steps"])
              if step.partition(":")[0] == "read"]
    yield Check(f"{name}.read", f"{name}: the guest reads the whole disk as the host has it",
                [r["sha256"] for r in record.all("read")] == wanted, record.all("read"))
    if "requests" in record.scenario:
        fewest, most = record.scenario["requests"]
        found = [int(r["requests"]) for r in record.all("read")]
        yield Check(f"{name}.requests", f"{name}: the disk is read in {fewest} to {most} requests",
                    bool(found) and fewest <= min(found) and max(found) <= most, found)
    if "segment" in record.scenario:
        wanted = record.scenario["segment"]
        found = {int(r["segment"]) for r in record.all("read")}
        yield Check(f"{name}.segment", f"{name}: a segment of a request may have {wanted} bytes",
                    found == {wanted}, sorted(found))


def storm(record):
    """Each process did what the seed says, read what it should, and left what the host has."""
    made = tuple(storms(record))
    wanted = [{key: str(value) for key, value in one.items()}
              for one in weather(record.seed, write_of(record), made)[0]]
    found = [{key: value for key, value in one.items() if key != "failed"}
             for one in record.all("storm")]
    wrong = [one for one in found if one not in wanted]
    return Check("blk.storm", f"blk: {sum(s.processes * s.requests for s in made)} random requests"
                 f" of {max(s.processes for s in made)} processes at once read and write as the seed"
                 " says", found == wanted, wrong[:1] or f"{len(found)} of {len(wanted)} reports")

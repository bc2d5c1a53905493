"""Check that each ladder ends in a change of stage, and that every rung can be carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agreements import ladder
from agreements.checks.base import Finding
from agreements.checks.running import Running, running
from agreements.model import Agreement

#: Rungs that end the handoff. No rung after them is ever reached.
_FINAL = ("nurture", "disqualify")
#: Clock -> rung that its ladder cannot carry out -> why.
_IMPOSSIBLE: Mapping[str, Mapping[str, str]] = {
    "delivery": {"reassign": "nobody has the lead yet; write default-acceptor"},
    "note": {
        "reassign": "nobody has the lead yet; write nurture or manager-decides",
        "default-acceptor": "nobody gets a lead before its note is complete; write nurture or manager-decides",
    },
    "decision": {"manager-decides": "a decision that was missed cannot be asked again; end with nurture"},
}


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find ladders without an end, rungs that are never reached, and rungs that cannot be carried out."""
    for one in running(agreement):
        yield from _without_end(one)
        yield from _behind_the_end(one)
        for index, rung in enumerate(one.clock.when_missed):
            where = (*one.where, "when_missed", index)
            if why := _IMPOSSIBLE.get(one.name, {}).get(rung.do):
                yield Finding((*where, "do"), f"{rung.do!r} cannot be done here: {why}")
            if rung.track and rung.do != "nurture":
                yield Finding((*where, "track"), f"belongs to nurture, not to {rung.do}; leave it out", needs=((*where, "do"),))


def _without_end(one: Running) -> Iterator[Finding]:
    rungs = one.clock.when_missed
    if not ladder.ends(rungs):
        advice = "end with nurture, disqualify, manager-decides or default-acceptor"
        where = (*one.where, "when_missed", len(rungs) - 1)
        yield Finding(where, f"the ladder ends with {rungs[-1].do!r}, which leaves the lead where it is; {advice}", needs=((*where, "do"),))


def _behind_the_end(one: Running) -> Iterator[Finding]:
    where, end = (*one.where, "when_missed"), -1
    for index, rung in enumerate(one.clock.when_missed):
        if end >= 0:
            what = f"is never reached: rung {end + 1} before it ends in {one.clock.when_missed[end].do}; move it up, or leave it out"
            yield Finding((*where, index), what, needs=((*where, end, "do"),))
        elif rung.do in _FINAL:
            end = index

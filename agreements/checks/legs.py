"""Check that each leg has its own name, and that its segments can be reached."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks.base import Finding
from agreements.model import Agreement


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find legs named twice, and segments that are never reached."""
    seen: dict[str, int] = {}
    for index, leg in enumerate(agreement.legs):
        first = seen.setdefault(leg.name, index)
        if first != index:
            what = f"the leg {leg.name!r} appears twice; give each its own name"
            yield Finding(("legs", index), what, needs=(("legs", first),))
        for number, segment in enumerate(leg.segments):
            if any(not other.when.tests for other in leg.segments[:number]):
                what = f"can never match: a segment before it takes every lead; move {segment.team!r} up, or leave it out"
                yield Finding(("legs", index, "segments", number), what, needs=(("legs", index, "segments"),))
    if agreement.legs[0].segments:
        yield Finding(("legs", 0, "segments"), "the first leg gets what `routing.segments` gives it; write them there")

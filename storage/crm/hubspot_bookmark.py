"""How far HubSpot was read: a cursor, and what of the time before it was given already, since HubSpot's search lags."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from agreements.errors import CrmError
from storage.crm.port import Change

#: How far before the cursor each reading looks again, in milliseconds. A change that HubSpot's search shows later than that is lost.
OVERLAP_MS = 10 * 60_000
#: How long the cursor may stand while nobody changes anything. Then it moves, and each reading looks at less.
QUIET_MS = 60 * 60_000
#: How often deleted contacts are looked for: HubSpot has no search for them, so they are read from end to end.
DELETED_EVERY_MS = 15 * 60_000
#: The most changes of one reading.
MOST = 2_000
_MERGES = 200


class Found(NamedTuple):
    """A change that HubSpot shows. at_ms: its place in the order, in milliseconds since 1970."""

    at_ms: int
    change: Change


@dataclass(frozen=True, slots=True)
class Reached:
    """How far HubSpot was read. Instants are milliseconds since 1970 by HubSpot's clock.

    since: the newest change that was given. given: marks of the changes given in the overlap before it, each with its instant.
    merges: marks of merges that were given, as HubSpot does not say when each of several happened. looked: when deleted contacts were
    read last. gone: marks of the deletions given in the overlap before that.
    deleted: the next reading is for deleted contacts alone, so that the order of a repeated reading never changes.
    """

    since: int = 0
    given: dict[str, int] = field(default_factory=dict)
    merges: tuple[str, ...] = ()
    looked: int = 0
    gone: dict[str, int] = field(default_factory=dict)
    deleted: bool = False

    @property
    def start(self) -> int:
        """From when a reading has to look, 0 for everything."""
        return max(0, self.since - OVERLAP_MS)


def read_bookmark(text: str) -> Reached:
    """Return how far HubSpot was read. Raises CrmError for a bookmark of something else."""
    if not text:
        return Reached()
    try:
        found = json.loads(text)
        given = {str(mark): int(at) for mark, at in found["given"].items()}
        gone = {str(mark): int(at) for mark, at in found["gone"].items()}
        merges = tuple(map(str, found["merges"]))
        return Reached(int(found["since"]), given, merges, int(found["looked"]), gone, bool(found["deleted"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CrmError("The bookmark is not one of HubSpot: was BATON_CRM_URL changed? Delete the bookmark crm", permanent=True) from None


def write_bookmark(reached: Reached) -> str:
    """Return the bookmark as text."""
    return json.dumps(asdict(reached), separators=(",", ":"))


def mark(change: Change) -> str:
    """A short mark of a change, by its id."""
    return urlsafe_b64encode(hashlib.sha256(change.id.encode()).digest()[:9]).decode()


def to_give(reached: Reached, found: Iterable[Found], *, until_ms: int) -> tuple[Sequence[Change], Reached]:
    """Return the changes that are new, oldest first and at most `MOST`, and how far that is. until_ms: younger changes wait."""
    unseen = {
        mark(one.change): one
        for one in found
        if reached.start <= one.at_ms <= until_ms and mark(one.change) not in reached.given and mark(one.change) not in reached.merges
    }
    ordered = sorted(unseen.items(), key=lambda item: (item[1].at_ms, item[1].change.id))[:MOST]
    if not ordered:
        quiet = until_ms - QUIET_MS
        return (), replace(reached, since=quiet) if reached.since < quiet - QUIET_MS else reached
    since = max(reached.since, ordered[-1][1].at_ms)
    given = {**reached.given, **{name: one.at_ms for name, one in ordered}}
    merges = (*reached.merges, *(name for name, one in ordered if one.change.kind == "merged"))[-_MERGES:]
    kept = {name: at for name, at in given.items() if at >= since - OVERLAP_MS}
    changes = [replace(one.change, number=number) for number, (_, one) in enumerate(ordered, 1)]
    return changes, replace(reached, since=since, given=kept, merges=merges)


def deleted_to_give(reached: Reached, found: Iterable[Found], *, looked_ms: int) -> tuple[Sequence[Change], Reached]:
    """Return the deletions that are new, oldest first, and how far that is. looked_ms: when the list of them was begun."""
    start = reached.looked - OVERLAP_MS
    new = {mark(one.change): one for one in found if one.at_ms >= start and mark(one.change) not in reached.gone}
    ordered = sorted(new.items(), key=lambda item: (item[1].at_ms, item[1].change.id))
    gone = {**reached.gone, **{name: one.at_ms for name, one in ordered}}
    kept = {name: at for name, at in gone.items() if at >= looked_ms - OVERLAP_MS}
    changes = [replace(one.change, number=number) for number, (_, one) in enumerate(ordered, 1)]
    return changes, replace(reached, looked=looked_ms, gone=kept, deleted=False)

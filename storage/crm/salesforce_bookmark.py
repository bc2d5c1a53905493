"""How far Salesforce was read. Records become visible a little later than their time says, so each reading begins before the last ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agreements.errors import CrmError
from storage.crm.salesforce_people import short

#: How much later than its time a record may become visible: a transaction of Salesforce lasts at most this long.
OVERLAP = timedelta(minutes=10)
#: How many records of the overlap are remembered. After more of them the next overlap is shorter.
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Position:
    """How far Salesforce was read.

    at: the newest time that was read, None before the first reading. floor: nothing before it is read again.
    given: the records from the overlap that were given already, by id, with their times. All times are aware, in whole seconds.
    """

    at: datetime | None = None
    floor: datetime | None = None
    given: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def start(self) -> datetime | None:
        """From when the next reading reads."""
        if self.at is None:
            return None
        early = self.at - OVERLAP
        return max(early, self.floor) if self.floor else early

    def moved(self, to: datetime, given: Iterable[tuple[str, datetime]]) -> Position:
        """Return the position after a reading. to: the newest time read. given: what was given now, each id with its time."""
        at = max(self.at, to) if self.at else to
        kept = {**self.given, **{short(ident): when for ident, when in given}}
        kept = {ident: when for ident, when in kept.items() if when >= at - OVERLAP}
        floor = self.floor
        if len(kept) > REMEMBERED:
            edge = sorted(kept.values(), reverse=True)[REMEMBERED]
            later = {ident: when for ident, when in kept.items() if when > edge}
            if later:  # else all have one time, and a floor within it would lose or repeat some
                kept, floor = later, edge + timedelta(seconds=1)
        return Position(at, floor if floor and floor > at - OVERLAP else None, kept)

    def text(self) -> str:
        """Return the bookmark."""
        if self.at is None:
            return ""
        at = int(self.at.timestamp())
        told = {"at": at, "given": {ident: at - int(when.timestamp()) for ident, when in sorted(self.given.items())}}
        if self.floor:
            told["floor"] = int(self.floor.timestamp())
        return json.dumps(told, separators=(",", ":"))


def read_position(bookmark: str) -> Position:
    """Return the position of a bookmark; the empty one is the beginning. Raises CrmError, permanent, for another CRM's bookmark."""
    if not bookmark:
        return Position()
    try:
        told = json.loads(bookmark)
        at = int(told["at"])
        given = {str(ident): _time(at - int(ago)) for ident, ago in told["given"].items()}
        return Position(_time(at), _time(int(told["floor"])) if "floor" in told else None, given)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        said = "Salesforce: the bookmark is not one of Salesforce's, so nothing is read; was BATON_CRM_URL changed?"
        raise CrmError(said, permanent=True) from None


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

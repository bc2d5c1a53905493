"""Read the past of leads in the local CRM. Its file is opened for reading alone, so SQLite refuses every write."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from agreements.words import CrmChangeKind, OpportunityState, word
from storage.crm.local import BATON
from storage.crm.local_records import reading
from storage.crm.past import Asked, PastChange, PastDeal, PastLead, PastTouch, TouchKind

#: The fields with the time at which a lead came, and with where it came from. Baton does not write them.
CREATED, SOURCE = "created", "source"
_KINDS: tuple[TouchKind, ...] = ("call", "email", "meeting")
#: The changes after which a lead is not there any more, and those that go along with it into another lead.
_ENDED: tuple[CrmChangeKind, ...] = ("merged", "gone")
_CARRIED: tuple[CrmChangeKind, ...] = ("touch", "opportunity")
_PAGE = 500


class LocalPast:
    """The past of leads in the file of the local CRM."""

    name = "Local CRM"

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    async def without_history(self, asked: Asked) -> Sequence[str]:
        """Return nothing: the file keeps each change by a person."""
        return ()

    async def pages(self, asked: Asked) -> AsyncIterator[Sequence[PastLead]]:
        """Yield the leads page by page. A lead without the field `created` has no known beginning, and is there too."""
        found = await asyncio.to_thread(self._leads, asked)
        for start in range(0, len(found), _PAGE):
            yield found[start : start + _PAGE]

    def _leads(self, asked: Asked) -> list[PastLead]:
        with reading(self.path) as db:
            told = _read(db)
        leads = (_lead(number, one, asked) for number, one in sorted(told.items()))
        return [one for one in leads if one.created is None or asked.since <= one.created < asked.until]


@dataclass(slots=True)
class _Told:
    """What the file says about one lead. changes: when, by whom, of which kind, under which name, and the values."""

    fields: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[datetime, str, CrmChangeKind, dict[str, str]]] = field(default_factory=list)
    deals: dict[str, dict[str, str]] = field(default_factory=dict)


def _read(db: sqlite3.Connection) -> dict[int, _Told]:
    """Return what the file says about each lead, with what it says about those that were merged into it."""
    found: dict[int, _Told] = {}
    for number, name, value in db.execute("SELECT number, field, value FROM lead_fields"):
        found.setdefault(number, _Told()).fields[name] = value
    together: dict[tuple[int, str, str, CrmChangeKind, str], dict[str, str]] = {}
    query = "SELECT number, by, at, kind, change, field, value FROM changes WHERE at != '' ORDER BY id"
    for number, by, at, kind, change, name, value in db.execute(query):
        together.setdefault((number, by, at, kind, change), {})[name] = value
    for (number, by, at, kind, _), values in together.items():
        found.setdefault(number, _Told()).changes.append((_aware(at), by, kind, values))
    columns = ("id", "number", "amount", "currency", "state", "reason", "closed_on")
    for ident, number, *values in db.execute(f"SELECT {', '.join(columns)} FROM opportunities"):
        found.setdefault(number, _Told()).deals[str(ident)] = dict(zip(columns[2:], map(str, values), strict=True))
    return _whole(found)


def _whole(found: dict[int, _Told]) -> dict[int, _Told]:
    """Return the leads that are left: without deleted ones, and each with the touches and deals of those merged into it."""
    into: dict[int, int] = {}
    gone = set[int]()
    for number, told in found.items():
        for _, _, kind, values in told.changes:
            if kind == "merged" and values.get("into", "").isdigit():
                into[number] = int(values["into"])
            if kind in _ENDED:
                gone.add(number)
    for number in into:
        last, seen = number, set[int]()
        while last in into and last not in seen:
            seen.add(last)
            last = into[last]
        if last in found and last not in gone:
            found[last].changes += [one for one in found[number].changes if one[2] in _CARRIED]
            found[last].deals |= found[number].deals
    return {number: told for number, told in found.items() if number not in gone}


def _lead(number: int, told: _Told, asked: Asked) -> PastLead:
    began = _began(told.fields.get(asked.created or CREATED, ""))
    changes = sorted((one for one in told.changes if one[2] == "fields"), key=lambda one: one[0])
    return PastLead(
        id=str(number),
        created=began,
        source=told.fields.get(asked.source or SOURCE, ""),
        owner=told.fields.get("owner", ""),
        values={name: told.fields.get(name, "") for name in asked.fields},
        owned_since=next((at for at, _, _, values in changes if values.get("owner")), None),
        changes=tuple(_changes(((at, values) for at, _, _, values in changes), asked.fields, began)),
        touches=tuple(_touches(told)),
        deals=tuple(_deal(ident, values, told) for ident, values in told.deals.items()),
    )


def _began(text: str) -> datetime | None:
    """Return the time in a field that people may edit; None for what is no time."""
    try:
        return _aware(text)
    except ValueError:
        return None


def _changes(told: Iterable[tuple[datetime, dict[str, str]]], fields: Sequence[str], began: datetime | None) -> Iterator[PastChange]:
    for at, values in told:
        asked = {name: value for name, value in values.items() if name in fields}
        if asked and (began is None or at > began):
            yield PastChange(at, asked)


def _touches(told: _Told) -> Iterator[PastTouch]:
    for at, by, kind, values in told.changes:
        touch = word(values.get("channel", ""), _KINDS) if kind == "touch" else None
        if touch:
            yield PastTouch(at, touch, automatic=by == BATON)


def _deal(ident: str, values: dict[str, str], told: _Told) -> PastDeal:
    state = word(values["state"] or "open", tuple(OpportunityState)) or OpportunityState.OPEN
    opened = [at for at, _, kind, said in told.changes if kind == "opportunity" and said.get("opportunity") == ident]
    return PastDeal(
        opened_at=min(opened, default=None),
        state=state,
        closed_on=values["closed_on"] if state is not OpportunityState.OPEN else "",
        amount=values["amount"],
        currency=values["currency"],
        reason=values["reason"] if state is OpportunityState.LOST else "",
    )


def _aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

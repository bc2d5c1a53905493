"""What Salesforce's rows say about the past of a lead. Pure functions over the rows of queries."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from agreements.words import OpportunityState
from storage.crm.past import PastChange, PastDeal, PastLead, PastTouch
from storage.crm.salesforce_api import Row
from storage.crm.salesforce_people import short
from storage.crm.salesforce_words import as_text, channel_of
from storage.crm.soql import read_instant

OWNER = "OwnerId"
#: How the history of a Lead names its owner.
_OWNER_IN_HISTORY = "Owner"
_USER = re.compile(r"005[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?")
_ANY_OWNER = re.compile(r"(005|00G)[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?")


def lead_of(row: Row, history: Sequence[Row], columns: Mapping[str, str], *, source: str, owners_tracked: bool) -> PastLead:
    """Return what a Lead says of itself. history: its rows, oldest first. columns: Salesforce's column for each field."""
    created = read_instant(str(row["CreatedDate"]))
    known = {name.casefold(): value for name, value in row.items()}  # Salesforce ignores case, and answers in its own
    return PastLead(
        id=str(row["Id"]),
        created=created,
        source=as_text(known[source.casefold()]),
        owner=str(row[OWNER]) if _USER.fullmatch(str(row[OWNER])) else "",
        values={name: as_text(known[column.casefold()]) for name, column in columns.items()},
        owned_since=_owned_since(row, history, created) if owners_tracked else None,
        changes=tuple(_changes(history, columns)),
    )


def began_of(row: Row, column: str) -> datetime:
    """Return the time in this column."""
    return read_instant(str({name.casefold(): value for name, value in row.items()}[column.casefold()]))


def _owned_since(row: Row, history: Sequence[Row], created: datetime) -> datetime | None:
    """Return when a user first owned the Lead. A queue is nobody. The history has only changes, so it begins with the owner before."""
    rows = [one for one in history if one["Field"] == _OWNER_IN_HISTORY and _ANY_OWNER.fullmatch(as_text(one["NewValue"]))]
    if _USER.fullmatch(as_text(rows[0]["OldValue"]) if rows else as_text(row[OWNER])):
        return created
    return next((read_instant(str(one["CreatedDate"])) for one in rows if _USER.fullmatch(as_text(one["NewValue"]))), None)


def _changes(history: Sequence[Row], columns: Mapping[str, str]) -> Iterator[PastChange]:
    """Yield what was saved together as one change. A change that refers to a record has a second row with the record's name."""
    names = {column.casefold(): name for name, column in columns.items()}
    together: dict[datetime, dict[str, str]] = {}
    for row in history:
        name = names.get(str(row["Field"]).casefold())
        if name is not None and row["DataType"] != "EntityId":
            together.setdefault(read_instant(str(row["CreatedDate"])), {})[name] = as_text(row["NewValue"])
    yield from (PastChange(at, values) for at, values in sorted(together.items()))


def task_of(row: Row, robots: Collection[str]) -> PastTouch | None:
    """Return the touch that a completed task is; None for another task."""
    kind = channel_of(str(row["TaskSubtype"] or ""), str(row["Type"] or ""))
    done = str(row["CompletedDateTime"] or "")
    return PastTouch(read_instant(done), kind, short(str(row[OWNER])) in robots) if kind and done else None


def meeting_of(row: Row, robots: Collection[str]) -> PastTouch | None:
    """Return the touch that a meeting is."""
    return PastTouch(read_instant(str(row["StartDateTime"])), "meeting", short(str(row[OWNER])) in robots)


def deal_of(row: Row, *, reason: str, currency: str) -> PastDeal:
    """Return how an opportunity is now. reason, currency: the columns of these, empty for none."""
    state = OpportunityState.OPEN
    if row["IsClosed"]:
        state = OpportunityState.WON if row["IsWon"] else OpportunityState.LOST
    return PastDeal(
        opened_at=read_instant(str(row["CreatedDate"])),
        state=state,
        closed_on=as_text(row["CloseDate"]) if state is not OpportunityState.OPEN else "",
        amount=as_text(row["Amount"]),
        currency=as_text(row[currency]) if currency else "",
        reason=as_text(row[reason]) if reason and state is OpportunityState.LOST else "",
    )

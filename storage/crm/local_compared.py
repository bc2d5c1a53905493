"""What the local CRM has of leads and opportunities now, to be compared with what Baton has."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord, RecordState
from agreements.words import OpportunityState, word
from storage.crm.port import PAGE_OF_NUMBERS

#: What a person did to the record last, and whether Baton has written it again since.
_ENDS = (
    "SELECT number, max(CASE WHEN kind IN ('gone', 'merged') THEN id ELSE 0 END), max(CASE WHEN kind = 'converted' THEN id ELSE 0 END),"
    " max(CASE WHEN kind = 'fields' AND by = 'baton' THEN id ELSE 0 END) FROM changes WHERE number IN ({marks}) GROUP BY number"
)


def records(db: sqlite3.Connection, numbers: Sequence[int], fields: Collection[str]) -> dict[int, CrmRecord]:
    """Return the records of these leads. Every record takes every field."""
    marks = ",".join("?" * len(numbers))
    ends: dict[int, RecordState] = {}
    for number, gone, converted, written in db.execute(_ENDS.format(marks=marks), tuple(numbers)):
        if gone > written or converted > written:
            ends[number] = RecordState.DELETED if gone > written else RecordState.CONVERTED
    values: dict[int, dict[str, str]] = {}
    for number, name, value in db.execute(f"SELECT number, field, value FROM lead_fields WHERE number IN ({marks})", tuple(numbers)):
        values.setdefault(number, {})[name] = value
    return {
        number: CrmRecord(
            f"record {number}", has.get("owner", ""), {name: has.get(name, "") for name in fields}, ends.get(number, RecordState.THERE)
        )
        for number, has in values.items()
    }


def deals(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, CrmDeal]:
    """Return these opportunities."""
    rows = db.execute(f"SELECT id, state FROM opportunities WHERE id IN ({','.join('?' * len(ids))})", tuple(ids))
    return {str(ident): CrmDeal(word(str(state or ""), tuple(OpportunityState)) or OpportunityState.OPEN) for ident, state in rows}


def numbered(db: sqlite3.Connection, after: int) -> list[CrmNumber]:
    """Return the next records behind this number."""
    query = "SELECT DISTINCT number FROM lead_fields WHERE number > ? ORDER BY number LIMIT ?"
    return [CrmNumber(number, f"record {number}") for (number,) in db.execute(query, (after, PAGE_OF_NUMBERS))]

"""What Salesforce has of leads and opportunities now, read in lists, to be compared with what Baton has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord, RecordState
from agreements.words import OpportunityState
from storage.crm.salesforce_api import Calls, Row
from storage.crm.salesforce_people import Who, chunks, short, whose
from storage.crm.salesforce_records import HOPS, LEAD_FIELD, RecordKind
from storage.crm.salesforce_words import as_text
from storage.crm.soql import listed, read_instant

#: What is asked of each kind of record, beside the fields of the agreement. A Contact comes first: a lead goes on as its Contact.
_COLUMNS: Mapping[RecordKind, tuple[str, ...]] = {
    "Contact": ("Id", "IsDeleted", "MasterRecordId", "OwnerId", "SystemModstamp", LEAD_FIELD),
    "Lead": ("Id", "IsDeleted", "MasterRecordId", "OwnerId", "SystemModstamp", LEAD_FIELD, "IsConverted", "ConvertedContactId"),
}

_PREFIX: Mapping[RecordKind, str] = {"Contact": "003", "Lead": "00Q"}


@dataclass(frozen=True, slots=True)
class _Found:
    """The record at which a lead has arrived. goes_to: the id of the record to follow it to, empty for this one."""

    kind: RecordKind
    row: Row
    converted: bool = False

    @property
    def goes_to(self) -> str:
        if self.kind == "Lead" and self.row["IsConverted"]:
            return str(self.row["ConvertedContactId"] or "")
        return str(self.row["MasterRecordId"] or "") if self.row["IsDeleted"] else ""

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """Of several records with one number the first: the one that is there, then the Contact."""
        return bool(self.row["IsDeleted"]) and not self.goes_to, self.kind == "Lead", str(self.row["Id"])


async def read_records(
    calls: Calls, numbers: Sequence[int], *, fields: Mapping[str, str], people: Callable[[], Mapping[str, str]]
) -> dict[int, CrmRecord]:
    """Return the Leads and Contacts of these leads, followed through conversions and merges. fields: Salesforce's names by the agreement's.

    What a Contact lacks is left out of its values.
    """
    known = {kind: await _fields_of(calls, kind, fields) for kind in _COLUMNS} if numbers else {}
    found: dict[int, _Found] = {}
    for some in chunks([str(one) for one in numbers]):
        for kind in _COLUMNS:
            for row in await _rows(calls, kind, LEAD_FIELD, some, known[kind]):
                number, new = int(row[LEAD_FIELD]), _Found(kind, row, converted=kind == "Lead" and bool(row["IsConverted"]))
                before = found.get(number)
                converted = new.converted or (before is not None and before.converted)
                best = min((one for one in (before, new) if one is not None), key=lambda one: one.rank)
                found[number] = _Found(best.kind, best.row, converted)
    await _follow(calls, found, known)
    owners = await whose(calls, {ident for one in found.values() if (ident := str(one.row["OwnerId"] or "")).startswith("005")}, people)
    return {number: _record(calls, one, known[one.kind], owners) for number, one in found.items()}


async def read_deals(calls: Calls, ids: Sequence[str]) -> dict[str, CrmDeal]:
    """Return these opportunities, without those that were deleted. An id of the long form finds the same record as the short one."""
    wanted = {short(one): one for one in ids}
    found: dict[str, CrmDeal] = {}
    for some in chunks(ids):
        query = f"SELECT Id, IsClosed, IsWon, SystemModstamp FROM Opportunity WHERE Id IN {listed(some)}"
        for row in await calls.rows(query):
            ends = OpportunityState.WON if row["IsWon"] else OpportunityState.LOST if row["IsClosed"] else OpportunityState.OPEN
            found[wanted[short(str(row["Id"]))]] = CrmDeal(ends, _quiet(calls, row))
    return found


async def read_numbered(calls: Calls) -> AsyncIterator[list[CrmNumber]]:
    """Yield every Contact and Lead with a number, as Salesforce pages them. A converted Lead is left out: it goes on as its Contact."""
    for kind, more in (("Contact", ""), ("Lead", " AND IsConverted = false")):
        async for page in calls.pages(f"SELECT Id, {LEAD_FIELD} FROM {kind} WHERE {LEAD_FIELD} != null{more}"):
            told = [(str(row[LEAD_FIELD]), f"{kind} {row['Id']}") for row in page]
            yield [CrmNumber(int(text), name) for text, name in told if text.isascii() and text.isdecimal() and len(text) <= 18]


async def _fields_of(calls: Calls, kind: RecordKind, fields: Mapping[str, str]) -> dict[str, str]:
    """Salesforce's spelling of those fields that this kind of record has, by the agreement's names."""
    told = await calls.send("GET", f"sobjects/{kind}/describe")
    there = {str(one["name"]).casefold(): str(one["name"]) for one in told["fields"]}
    return {name: there[column.casefold()] for name, column in fields.items() if column.casefold() in there}


async def _rows(calls: Calls, kind: RecordKind, column: str, values: Collection[str], fields: Mapping[str, str]) -> list[Row]:
    columns = ", ".join(dict.fromkeys([*_COLUMNS[kind], *fields.values()]))
    return await calls.rows(f"SELECT {columns} FROM {kind} WHERE {column} IN {listed(values)}", deleted=True)


async def _follow(calls: Calls, found: dict[int, _Found], known: Mapping[RecordKind, Mapping[str, str]]) -> None:
    """Follow each lead to the record as which it goes on. Where that one is not there, the lead's own record says what became of it."""
    for _ in range(HOPS):
        on = {number: one for number, one in found.items() if one.goes_to}
        rows: dict[str, _Found] = {}
        for kind in _COLUMNS:
            ids = {one.goes_to for one in on.values() if one.goes_to.startswith(_PREFIX[kind])}
            for some in chunks(ids):
                rows |= {short(str(row["Id"])): _Found(kind, row) for row in await _rows(calls, kind, "Id", some, known[kind])}
        moved = {number: rows[short(one.goes_to)] for number, one in on.items() if short(one.goes_to) in rows}
        if not moved:
            return
        for number, one in moved.items():
            found[number] = _Found(one.kind, one.row, found[number].converted or (one.kind == "Lead" and bool(one.row["IsConverted"])))


def _record(calls: Calls, one: _Found, fields: Mapping[str, str], owners: Mapping[str, Who]) -> CrmRecord:
    row, ident = one.row, str(one.row["OwnerId"] or "")
    there = RecordState.CONVERTED if one.converted else RecordState.THERE
    state = RecordState.DELETED if row["IsDeleted"] else there
    owner = owners.get(short(ident), Who(name=ident)).said
    values = {name: as_text(row[column]) for name, column in fields.items()}
    return CrmRecord(f"{one.kind} {row['Id']}", owner, values, state, _quiet(calls, row))


def _quiet(calls: Calls, row: Row) -> timedelta:
    return max(timedelta(0), calls.now - read_instant(str(row["SystemModstamp"])))

"""Which lead a record of Salesforce belongs to, also after a conversion or a merge."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from storage.crm.salesforce_api import Calls, Row
from storage.crm.salesforce_people import chunks, short
from storage.crm.salesforce_records import LEAD_FIELD
from storage.crm.soql import listed

#: How many merges in a row are followed back.
_MERGES = 4
_LEAD, _CONTACT, _OPPORTUNITY = "00Q", "003", "006"


async def numbers_of(calls: Calls, records: Collection[str]) -> dict[str, int]:
    """Return the lead's number for each of these Leads, Contacts and Opportunities that belongs to one, by the id's 15 characters."""
    found: dict[str, int] = {}
    await _opportunities(calls, _of_kind(records, _OPPORTUNITY), found)
    await _people(calls, [ident for ident in records if ident.startswith((_LEAD, _CONTACT))], found, _MERGES)
    return found


async def _people(calls: Calls, records: Collection[str], found: dict[str, int], merges: int) -> None:
    """A record's own number decides, then the Lead that became this Contact, then the records that were merged into it."""
    for prefix, kind in ((_LEAD, "Lead"), (_CONTACT, "Contact")):
        for some in chunks(_of_kind(records, prefix)):
            _note(found, await calls.rows(f"SELECT Id, {LEAD_FIELD} FROM {kind} WHERE Id IN {listed(some)}", deleted=True), "Id")
    for some in chunks(_without(_of_kind(records, _CONTACT), found)):
        query = f"SELECT ConvertedContactId, {LEAD_FIELD} FROM Lead WHERE ConvertedContactId IN {listed(some)} AND {LEAD_FIELD} != null"
        _note(found, await calls.rows(query, deleted=True), "ConvertedContactId")
    for prefix, kind in ((_LEAD, "Lead"), (_CONTACT, "Contact")):
        for some in chunks(_without(_of_kind(records, prefix), found)):
            merged = await calls.rows(f"SELECT Id, MasterRecordId FROM {kind} WHERE MasterRecordId IN {listed(some)}", deleted=True)
            if merged and merges:
                losers = sorted(str(row["Id"]) for row in merged)
                await _people(calls, losers, found, merges - 1)
            pairs = sorted((found[short(str(row["Id"]))], str(row["MasterRecordId"])) for row in merged if short(str(row["Id"])) in found)
            for number, master in pairs:
                found.setdefault(short(master), number)


async def _opportunities(calls: Calls, records: Collection[str], found: dict[str, int]) -> None:
    """An opportunity's own number decides, then the Lead whose conversion made it, then its contacts, the primary one first."""
    for some in chunks(records):
        _note(found, await calls.rows(f"SELECT Id, {LEAD_FIELD} FROM Opportunity WHERE Id IN {listed(some)}", deleted=True), "Id")
    for some in chunks(_without(records, found)):
        query = (
            f"SELECT ConvertedOpportunityId, {LEAD_FIELD} FROM Lead WHERE ConvertedOpportunityId IN {listed(some)} AND {LEAD_FIELD} != null"
        )
        _note(found, await calls.rows(query, deleted=True), "ConvertedOpportunityId")
    for some in chunks(_without(records, found)):
        query = f"SELECT OpportunityId, ContactId, IsPrimary FROM OpportunityContactRole WHERE OpportunityId IN {listed(some)}"
        roles = await calls.rows(f"{query} ORDER BY IsPrimary DESC, CreatedDate ASC, Id ASC")
        await _people(calls, sorted({str(row["ContactId"]) for row in roles if row["ContactId"]}), found, _MERGES)
        for row in roles:
            if number := found.get(short(str(row["ContactId"] or ""))):
                found.setdefault(short(str(row["OpportunityId"])), number)


def _of_kind(records: Iterable[str], prefix: str) -> list[str]:
    return [ident for ident in records if ident.startswith(prefix)]


def _without(records: Iterable[str], found: dict[str, int]) -> list[str]:
    return [ident for ident in records if short(ident) not in found]


def _note(found: dict[str, int], rows: Iterable[Row], column: str) -> None:
    """Note the number of each row. A text that a person typed there and that is no number is none."""
    told = ((str(row[column]), str(row[LEAD_FIELD] or "")) for row in rows)
    for number, ident in sorted((int(text), ident) for ident, text in told if text.isascii() and text.isdecimal() and len(text) <= 18):
        found.setdefault(short(ident), number)

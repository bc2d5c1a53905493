"""The record of a lead in Salesforce: a Lead, or the Contact that it became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from agreements.errors import CrmError
from storage.crm.salesforce_api import Calls, Row, Write
from storage.crm.salesforce_errors import SalesforceRefused
from storage.crm.soql import quoted

#: Text (18), unique, external id, on Lead and Contact: the lead's number. On Opportunity it is a plain text.
LEAD_FIELD = "Baton_Lead__c"
#: Text (255) on Lead and Contact: the keys of the latest changes.
DONE_FIELD = "Baton_Done__c"
RecordKind = Literal["Lead", "Contact"]
_FIELDS: Mapping[RecordKind, str] = {
    "Contact": "Id, IsDeleted, MasterRecordId, AccountId",
    "Lead": "Id, IsDeleted, MasterRecordId, IsConverted, ConvertedContactId, ConvertedOpportunityId, ConvertedAccountId",
}
#: What Baton fills in where it adopts a record that lacks it.
_FILLED: Mapping[RecordKind, tuple[str, ...]] = {
    "Contact": ("FirstName", "Title", "Phone"),
    "Lead": ("FirstName", "Title", "Phone", "Country"),
}
#: How often a lead is followed from one record to the next: merges and a conversion.
HOPS = 8
#: The longest values of a new Lead's fields.
_LENGTHS = {"FirstName": 40, "LastName": 80, "Company": 255, "Title": 128, "Phone": 40, "Email": 80, "Country": 80}
#: What Salesforce itself writes where a required value is missing.
NOT_PROVIDED = "[not provided]"


@dataclass(frozen=True, slots=True)
class Record:
    """Where a lead is.

    number: what its LEAD_FIELD says. done: what its DONE_FIELD says. opportunity: made by its conversion. blank: the fields of the
    person that have no value, where the record is to be adopted.
    """

    kind: RecordKind
    id: str
    number: str = ""
    done: str = ""
    account: str = ""
    opportunity: str = ""
    blank: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """The path of the record in the API."""
        return f"sobjects/{self.kind}/{self.id}"


async def find(calls: Calls, number: str) -> Record | None:
    """Return the record of this lead, followed through conversion and merges; None where Salesforce never had it.

    Raises CrmError, permanent, where the record was deleted.
    """
    gone = False
    for kind in _FIELDS:
        found = await _rows(calls, kind, f"{LEAD_FIELD} = {quoted(number)}")
        for row in sorted(found, key=lambda one: (bool(one["IsDeleted"]), str(one["Id"]))):
            if record := await _followed(calls, kind, row):
                return record
            gone = True
    if gone:
        raise CrmError(
            f"Salesforce: the record of lead {number} was deleted; restore it from the recycle bin [ENTITY_IS_DELETED]", permanent=True
        )
    return None


async def of_address(calls: Calls, address: str) -> Record | None:
    """Return the oldest Contact or open Lead with this e-mail address that is not another lead's, None where there is none."""
    if not address:
        return None
    where = f"Email = {quoted(address)} AND {LEAD_FIELD} = null"
    kinds: Mapping[RecordKind, str] = {"Contact": "", "Lead": " AND IsConverted = false"}
    columns = {kind: f"{_columns(kind)}, {', '.join(_FILLED[kind])}" for kind in kinds}
    queries = {kind: f"SELECT {columns[kind]} FROM {kind} WHERE {where}{more}" for kind, more in kinds.items()}
    found = await calls.asked({kind: f"{query} ORDER BY CreatedDate ASC, Id ASC LIMIT 1" for kind, query in queries.items()})
    for kind in kinds:
        for row in found[kind]:
            return replace(_record(kind, row), blank=frozenset(name for name in _FILLED[kind] if not row[name]))
    return None


def new_lead(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a new Lead. Salesforce requires a last name and a company: a missing one is said to be missing."""
    told = {
        "FirstName": facts.get("first_name", ""),
        "LastName": facts.get("last_name", "") or facts.get("contact", "") or NOT_PROVIDED,
        "Company": facts.get("company", "") or NOT_PROVIDED,
        "Title": facts.get("job_title", ""),
        "Phone": facts.get("phone", ""),
        "Email": facts.get("email", ""),
        "Country": facts.get("country", ""),
    }
    if len(told["Email"]) > _LENGTHS["Email"]:
        told["Email"] = ""  # half an address is another one
    return {name: value[: _LENGTHS[name]] for name, value in told.items() if value}


async def written(calls: Calls, writes: Sequence[Write]) -> dict[str, Any]:
    """Carry out the writes. An org with a picklist of countries takes the country's code instead: then they are repeated with it."""
    try:
        return await calls.together(writes)
    except SalesforceRefused as error:
        if error.code != "FIELD_INTEGRITY_EXCEPTION" or "Country" not in error.fields:
            raise
    return await calls.together([replace(one, body=_with_country_code(one.body)) for one in writes])


def _with_country_code(body: Mapping[str, Any]) -> dict[str, Any]:
    country = str(body.get("Country", ""))
    code = {"CountryCode": country.upper()} if len(country) == 2 and country.isascii() else {}
    return {**{name: value for name, value in body.items() if name != "Country"}, **code}


async def _followed(calls: Calls, kind: RecordKind, row: Row) -> Record | None:
    opportunity = ""
    for _ in range(HOPS):
        if kind == "Lead" and row["IsConverted"] and row["ConvertedContactId"]:
            opportunity = opportunity or str(row["ConvertedOpportunityId"] or "")
            kind, following = "Contact", str(row["ConvertedContactId"])
        elif row["IsDeleted"] and row["MasterRecordId"]:
            following = str(row["MasterRecordId"])
        elif row["IsDeleted"]:
            return None
        else:
            return _record(kind, row, opportunity)
        found = await _rows(calls, kind, f"Id = {quoted(following)}")
        if not found:
            return None
        row = found[0]
    return None


async def _rows(calls: Calls, kind: RecordKind, where: str) -> list[Row]:
    return await calls.rows(f"SELECT {_columns(kind)} FROM {kind} WHERE {where}", deleted=True)


def _columns(kind: RecordKind) -> str:
    return f"{_FIELDS[kind]}, {LEAD_FIELD}, {DONE_FIELD}"


def _record(kind: RecordKind, row: Row, opportunity: str = "") -> Record:
    account = row["AccountId"] if kind == "Contact" else row["ConvertedAccountId"]
    number, done = str(row[LEAD_FIELD] or ""), str(row[DONE_FIELD] or "")
    return Record(kind, str(row["Id"]), number, done, str(account or ""), opportunity)

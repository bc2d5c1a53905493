"""Salesforce as the CRM: what Baton writes is upserted by keys of its own, so that a write that is repeated changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord
from agreements.crm_fit import CrmThere, FieldWanted
from agreements.errors import CrmError
from storage.crm.port import PERSON_FACTS, Account, Change
from storage.crm.salesforce_account import account_of
from storage.crm.salesforce_api import TIMEOUT_SECONDS, Calls, Made, SalesforceApi, Write
from storage.crm.salesforce_changes import read_changes
from storage.crm.salesforce_people import chunks, user_of
from storage.crm.salesforce_records import DONE_FIELD, LEAD_FIELD, NOT_PROVIDED, Record, find, new_lead, of_address, written
from storage.crm.soql import listed, quoted

#: Text (32), unique, external id, on Activity and Opportunity: the key of the write that made the record, as a digest.
KEY_FIELD = "Baton_Key__c"
#: The field of Salesforce for the names that every agreement may use. Other names are Salesforce's own.
FIELDS = {"owner": "OwnerId", "status": "Status"}
#: The fields that Baton needs beside Salesforce's own.
OWN_FIELDS = (
    *(FieldWanted(kind, LEAD_FIELD, unique=True) for kind in ("Lead", "Contact")),
    *(FieldWanted(kind, DONE_FIELD) for kind in ("Lead", "Contact")),
    *(FieldWanted(kind, KEY_FIELD, unique=True) for kind in ("Task", "Opportunity")),
    FieldWanted("Opportunity", LEAD_FIELD),
)
#: What a Contact does not have. Baton writes it to Leads only.
_LEAD_ONLY = frozenset({"Status"})
#: What no text shows: the person, who is in the record, and the code, which is for the rep alone.
_NOT_IN_TEXTS = (*PERSON_FACTS, "number")
_SUBJECT_MAX, _TEXT_MAX, _NAME_MAX = 255, 32_000, 120
#: How many keys of changes the record of a lead remembers, and the length of each.
_REMEMBERED, _MARK = 16, 14


class SalesforceCrm:
    """An org of Salesforce. Reps work there, and Baton reads what they did.

    url: https://MY-DOMAIN.my.salesforce.com. token: returns the app's "consumer key:consumer secret". people: returns the e-mail
    address of each person of the roster, by the person's id. fields: returns the names of fields as the agreements write them: Salesforce
    ignores case, so a change has the agreements' spelling. read_by_people: reps read their tasks there.
    """

    name = "Salesforce"
    files: Sequence[Path] = ()
    lead_record = "Lead"
    own_fields: Sequence[FieldWanted] = OWN_FIELDS
    field_names: Mapping[str, str] = FIELDS
    keeps = f"its tasks by Baton are deleted. Ask its administrator to delete the Lead or Contact whose {LEAD_FIELD} is"

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str],
        people: Callable[[], Mapping[str, str]],
        fields: Callable[[], Collection[str]] = tuple,
        read_by_people: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.api, self.people, self.read_by_people = SalesforceApi(url, token, timeout_seconds=timeout_seconds), people, read_by_people
        self.fields = fields

    async def account(self, *, company: str, domain: str) -> Account | None:
        """The account of this company or mail domain, None where there is none. The domain of its website decides before its name."""
        async with self.api.open() as calls:
            return await account_of(calls, company=company, domain=domain, people=self.people)

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        """Give the lead to its owner and add a task, in one transaction. Returns the task's id as proof.

        A Lead or Contact with the person's e-mail address is adopted, otherwise a Lead is made, also where the earlier one was deleted.
        """
        async with self.api.open() as calls:
            if done := await _made(calls, "Task", key):
                return f"task {done}"
            user = await user_of(calls, owner, self.people)
            record = await _record_of(calls, lead_number, facts, again=True)
            writes = [_place(record, lead_number, facts, {"OwnerId": user})]
            title = f"New lead: {facts.get('company', '') or NOT_PROVIDED}"
            task = {**_task(record, user, title, facts), "Status": "Not Started", "Priority": "High"}
            told = await written(calls, [*writes, _keyed("Task", key, task)])
            return f"task {await _proof(calls, told, 'Task', key)}"

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        """Add a note to the lead's activities: a completed task of the owner. Returns its id as proof."""
        async with self.api.open() as calls:
            if done := await _made(calls, "Task", key):
                return f"note {done}"
            user = await user_of(calls, owner, self.people)
            record = await _record_of(calls, lead_number, facts)
            writes = [] if record and record.number else [_place(record, lead_number, facts, {})]
            note = {**_task(record, user, subject, facts), "Status": "Completed", "Priority": "Low"}
            told = await written(calls, [*writes, _keyed("Task", key, note)])
            return f"note {await _proof(calls, told, 'Task', key)}"

    async def update(self, *, key: str, lead_number: str, values: Mapping[str, str]) -> str:
        """Set fields of the lead. The record remembers the key in the same write. Returns the id of the change as proof.

        A Contact has no status: there Baton leaves it out.
        """
        async with self.api.open() as calls:
            record = await _there(calls, lead_number)
            mark = _digest(key)[:_MARK]
            done = record.done.split()
            if mark not in done:
                fields: dict[str, Any] = {FIELDS.get(name.casefold(), name): value for name, value in values.items()}
                if "OwnerId" in fields:
                    fields["OwnerId"] = await user_of(calls, values["owner"], self.people)
                if record.kind == "Contact":
                    fields = {name: value for name, value in fields.items() if name not in _LEAD_ONLY}
                own = {LEAD_FIELD: record.number or lead_number, DONE_FIELD: " ".join([*done, mark][-_REMEMBERED:])}
                await calls.send("PATCH", record.path, {**fields, **own})
            return f"change {mark}"

    async def create_opportunity(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        """Create an open opportunity of the lead and return its id as proof.

        An opportunity that the lead's conversion made is taken instead of a second one. A new one has the first open stage, closes at
        the end of the quarter, as Salesforce does it, and is the contact's where the lead is a contact.
        """
        async with self.api.open() as calls:
            if done := await _made(calls, "Opportunity", key):
                return f"opportunity {done}"
            user = await user_of(calls, owner, self.people)
            record = await _there(calls, lead_number)
            if record.opportunity and await _is_free(calls, record.opportunity):
                await calls.send("PATCH", f"sobjects/Opportunity/{record.opportunity}", {KEY_FIELD: _digest(key), LEAD_FIELD: lead_number})
                return f"opportunity {record.opportunity}"
            made = {
                "Name": (facts.get("company", "") or f"Lead {lead_number}")[:_NAME_MAX],
                "StageName": await _first_stage(calls),
                "CloseDate": end_of_quarter(calls.now.date()).isoformat(),
                "OwnerId": user,
                LEAD_FIELD: lead_number,
            }
            writes = [_keyed("Opportunity", key, {**made, "AccountId": record.account} if record.account else made)]
            if record.kind == "Contact":
                role = {"OpportunityId": Made("made"), "ContactId": record.id, "IsPrimary": True}
                writes.append(Write("role", "POST", "sobjects/OpportunityContactRole", role))
            told = await calls.together(writes)
            return f"opportunity {await _proof(calls, told, 'Opportunity', key)}"

    async def changes_since(self, bookmark: str) -> tuple[Sequence[Change], str]:
        """The changes by people after the bookmark, oldest first, and the new bookmark. The first bookmark is empty."""
        async with self.api.open() as calls:
            spelled = {name.casefold(): name for name in sorted(await asyncio.to_thread(self.fields))}
            return await read_changes(calls, bookmark, key_field=KEY_FIELD, people=self.people, spelled=spelled)

    async def records(self, lead_numbers: Sequence[int], *, fields: Collection[str]) -> Mapping[int, CrmRecord]:
        from storage.crm.salesforce_compared import read_records

        async with self.api.open() as calls:
            there = {name: FIELDS.get(name.casefold(), name) for name in fields}
            return await read_records(calls, lead_numbers, fields=there, people=self.people)

    async def deals(self, ids: Sequence[str]) -> Mapping[str, CrmDeal]:
        from storage.crm.salesforce_compared import read_deals

        async with self.api.open() as calls:
            return await read_deals(calls, ids)

    async def numbered(self) -> AsyncIterator[Sequence[CrmNumber]]:
        from storage.crm.salesforce_compared import read_numbered

        async with self.api.open() as calls:
            async for page in read_numbered(calls):
                yield page

    async def described(self) -> CrmThere:
        from storage.crm.salesforce_described import describe

        async with self.api.open() as calls:
            return await describe(calls, list(dict.fromkeys(one.record for one in OWN_FIELDS)))

    async def create_field(self, wanted: FieldWanted) -> str:
        raise CrmError("an administrator of Salesforce creates it, under Setup, Object Manager, Fields & Relationships", permanent=True)

    async def erase(self, lead_numbers: Sequence[int]) -> int:
        """Delete the tasks and notes that Baton wrote about these leads. Returns how many. The Lead or Contact stays, see `keeps`."""
        async with self.api.open() as calls:
            numbers, found = [str(number) for number in lead_numbers], set[str]()
            for some in chunks(numbers):
                for kind in ("Lead", "Contact"):
                    rows = await calls.rows(f"SELECT Id FROM {kind} WHERE {LEAD_FIELD} IN {listed(some)}", deleted=True)
                    found |= {str(row["Id"]) for row in rows}
            followed = [await _or_gone(calls, number) for number in numbers]
            found |= {record.id for record in followed if record}
            tasks = [row["Id"] for some in chunks(found) for row in await calls.rows(_own_tasks(some))]
            for task in tasks:
                await calls.send("DELETE", f"sobjects/Task/{task}")
            return len(tasks)


def end_of_quarter(day: date) -> date:
    """Return the last day of the day's quarter of the calendar."""
    month = (day.month - 1) // 3 * 3 + 3
    return (date(day.year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


async def _record_of(calls: Calls, number: str, facts: Mapping[str, str], *, again: bool = False) -> Record | None:
    """The lead's record, else the one of the person's address, else None: a Lead is to be made. again: also after a deletion."""
    found = await (_or_gone(calls, number) if again else find(calls, number))
    return found or await of_address(calls, facts.get("email", ""))


async def _or_gone(calls: Calls, number: str) -> Record | None:
    try:
        return await find(calls, number)
    except CrmError as error:
        if "ENTITY_IS_DELETED" not in str(error):
            raise
        return None


async def _there(calls: Calls, number: str) -> Record:
    if record := await find(calls, number):
        return record
    raise CrmError(f"Salesforce: no Lead or Contact has {number} as {LEAD_FIELD}; assign the lead there first", permanent=True)


async def _made(calls: Calls, sobject: str, key: str) -> str:
    """The id of the record that this key made, also if a person has deleted it since; empty for none."""
    found = await calls.rows(f"SELECT Id FROM {sobject} WHERE {KEY_FIELD} = {quoted(_digest(key))} ORDER BY Id", deleted=True)
    return str(found[0]["Id"]) if found else ""


async def _proof(calls: Calls, told: Mapping[str, Any], sobject: str, key: str) -> str:
    """The id of the record just made. An upsert that updated one says it too; where it does not, the key finds it."""
    body = told.get("made")
    return str(body["id"]) if isinstance(body, Mapping) and body.get("id") else await _made(calls, sobject, key)


async def _is_free(calls: Calls, opportunity: str) -> bool:
    found = await calls.rows(f"SELECT Id FROM Opportunity WHERE Id = {quoted(opportunity)} AND {KEY_FIELD} = null")
    return bool(found)


async def _first_stage(calls: Calls) -> str:
    query = "SELECT ApiName FROM OpportunityStage WHERE IsActive = true AND IsClosed = false ORDER BY SortOrder ASC LIMIT 1"
    if found := await calls.rows(query):
        return str(found[0]["ApiName"])
    raise CrmError("Salesforce: no stage of opportunities is active and open; activate one", permanent=True)


def _place(record: Record | None, number: str, facts: Mapping[str, str], more: Mapping[str, Any]) -> Write:
    """The write of the lead's record. An existing one keeps what people wrote there, and gets what is blank."""
    if record is None:
        return Write("record", "PATCH", f"sobjects/Lead/{LEAD_FIELD}/{quote(number, safe='')}", {**new_lead(facts), **more})
    missing = {name: value for name, value in new_lead(facts).items() if name in record.blank}
    return Write("record", "PATCH", record.path, {**missing, LEAD_FIELD: record.number or number, **more})


def _task(record: Record | None, user: str, subject: str, facts: Mapping[str, str]) -> dict[str, Any]:
    text = "\n".join(f"{name}: {value}" for name, value in facts.items() if name not in _NOT_IN_TEXTS)
    who = record.id if record else Made("record")
    return {"WhoId": who, "OwnerId": user, "Subject": subject[:_SUBJECT_MAX], "Description": text[:_TEXT_MAX]}


def _keyed(sobject: str, key: str, body: Mapping[str, Any]) -> Write:
    return Write("made", "PATCH", f"sobjects/{sobject}/{KEY_FIELD}/{_digest(key)}", body)


def _own_tasks(records: Sequence[str]) -> str:
    return f"SELECT Id FROM Task WHERE WhoId IN {listed(records)} AND {KEY_FIELD} != null"


def _digest(key: str) -> str:
    """The key as Salesforce keeps it: external ids there ignore case and do not like every character."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]

"""HubSpot as the CRM. A lead is a contact with its number in `baton_lead`; tasks, notes and deals carry their key in `baton_key`.

The adapter keeps nothing. It reads records by unique properties, which HubSpot answers at once, and not by its search, which lags.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord
from agreements.crm_fit import CrmThere, FieldWanted
from agreements.errors import CrmError
from storage.crm.hubspot_api import Conversation, HubSpotApi, Json, ObjectKind, slices
from storage.crm.hubspot_people import owner_of
from storage.crm.port import PERSON_FACTS, Account, Change

#: The properties that Baton needs beside HubSpot's own.
PROPERTIES = (
    FieldWanted("contacts", "baton_lead", unique=True),
    FieldWanted("contacts", "baton_keys"),
    FieldWanted("tasks", "baton_key", unique=True),
    FieldWanted("notes", "baton_key", unique=True),
    FieldWanted("deals", "baton_key", unique=True),
)
#: HubSpot's properties of a contact for the facts about a person.
_PERSON = dict(zip(PERSON_FACTS, ("email", "firstname", "lastname", "company", "jobtitle", "phone", "country"), strict=True))
#: HubSpot's properties for the words that an agreement may use for every CRM.
FIELDS: Mapping[str, str] = {"owner": "hubspot_owner_id", "status": "hs_lead_status", "lifecycle": "lifecyclestage"}
#: Facts that no text in the CRM has: the person's are in the record, and the code is for the rep alone.
_NOT_IN_TEXTS = {*PERSON_FACTS, "lead_number", "owner", "number"}
#: How many keys a contact remembers. A repeated write comes soon after the first.
_KEYS = 20
_ASKED = ("baton_lead", "baton_keys", *_PERSON.values())
#: The texts of the records that Baton writes for people.
_TEXTS: Mapping[ObjectKind, Sequence[str]] = {"tasks": ("hs_task_subject", "hs_task_body"), "notes": ("hs_note_body",)}
_STATUS = {"customer": "customer", "evangelist": "customer"}


class HubSpotCrm:
    """HubSpot, by the access token of an app that only Baton uses: what this app changes is never read back.

    people: returns the e-mail address of each person of the roster, by id. fields: returns the properties of a contact that the
    agreements name, beside owner, status and lifecycle. Both may block. settle_seconds: how old a
    change is before it is read, so that a late one cannot overtake it.
    """

    name = "HubSpot"
    keeps = "ask its operator to delete the contacts that have this number as baton_lead:"
    files: Sequence[Path] = ()
    lead_record = "contacts"
    own_fields: Sequence[FieldWanted] = PROPERTIES
    field_names: Mapping[str, str] = FIELDS

    def __init__(
        self,
        api: HubSpotApi,
        *,
        people: Callable[[], Mapping[str, str]],
        fields: Callable[[], Collection[str]] = tuple,
        read_by_people: bool = False,
        settle_seconds: float = 20,
    ) -> None:
        self._api, self._people, self._fields, self._settle = api, people, fields, settle_seconds
        self.read_by_people = read_by_people

    async def account(self, *, company: str, domain: str) -> Account | None:
        async with self._api.open() as hub:
            found = await _company(hub, company.strip(), domain.strip().lower())
            if found is None:
                return None
            deals = await _open_deals(hub, found["id"])
            people = await asyncio.to_thread(self._people)
            properties = found["properties"]
            return Account(
                found["id"],
                properties.get("name") or "",
                properties.get("domain") or "",
                _STATUS.get(properties.get("lifecyclestage") or "", "prospect"),
                await _person(hub, people, properties.get("hubspot_owner_id") or ""),
                bool(deals),
                await _person(hub, people, next((deal["properties"].get("hubspot_owner_id") or "" for deal in deals), "")),
            )

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        people = await asyncio.to_thread(self._people)
        async with self._api.open() as hub:
            of = await owner_of(hub, people, owner)
            contact = await contact_of(hub, lead_number, facts)
            contact = await write_contact(hub, contact, key, lead_number, facts, {"hubspot_owner_id": of})
            made = {
                "hs_task_subject": f"New lead: {facts.get('company') or lead_number}",
                "hs_task_body": _text(facts),
                "hs_task_status": "NOT_STARTED",
                "hs_task_type": "TODO",
                "hs_timestamp": _due(facts, hub.now),
                "hubspot_owner_id": of,
            }
            return f"task {await _keyed(hub, 'tasks', key, made, to=contact)}"

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        async with self._api.open() as hub:
            contact = await contact_of(hub, lead_number, facts)
            if contact is None or not contact["properties"].get("baton_lead"):
                contact = await write_contact(hub, contact, key, lead_number, facts, {})
            body = f"<b>{html.escape(subject)}</b><br>{_text(facts)}"
            made = {"hs_note_body": body, "hs_timestamp": _instant(hub.now)}
            return f"note {await _keyed(hub, 'notes', key, made, to=contact)}"

    async def update(self, *, key: str, lead_number: str, values: Mapping[str, str]) -> str:
        people = await asyncio.to_thread(self._people)
        async with self._api.open() as hub:
            contact = await _known(hub, lead_number)
            new = {FIELDS.get(name, name): value for name, value in values.items()}
            if new.get("hubspot_owner_id"):
                new["hubspot_owner_id"] = await owner_of(hub, people, new["hubspot_owner_id"])
            await write_contact(hub, contact, key, lead_number, {}, new)
            return f"change {key}"

    async def create_opportunity(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        people = await asyncio.to_thread(self._people)
        async with self._api.open() as hub:
            of = await owner_of(hub, people, owner)
            contact = await _known(hub, lead_number)
            pipeline, stage = await _first_stage(hub, facts.get("stage", ""))
            made = {
                "dealname": facts.get("company") or contact["properties"].get("company") or f"Lead {lead_number}",
                "pipeline": pipeline,
                "dealstage": stage,
                "hubspot_owner_id": of,
            }
            made |= {name: facts[fact] for fact, name in (("amount", "amount"), ("currency", "deal_currency_code")) if facts.get(fact)}
            return f"opportunity {await _keyed(hub, 'deals', key, made, to=contact)}"

    async def changes_since(self, bookmark: str) -> tuple[Sequence[Change], str]:
        from storage.crm.hubspot_changes import read_changes

        people, fields = await asyncio.to_thread(self._people), await asyncio.to_thread(self._fields)
        watched = tuple(dict.fromkeys([*FIELDS.values(), *(name for name in fields if name not in FIELDS)]))
        async with self._api.open() as hub:
            return await read_changes(hub, bookmark, people=people, watched=watched, settle_seconds=self._settle)

    async def records(self, lead_numbers: Sequence[int], *, fields: Collection[str]) -> Mapping[int, CrmRecord]:
        from storage.crm.hubspot_compared import read_records

        people = await asyncio.to_thread(self._people)
        async with self._api.open() as hub:
            return await read_records(hub, lead_numbers, fields={name: FIELDS.get(name, name) for name in fields}, people=people)

    async def deals(self, ids: Sequence[str]) -> Mapping[str, CrmDeal]:
        from storage.crm.hubspot_compared import read_deals

        async with self._api.open() as hub:
            return await read_deals(hub, ids)

    async def numbered(self) -> AsyncIterator[Sequence[CrmNumber]]:
        from storage.crm.hubspot_compared import read_numbered

        async with self._api.open() as hub:
            async for page in read_numbered(hub):
                yield page

    async def described(self) -> CrmThere:
        from storage.crm.hubspot_described import describe

        async with self._api.open() as hub:
            return await describe(hub, list(dict.fromkeys(one.record for one in PROPERTIES)))

    async def create_field(self, wanted: FieldWanted) -> str:
        from storage.crm.hubspot_described import create

        async with self._api.open() as hub:
            return await create(hub, wanted)

    async def erase(self, lead_numbers: Sequence[int]) -> int:
        changed = 0
        async with self._api.open() as hub:
            for number in lead_numbers:
                contact = await _by(hub, "baton_lead", str(number))
                for kind, texts in _TEXTS.items() if contact else ():
                    changed += await _delete_own(hub, contact, kind, texts)
        return changed


async def _by(hub: Conversation, unique: str, value: str, *, kind: ObjectKind = "contacts") -> Json | None:
    """The record with this unique value. HubSpot answers this from its database, without a lag."""
    if unique == "email":  # asked one by one, HubSpot also knows a contact by its second address
        return await hub.get(f"/crm/v3/objects/{kind}/{quote(value, safe='')}", idProperty=unique, properties=",".join(_ASKED))
    asked = _ASKED if kind == "contacts" else ("baton_key",)
    body: Json = {"idProperty": unique, "inputs": [{"id": value}], "properties": list(asked), "propertiesWithHistory": []}
    found: list[Json] = (await hub.change("POST", f"/crm/v3/objects/{kind}/batch/read", body)).get("results", [])
    return found[0] if found else None


async def _known(hub: Conversation, lead_number: str) -> Json:
    contact = await _by(hub, "baton_lead", lead_number)
    if contact is None:
        raise CrmError(f"HubSpot has no contact of lead {lead_number} yet: its assignment makes one, or somebody deleted it")
    return contact


async def contact_of(hub: Conversation, lead_number: str, facts: Mapping[str, str]) -> Json | None:
    """The lead's contact, or the one of the person's address, which Baton then adopts; None where neither is there."""
    contact = await _by(hub, "baton_lead", lead_number)
    if contact is None and facts.get("email"):
        contact = await _by(hub, "email", facts["email"])
    return contact


async def write_contact(
    hub: Conversation, contact: Json | None, key: str, lead_number: str, facts: Mapping[str, str], new: Mapping[str, str]
) -> Json:
    """Set these properties once for this key, with the person's facts where the contact has none. Returns the contact."""
    have = contact["properties"] if contact else {}
    keys, mark = (have.get("baton_keys") or "").split(), _mark(key)
    if mark in keys and contact:
        return contact
    person = {name: facts[fact] for fact, name in _PERSON.items() if facts.get(fact) and not have.get(name)}
    values = {**person, **new, "baton_keys": " ".join([*keys, mark][-_KEYS:])}
    if contact is None:
        made = {"id": lead_number, "idProperty": "baton_lead", "properties": {**values, "baton_lead": lead_number}}
        return _only(await hub.change("POST", "/crm/v3/objects/contacts/batch/upsert", {"inputs": [made]}))
    if not have.get("baton_lead"):  # a contact that was there before; the number of another lead of the same person stays
        values["baton_lead"] = lead_number
    return await hub.change("PATCH", f"/crm/v3/objects/contacts/{contact['id']}", {"properties": values})


async def _keyed(hub: Conversation, kind: ObjectKind, key: str, values: Mapping[str, str], *, to: Json) -> str:
    """Make this record unless there is one with the key, and tie it to the contact. Returns its id."""
    found = await _by(hub, "baton_key", key, kind=kind)
    if found is None:
        made = {"id": key, "idProperty": "baton_key", "properties": {**values, "baton_key": key}}
        found = _only(await hub.change("POST", f"/crm/v3/objects/{kind}/batch/upsert", {"inputs": [made]}))
    ident = str(found["id"])
    # Also for a record that was there: an earlier attempt may have ended between the two. To tie again changes nothing.
    await hub.change("PUT", f"/crm/v4/objects/{kind}/{ident}/associations/default/contacts/{to['id']}")
    return ident


def _only(batch: Json) -> Json:
    results: list[Json] = batch.get("results") or []
    if len(results) != 1:
        raise CrmError("HubSpot did not say what became of a record; Baton looks again")
    return results[0]


async def _delete_own(hub: Conversation, contact: Json | None, kind: ObjectKind, texts: Sequence[str]) -> int:
    """Blank and delete Baton's records of this kind at the contact. HubSpot keeps deleted records for a while, so blank comes first."""
    assert contact is not None, "asked only for a contact that was found"
    tied = hub.pages(f"/crm/v4/objects/contacts/{contact['id']}/associations/{kind}", limit="500")
    ids = [str(one["toObjectId"]) async for one in tied]
    own: list[str] = []
    for some in slices(ids, 100):
        asked: Json = {"inputs": [{"id": one} for one in some], "properties": ["baton_key"], "propertiesWithHistory": []}
        found = await hub.change("POST", f"/crm/v3/objects/{kind}/batch/read", asked)
        own += [str(one["id"]) for one in found["results"] if one["properties"].get("baton_key")]
    for some in slices(own, 100):
        blank = [{"id": one, "properties": dict.fromkeys(texts, "")} for one in some]
        await hub.change("POST", f"/crm/v3/objects/{kind}/batch/update", {"inputs": blank})
        await hub.change("POST", f"/crm/v3/objects/{kind}/batch/archive", {"inputs": [{"id": one} for one in some]})
    return len(own)


async def _company(hub: Conversation, company: str, domain: str) -> Json | None:
    """The company with this domain, or else with this name: the oldest, if there are several."""
    asked = ["name", "domain", "lifecyclestage", "hubspot_owner_id"]
    for name, value in (("domain", domain), ("hs_additional_domains", domain), ("name", company)):
        operator = "CONTAINS_TOKEN" if name == "hs_additional_domains" else "EQ"
        if value and (found := await search(hub, "companies", [(name, operator, value)], asked, sort="createdate", limit=1)):
            return found[0]
    return None


async def _open_deals(hub: Conversation, company: str) -> list[Json]:
    """The company's open deals, the newest last."""
    filters = [("associations.company", "EQ", company), ("hs_is_closed", "EQ", "false")]
    return (await search(hub, "deals", filters, ["hubspot_owner_id"], sort="createdate", limit=100))[::-1]


async def search(
    hub: Conversation,
    kind: ObjectKind,
    filters: Sequence[tuple[str, str, str]],
    asked: Sequence[str],
    *,
    sort: str,
    limit: int,
    after: str = "0",
) -> list[Json]:
    """One page of HubSpot's search, oldest first by the property `sort`."""
    listed = [{"propertyName": name, "operator": operator, "value": value} for name, operator, value in filters]
    body: dict[str, Any] = {
        "filterGroups": [{"filters": listed}],
        "sorts": [sort],
        "properties": list(asked),
        "limit": limit,
        "after": after,
    }
    found: list[Json] = (await hub.change("POST", f"/crm/v3/objects/{kind}/search", body)).get("results", [])
    return found


async def _first_stage(hub: Conversation, wanted: str) -> tuple[str, str]:
    """The pipeline and stage of a new deal: the stage of that name or id, else the first one of the first pipeline."""
    found = await hub.get("/crm/v3/pipelines/deals")
    pipelines = sorted((found or {}).get("results", ()), key=lambda one: int(one.get("displayOrder", 0)))
    for pipeline in pipelines:
        for stage in sorted(pipeline["stages"], key=lambda one: int(one.get("displayOrder", 0))):
            if not wanted or wanted.casefold() in (str(stage["id"]).casefold(), str(stage["label"]).casefold()):
                return str(pipeline["id"]), str(stage["id"])
    if not wanted:
        raise CrmError("HubSpot has no pipeline of deals: make one with a first stage", permanent=True)
    raise CrmError(f"HubSpot has no stage {wanted} of deals: make it, or correct the agreement", permanent=True)


async def _person(hub: Conversation, people: Mapping[str, str], owner: str) -> str:
    """The person who is this owner; HubSpot's own name for somebody who is not in the roster; empty for nobody."""
    if not owner:
        return ""
    found = await hub.get(f"/crm/v3/owners/{owner}", idProperty="id", archived="false") or {}
    address = str(found.get("email") or "").casefold()
    return next((person for person, known in people.items() if known.casefold() == address), f"HubSpot owner {owner}")


def _mark(key: str) -> str:
    """A short mark of a key, without a space."""
    return urlsafe_b64encode(hashlib.sha256(key.encode()).digest()[:9]).decode()


def _text(facts: Mapping[str, str]) -> str:
    """The facts as HubSpot shows texts, in HTML: whatever a lead wrote stays text."""
    lines = (f"{name.replace('_', ' ')}: {value}" for name, value in facts.items() if name not in _NOT_IN_TEXTS)
    return "<br>".join(html.escape(line) for line in lines)


def _due(facts: Mapping[str, str], now: datetime) -> str:
    """When the task is due, as HubSpot writes instants."""
    try:
        due = datetime.fromisoformat(facts.get("due", ""))
    except ValueError:
        return _instant(now)
    return _instant(due if due.tzinfo else now)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Read what people changed in HubSpot: contacts, engagements and deals by its search, deleted contacts by their list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from storage.crm.hubspot_api import Conversation, Json, ObjectKind, next_page, slices
from storage.crm.hubspot_bookmark import DELETED_EVERY_MS, Found, Reached, deleted_to_give, read_bookmark, to_give, write_bookmark
from storage.crm.hubspot_history import (
    DEAL,
    ENGAGED,
    OUTCOMES,
    at_of,
    contact_changes,
    deal_changes,
    entries_of,
    ms_of,
    number_of,
    own_sources,
    stages_of,
    touches,
)
from storage.crm.hubspot_people import Owners, read_owners
from storage.crm.port import Change

#: Records on a page of the search, and the most that HubSpot gives page by page for one question.
PAGE, MOST_PAGED = 100, 10_000
#: Records in one request with their history, and without it.
WITH_HISTORY, WITHOUT = 50, 100
_OF_CONTACTS = ("baton_lead", "baton_keys", "hs_merged_object_ids")
_MODIFIED: Mapping[ObjectKind, str] = {"contacts": "lastmodifieddate"}


async def read_changes(
    hub: Conversation, bookmark: str, *, people: Mapping[str, str], watched: Sequence[str], settle_seconds: float
) -> tuple[Sequence[Change], str]:
    """Return the changes after the bookmark, oldest first, and the new bookmark. Raises CrmError, and then nothing was read.

    watched: the properties of contacts that people change. settle_seconds: younger changes wait for the next reading.
    """
    reached = read_bookmark(bookmark)
    if reached.deleted:
        return await _deleted(hub, reached)
    contacts = [one async for one in _changed(hub, "contacts", reached.start, (*_OF_CONTACTS, *watched), only="baton_lead")]
    now = ms_of(hub.now.isoformat())
    if not contacts and not reached.since:
        return (), bookmark  # Baton has no lead there yet, so nothing else can be about one
    owners = await read_owners(hub, people)
    own = {source for one in contacts for source in own_sources(one, ("baton_lead", "baton_keys"))}
    found = [change for one in contacts for change in contact_changes(one, watched=watched, own=own, owners=owners)]
    start = reached.start or min((entry.at_ms for one in contacts for entry in entries_of(one, ("baton_lead",))), default=0)
    leads = {str(one["id"]): number for one in contacts if (number := number_of(one)) is not None}
    found += [one async for one in _engagements(hub, start, leads, owners)]
    found += [one async for one in _deals(hub, start, leads, own, owners)]
    until = now - int(timedelta(seconds=settle_seconds) / timedelta(milliseconds=1))
    changes, further = to_give(reached, found, until_ms=until)
    if now - reached.looked >= DELETED_EVERY_MS:
        further = replace(further, deleted=True)
    return changes, bookmark if further == reached else write_bookmark(further)


async def _deleted(hub: Conversation, reached: Reached) -> tuple[Sequence[Change], str]:
    """The contacts of leads that were deleted since the last look, oldest first."""
    found: list[Found] = []
    began, after = 0, ""
    while True:
        query = {"archived": "true", "limit": "100", "properties": "baton_lead", **({"after": after} if after else {})}
        page = await hub.get("/crm/v3/objects/contacts", **query) or {}
        began = began or ms_of(hub.now.isoformat())
        for one in page.get("results", ()):
            number, at_ms = number_of(one), ms_of(one.get("archivedAt") or one.get("updatedAt"))
            if number is not None:
                found.append(Found(at_ms, Change(0, number, "HubSpot", at_of(at_ms), {}, "gone", f"gone:{one['id']}:{at_ms}")))
        after = next_page(page) or ""
        if not after:
            changes, further = deleted_to_give(reached, found, looked_ms=began)
            return changes, write_bookmark(further)


async def _changed(
    hub: Conversation, kind: ObjectKind, start: int, history: Sequence[str], *, only: str = "", asked: Sequence[str] = ()
) -> AsyncIterator[Json]:
    """Yield the records of this kind that changed since then, once each and with the history of these properties."""
    ids = [ident async for ident in _changed_ids(hub, kind, start, only)]
    for some in slices(ids, WITH_HISTORY):
        for one in await _read(hub, kind, some, [*asked, *history], history):
            yield one


async def _changed_ids(hub: Conversation, kind: ObjectKind, start: int, only: str) -> AsyncIterator[str]:
    """Yield the id of each record that changed since then. A search ends after `MOST_PAGED`, so the next one starts where it ended."""
    modified, seen = _MODIFIED.get(kind, "hs_lastmodifieddate"), set[str]()
    needs = [{"propertyName": only, "operator": "HAS_PROPERTY"}] if only else []
    while True:
        first, last = start, start
        after: str | None = "0"
        while after is not None:
            filters = [*needs, {"propertyName": modified, "operator": "GTE", "value": str(start)}]
            question: Json = {
                "filterGroups": [{"filters": filters}],
                "sorts": [modified],
                "properties": [modified],
                "limit": PAGE,
                "after": after,
            }
            page = await hub.change("POST", f"/crm/v3/objects/{kind}/search", question)
            for one in page.get("results", ()):
                last = max(last, ms_of(one["properties"].get(modified)))
                if str(one["id"]) not in seen:
                    seen.add(str(one["id"]))
                    yield str(one["id"])
            after = next_page(page)
            if after is not None and int(after) + PAGE > MOST_PAGED:
                break
        if after is None:
            return
        start = last if last > first else last + 1  # so many in one millisecond: go on behind it, or the search would never end


async def _read(hub: Conversation, kind: ObjectKind, ids: Sequence[str], asked: Sequence[str], history: Sequence[str]) -> list[Json]:
    """These records as they are now; those that were deleted meanwhile are left out."""
    body: Json = {
        "inputs": [{"id": one} for one in ids],
        "properties": list(dict.fromkeys(asked)),
        "propertiesWithHistory": list(history),
    }
    found: list[Json] = (await hub.change("POST", f"/crm/v3/objects/{kind}/batch/read", body)).get("results", [])
    return found


async def _engagements(hub: Conversation, start: int, leads: dict[str, int], owners: Owners) -> AsyncIterator[Found]:
    """Yield the touches in calls, e-mails and meetings with leads that were logged or changed since then."""
    for kind, (outcome, _) in OUTCOMES.items():
        records = [one async for one in _changed(hub, kind, start, (outcome,), asked=ENGAGED)]
        numbers = await _leads_of(hub, kind, records, leads)
        for one in records:
            for touch in touches(one, kind, numbers=numbers.get(str(one["id"]), ()), owners=owners):
                yield touch


async def _deals(hub: Conversation, start: int, leads: dict[str, int], own: set[tuple[str, str]], owners: Owners) -> AsyncIterator[Found]:
    """Yield how deals of leads stood after each change since then."""
    records = [one async for one in _changed(hub, "deals", start, (*DEAL, "baton_key"))]
    numbers = await _leads_of(hub, "deals", records, leads)
    records = [one for one in records if numbers.get(str(one["id"]))]
    stages = stages_of(await hub.get("/crm/v3/pipelines/deals")) if records else {}
    for one in records:
        ours = own | own_sources(one, ("baton_key",))
        for change in deal_changes(one, numbers=numbers[str(one["id"])], stages=stages, own=ours, owners=owners):
            yield change


async def _leads_of(hub: Conversation, kind: ObjectKind, records: Iterable[Json], leads: dict[str, int]) -> dict[str, list[int]]:
    """The numbers of the leads to whom each record is tied, by the record's id. leads: known ones by contact, added to."""
    tied: dict[str, list[str]] = {}
    for some in slices([str(one["id"]) for one in records], WITHOUT):
        asked: Json = {"inputs": [{"id": one} for one in some]}
        for row in (await hub.change("POST", f"/crm/v4/associations/{kind}/contacts/batch/read", asked)).get("results", ()):
            tied[str(row["from"]["id"])] = [str(one["toObjectId"]) for one in row["to"]]
    unknown = sorted({contact for contacts in tied.values() for contact in contacts} - leads.keys())
    for some in slices(unknown, WITHOUT):
        for one in await _read(hub, "contacts", some, ("baton_lead",), ()):
            if (number := number_of(one)) is not None:
                leads[str(one["id"])] = number
    return {ident: sorted({leads[one] for one in contacts if one in leads}) for ident, contacts in tied.items()}

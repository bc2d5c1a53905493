"""Read the past of leads in HubSpot: contacts by their ids, then the engagements and deals of each page of contacts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from agreements.errors import CrmError
from storage.crm.asked_again import asked_again
from storage.crm.hubspot import FIELDS
from storage.crm.hubspot_api import Conversation, HubSpotApi, Json, ObjectKind, next_page, slices
from storage.crm.hubspot_history import ENGAGED, OUTCOMES, Stage, ms_of, stages_of
from storage.crm.hubspot_past_records import DEAL_FIELDS, OWNER, deal_of, lead_of, touch_of
from storage.crm.past import Asked, PastDeal, PastLead, PastTouch

#: The only requests that this client sends.
READS = (
    ("GET", "/crm/v3/pipelines/deals"),
    ("GET", "/crm/v3/properties/contacts"),
    ("POST", "/crm/v3/objects/contacts/search"),
    ("POST", "/crm/v3/objects/(contacts|calls|emails|meetings|deals)/batch/read"),
    ("POST", "/crm/v4/associations/contacts/(calls|emails|meetings|deals)/batch/read"),
)
#: Contacts on a page of the search, and records in one request with their history and without it.
PAGE, WITH_HISTORY, WITHOUT = 100, 50, 100
#: HubSpot's property for where a contact came from.
SOURCE = "hs_analytics_source"
#: HubSpot's property for when a record was made.
CREATED = "createdate"


class HubSpotPast:
    """The past of leads in a HubSpot account. api: a client with READS as its check. pause: waits that many seconds."""

    name = "HubSpot"

    def __init__(self, api: HubSpotApi, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._api, self._pause = api, pause

    async def without_history(self, asked: Asked) -> Sequence[str]:
        """Return nothing: HubSpot keeps the history of each property."""
        return ()

    async def pages(self, asked: Asked) -> AsyncIterator[Sequence[PastLead]]:
        """Yield the leads page by page, in the order of their ids.

        A search ends after 10,000 results. So each page is a search of its own, for the ids after the last one.
        """
        async with self._api.open() as hub:
            reader = _Reader(hub, self._pause, asked)
            await reader.refuse_unknown_properties()
            stages = stages_of(await reader.get("/crm/v3/pipelines/deals"))
            last = "0"
            while ids := await reader.ids_after(last):
                yield await reader.leads(ids, stages)
                last = ids[-1]


class _Reader:
    """Asks HubSpot, again where that may help."""

    def __init__(self, hub: Conversation, pause: Callable[[float], Awaitable[None]], asked: Asked) -> None:
        self.hub, self.pause, self.asked = hub, pause, asked
        self.names = {name: FIELDS.get(name, name) for name in asked.fields}
        self.source, self.created = asked.source or SOURCE, asked.created or CREATED
        self.given: set[str] = set()

    async def get(self, path: str) -> Json:
        """Return the answer, empty for what HubSpot does not have."""
        return await asked_again(lambda: self.hub.get(path), pause=self.pause) or {}

    async def ask(self, path: str, body: Json) -> Json:
        """Return the answer to a question that has a body."""
        return await asked_again(lambda: self.hub.change("POST", path, body), pause=self.pause)

    async def refuse_unknown_properties(self) -> None:
        """Raise CrmError for a property that HubSpot does not have: it would answer as if the property were empty."""
        there = {str(one["name"]) for one in (await self.get("/crm/v3/properties/contacts")).get("results", ())}
        if missing := sorted({self.source, self.created, *self.names.values()} - there):
            said = f"HubSpot's contacts have no property {', '.join(missing)}: correct the agreement or the map"
            raise CrmError(said, permanent=True)

    async def ids_after(self, last: str) -> list[str]:
        """Return the ids of the next contacts."""
        since, until = (str(ms_of(at.isoformat())) for at in (self.asked.since, self.asked.until))
        filters = [
            {"propertyName": "hs_object_id", "operator": "GT", "value": last},
            {"propertyName": self.created, "operator": "GTE", "value": since},
            {"propertyName": self.created, "operator": "LT", "value": until},
        ]
        question: Json = {"filterGroups": [{"filters": filters}], "sorts": ["hs_object_id"], "properties": ["hs_object_id"]}
        page = await self.ask("/crm/v3/objects/contacts/search", {**question, "limit": PAGE, "after": "0"})
        return [str(one["id"]) for one in page.get("results", ())]

    async def leads(self, ids: Sequence[str], stages: Mapping[str, Stage]) -> list[PastLead]:
        """Return these contacts with all that became of them."""
        touches, deals = await self._touches(ids), await self._deals(ids, stages)
        history = [OWNER, *self.names.values()]
        records = await self._records("contacts", ids, [self.source, self.created, *history], history)
        made = [lead_of(one, self.names, source=self.source, created=self.created) for one in records]
        return [replace(one, touches=touches.get(one.id, ()), deals=deals.get(one.id, ())) for one in made]

    async def _touches(self, contacts: Sequence[str]) -> dict[str, list[PastTouch]]:
        found: dict[str, list[PastTouch]] = {}
        for kind in OUTCOMES:
            tied = await self._tied(kind, contacts)
            records = await self._records(kind, _distinct(tied), ENGAGED, ())
            known = {str(one["id"]): touch for one in records if (touch := touch_of(one, kind, now=self.hub.now))}
            for contact, ids in tied.items():
                found.setdefault(contact, []).extend(known[one] for one in ids if one in known)
        return found

    async def _deals(self, contacts: Sequence[str], stages: Mapping[str, Stage]) -> dict[str, list[PastDeal]]:
        """Return the deals of each contact. A deal with several contacts belongs to the first one, or its amount would count twice."""
        tied = await self._tied("deals", contacts)
        records = await self._records("deals", _distinct(tied), DEAL_FIELDS, ())
        known = {str(one["id"]): deal_of(one, stages) for one in records if str(one["id"]) not in self.given}
        self.given |= known.keys()
        return {contact: [known.pop(one) for one in tied.get(contact, ()) if one in known] for contact in contacts}

    async def _tied(self, kind: ObjectKind, contacts: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the records of this kind that are tied to each contact."""
        found: dict[str, list[str]] = {}
        for some in slices(contacts, WITHOUT):
            open_ones: list[Json] = [{"id": one} for one in some]
            while open_ones:
                answer = await self.ask(f"/crm/v4/associations/contacts/{kind}/batch/read", {"inputs": open_ones})
                open_ones = []
                for row in answer.get("results", ()):
                    contact = str(row["from"]["id"])
                    found.setdefault(contact, []).extend(str(one["toObjectId"]) for one in row["to"])
                    if after := next_page(row):
                        open_ones.append({"id": contact, "after": after})
        return found

    async def _records(self, kind: ObjectKind, ids: Iterable[str], asked: Sequence[str], history: Sequence[str]) -> list[Json]:
        """Return these records; those that were deleted meanwhile are left out."""
        found: list[Json] = []
        for some in slices(list(ids), WITH_HISTORY if history else WITHOUT):
            body: Json = {"inputs": [{"id": one} for one in some]}
            body |= {"properties": list(dict.fromkeys(asked)), "propertiesWithHistory": list(dict.fromkeys(history))}
            found += (await self.ask(f"/crm/v3/objects/{kind}/batch/read", body)).get("results", [])
        return found


def _distinct(tied: Mapping[str, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(one for ids in tied.values() for one in ids))

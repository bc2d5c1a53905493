"""What HubSpot has of leads and opportunities now, read in batches, to be compared with what Baton has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord
from agreements.words import OpportunityState
from storage.crm.hubspot_api import Conversation, Json, ObjectKind, slices
from storage.crm.hubspot_history import ms_of, number_of, stages_of
from storage.crm.hubspot_people import read_owners
from storage.crm.port import PAGE_OF_NUMBERS

#: The most records that HubSpot gives in one batch.
AT_ONCE = 100
#: The ids of the records that were merged into this one: asked for by one of them, HubSpot gives this one.
_MERGED = "hs_merged_object_ids"


async def read_records(
    hub: Conversation, numbers: Sequence[int], *, fields: Mapping[str, str], people: Mapping[str, str]
) -> dict[int, CrmRecord]:
    """Return the contacts of these leads. HubSpot leaves out deleted ones, and those that were merged into another contact.

    fields: HubSpot's names by those of the agreement. A batch is read from HubSpot's database, which does not lag like its search.
    """
    owners = await read_owners(hub, people) if numbers else None
    asked = ["baton_lead", "hubspot_owner_id", *fields.values()]
    found: dict[int, CrmRecord] = {}
    for some in slices([str(one) for one in numbers], AT_ONCE):
        for one in await _batch(hub, "contacts", some, asked, unique="baton_lead"):
            number, has = number_of(one), one["properties"]
            if number is not None and owners is not None:
                values = {name: str(has.get(there) or "") for name, there in fields.items()}
                owner = owners.owner(str(has.get("hubspot_owner_id") or ""))
                found[number] = CrmRecord(f"contact {one['id']}", owner, values, quiet_for=_quiet(hub, one))
    return found


async def read_deals(hub: Conversation, ids: Sequence[str]) -> dict[str, CrmDeal]:
    """Return these deals, without those that were deleted. A stage that HubSpot does not describe is open."""
    stages = stages_of(await hub.get("/crm/v3/pipelines/deals")) if ids else {}
    found: dict[str, CrmDeal] = {}
    for some in slices(list(ids), AT_ONCE):
        for one in await _batch(hub, "deals", some, ["dealstage", _MERGED]):
            stage = stages.get(str(one["properties"].get("dealstage") or ""))
            deal = CrmDeal(OpportunityState(stage.ends) if stage else OpportunityState.OPEN, _quiet(hub, one))
            merged = str(one["properties"].get(_MERGED) or "")
            found |= dict.fromkeys([str(one["id"]), *filter(None, merged.split(";"))], deal)
    return found


async def read_numbered(hub: Conversation) -> AsyncIterator[list[CrmNumber]]:
    """Yield every contact with a number, in the order of HubSpot's ids.

    Each search begins behind the last one, since one search ends after 10,000 contacts.
    A contact that got its number within the last seconds may be missing: the search lags.
    """
    after = 0
    while True:
        filters = [
            {"propertyName": "baton_lead", "operator": "HAS_PROPERTY"},
            {"propertyName": "hs_object_id", "operator": "GT", "value": str(after)},
        ]
        question: Json = {
            "filterGroups": [{"filters": filters}],
            "sorts": ["hs_object_id"],
            "properties": ["baton_lead"],
            "limit": PAGE_OF_NUMBERS,
            "after": "0",
        }
        page = (await hub.change("POST", "/crm/v3/objects/contacts/search", question)).get("results", [])
        if not page:
            return
        yield [CrmNumber(number, f"contact {one['id']}") for one in page if (number := number_of(one)) is not None]
        after = max(int(one["id"]) for one in page)


async def _batch(hub: Conversation, kind: ObjectKind, ids: Sequence[str], asked: Sequence[str], *, unique: str = "") -> list[Json]:
    body: Json = {"inputs": [{"id": one} for one in ids], "properties": list(dict.fromkeys(asked)), "propertiesWithHistory": []}
    found: list[Json] = (
        await hub.change("POST", f"/crm/v3/objects/{kind}/batch/read", {**body, "idProperty": unique} if unique else body)
    ).get("results", [])
    return found


def _quiet(hub: Conversation, record: Json) -> timedelta:
    return timedelta(milliseconds=max(0, ms_of(hub.now.isoformat()) - ms_of(record.get("updatedAt"))))

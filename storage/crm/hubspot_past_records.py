"""What HubSpot's records say about the past of a lead. Pure functions over the JSON of HubSpot's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from agreements.words import OpportunityState
from storage.crm.hubspot_api import EngagementKind, Json
from storage.crm.hubspot_history import AT_ONCE_MS, Entry, Stage, at_of, day_of, entries_of, is_touch, ms_of
from storage.crm.past import PastChange, PastDeal, PastLead, PastTouch, TouchKind

OWNER = "hubspot_owner_id"
DEAL_FIELDS = ("createdate", "dealstage", "amount", "deal_currency_code", "closedate", "closed_lost_reason")
_KINDS: Mapping[EngagementKind, TouchKind] = {"calls": "call", "emails": "email", "meetings": "meeting"}
#: HubSpot tells its time in whole seconds, and that of a record in thousandths.
_SECOND = timedelta(seconds=1)
_WHO = (OWNER, "hs_created_by_user_id")


def lead_of(record: Json, names: Mapping[str, str], *, source: str, created: str) -> PastLead:
    """Return what a contact says of itself. names: HubSpot's property for each field. source, created: the properties of these."""
    known = record["properties"]
    began_ms, created_ms = ms_of(known.get(created)), ms_of(record.get("createdAt"))
    owned = (one.at_ms for one in _by_people(record, OWNER) if one.value)
    return PastLead(
        id=str(record["id"]),
        created=at_of(began_ms) if began_ms else None,
        source=str(known.get(source) or ""),
        owner=str(known.get(OWNER) or ""),
        values={name: str(known.get(one) or "") for name, one in names.items()},
        owned_since=_since(min(owned, default=0), created_ms),
        changes=tuple(_changes(record, names, created_ms)),
    )


def _since(owned_ms: int, created_ms: int) -> datetime | None:
    """HubSpot writes the first owner of a record some moments after the record."""
    if not owned_ms:
        return None
    return at_of(created_ms if owned_ms <= created_ms + AT_ONCE_MS else owned_ms)


def _changes(record: Json, names: Mapping[str, str], created_ms: int) -> Iterator[PastChange]:
    together: dict[int, dict[str, str]] = {}
    for name, one in names.items():
        for entry in _by_people(record, one):
            if entry.at_ms > created_ms + AT_ONCE_MS:
                together.setdefault(entry.at_ms, {})[name] = entry.value
    yield from (PastChange(at_of(at_ms), values) for at_ms, values in sorted(together.items()))


def _by_people(record: Json, name: str) -> Iterator[Entry]:
    """Yield the values that a property got, except those that it got when another contact was merged into this one."""
    return (one for one in entries_of(record, (name,)) if not one.source[0].startswith("MERGE"))


def touch_of(record: Json, kind: EngagementKind, *, now: datetime) -> PastTouch | None:
    """Return the touch that an engagement is; None for a message from the lead, and for what was canceled or is still to come."""
    known = record["properties"]
    at = at_of(ms_of(known.get("hs_timestamp")) or ms_of(known.get("hs_createdate") or record.get("createdAt")))
    if not is_touch(known) or at >= now + _SECOND:
        return None
    return PastTouch(at, _KINDS[kind], automatic=not any(known.get(name) for name in _WHO))


def deal_of(record: Json, stages: Mapping[str, Stage]) -> PastDeal:
    """Return how a deal is now."""
    known = record["properties"]
    stage = stages.get(known.get("dealstage") or "", Stage("", "open"))
    return PastDeal(
        opened_at=at_of(ms_of(known.get("createdate") or record.get("createdAt"))),
        state=OpportunityState(stage.ends),
        closed_on=day_of(str(known.get("closedate") or "")) if stage.ends != "open" else "",
        amount=str(known.get("amount") or ""),
        currency=str(known.get("deal_currency_code") or ""),
        reason=str(known.get("closed_lost_reason") or "") if stage.ends == "lost" else "",
    )

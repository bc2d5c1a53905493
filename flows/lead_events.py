"""Events about a lead for automations in Prefect, without personal data. docs/prefect-ui.md lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from prefect.client.schemas.objects import FlowRun
from prefect.events.schemas.events import Event as PrefectEvent

from agreements.words import EventKind
from storage.tables import Event, Handoff

#: The events of the trail that are told, and their names in Prefect.
NAMES: Mapping[EventKind, str] = {
    "qualified": "baton.lead.qualified",
    "routed": "baton.lead.qualified",
    "assigned": "baton.lead.assigned",
    "taken": "baton.lead.assigned",
    "taken-at-work": "baton.lead.assigned",
    "accepted": "baton.lead.accepted",
    "missed": "baton.lead.missed",
    "reassigned": "baton.lead.reassigned",
    "decision-asked": "baton.lead.decision-asked",
    "opportunity": "baton.lead.opportunity",
    "recycled": "baton.lead.nurtured",
    "disqualified": "baton.lead.disqualified",
    "got-stuck": "baton.lead.stuck",
}
#: What an event may say besides, each a code of the agreement or an id of the roster.
CODES = ("clock", "rep", "was_rep", "reason", "track")
#: The tags of the run that an automation may filter by.
_TAGS = ("team:", "manager:", "agreement:")


@dataclass(frozen=True, slots=True)
class LeadEvent:
    """An event as Prefect gets it. id: the same in each repetition. at: when it was recorded, real time, aware."""

    id: UUID
    name: str
    at: datetime
    lead_id: int
    says: Mapping[str, str]
    tags: tuple[str, ...] = ()


def event_of(event: Event, handoff: Handoff, tags: Sequence[str]) -> LeadEvent | None:
    """Return what Prefect gets of this line of the trail, None for a line that is not told. tags: of the run."""
    name = NAMES.get(event.kind)
    if name is None:
        return None
    codes = {code: str(event.data[code]) for code in CODES if event.data.get(code)}
    says = {"stage": str(event.stage), "agreement": f"{handoff.agreement}@{handoff.version}", "at": event.at.isoformat(), **codes}
    ident = uuid5(NAMESPACE_URL, f"baton:{event.id}:{event.recorded_at.isoformat()}")
    return LeadEvent(ident, name, event.recorded_at, handoff.lead_id, says, tuple(tag for tag in tags if tag.startswith(_TAGS)))


def for_prefect(one: LeadEvent, run: FlowRun) -> PrefectEvent:
    """Return the event in Prefect's form, with the run and its tags beside it."""
    return PrefectEvent(
        id=one.id,
        event=one.name,
        occurred=one.at,
        resource={
            "prefect.resource.id": f"baton.lead.{one.lead_id}",
            "prefect.resource.name": f"lead {one.lead_id}",
            **{f"baton.{name}": value for name, value in one.says.items()},
        },
        related=[
            _related("flow-run", f"flow-run.{run.id}", run.name),
            *(_related("tag", f"tag.{tag}") for tag in one.tags),
        ],
        payload={"lead": one.lead_id, **one.says},
    )


def _related(plays: str, ident: str, name: str = "") -> dict[str, str]:
    named = {"prefect.resource.name": name} if name else {}
    return {"prefect.resource.role": plays, "prefect.resource.id": f"prefect.{ident}", **named}

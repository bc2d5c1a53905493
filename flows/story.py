"""What the run of a lead tells in Prefect: one line for each event, without personal data, and events for automations."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from agreements.roster import Roster
from agreements.words import EventKind
from flows.lead_events import LeadEvent, event_of
from flows.timeline import timeline_of
from storage import handoffs, roster
from storage.tables import Event, Handoff
from tasks.messages import lead_view

#: One attempt tells at most this many events. The next attempt tells the rest, the last attempt all.
AT_ONCE = 300
SOMEBODY = "somebody"
#: How loud a line is, where it is more than information.
LEVELS: Mapping[EventKind, int] = {
    "missed": logging.WARNING,
    "bounced": logging.WARNING,
    "unproven": logging.WARNING,
    "complained": logging.WARNING,
    "attempt-failed": logging.WARNING,
    "run-cancelled": logging.WARNING,
    "got-stuck": logging.ERROR,
}
#: Lines for the engineer, which no timeline shows but the log of a run does.
_FOR_ENGINEERS: Mapping[EventKind, str] = {
    "attempt-failed": "An attempt failed: {error}",
    "run-cancelled": "Somebody cancelled the run in Prefect",
}
_ADDRESS = re.compile(r"\S+@\S+")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a run's log. at: when the event was recorded, real time, aware. level: as in logging."""

    at: datetime
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """What is new since the last telling. until: the number of the newest event that was looked at.

    timeline: the whole story in Markdown where the lead is at its end, empty before.
    """

    lines: tuple[Line, ...] = ()
    events: tuple[LeadEvent, ...] = ()
    until: int = 0
    timeline: str = ""


def story_of(session: Session, handoff: Handoff, *, told: int, anew: bool = False, ended: bool = False, tags: Sequence[str] = ()) -> Story:
    """Return what happened to this handoff after the event with the number `told`, oldest first.

    anew: the run is new, so its log begins with the whole story. Events are told once all the same. ended: the lead is at its end,
    so the story has a timeline. tags: of the run.
    """
    query = select(Event).where(col(Event.handoff_id) == handoff.id, col(Event.id) > (0 if anew or ended else told))
    rows = session.exec(query.order_by(col(Event.id)).limit(None if ended else AT_ONCE)).all()
    if not rows or (rows[-1].id <= told and not anew):
        return Story()
    people, zone = roster.current(session), _zone(session, handoff)
    sentences = [(event, text) for event in rows if (text := _sentence(event, people))]
    events = [event_of(row, handoff, tags) for row in rows if row.id > told]
    return Story(
        lines=tuple(_line(event, text, zone) for event, text in sentences if anew or event.id > told),
        events=tuple(event for event in events if event),
        until=rows[-1].id,
        timeline=timeline_of([(event.at, text) for event, text in sentences], zone) if ended else "",
    )


def _zone(session: Session, handoff: Handoff) -> ZoneInfo:
    """The time zone of the agreement, UTC for a lead that no agreement covers yet."""
    return ZoneInfo(handoffs.agreement_of(session, handoff).timezone if handoff.agreement else "UTC")


def _line(event: Event, text: str, zone: ZoneInfo) -> Line:
    return Line(event.recorded_at, LEVELS.get(event.kind, logging.INFO), f"{event.at.astimezone(zone):%a %d %b %H:%M} · {text}")


def _sentence(event: Event, people: Roster) -> str:
    """The sentence of the timeline. Only people of the roster have a name in it: others may have been typed by hand."""
    if form := _FOR_ENGINEERS.get(event.kind):
        return form.format(error=event.data.get("error", ""))
    return _ADDRESS.sub("…", lead_view.sentence(event, people, by=_actor(event, people)))


def _actor(event: Event, people: Roster) -> str:
    if event.actor in people.people:
        return people.name_of(event.actor)
    is_typed = event.data.get("via") and event.data.get("claimed")
    return event.actor if _CODE.fullmatch(event.actor) and not is_typed else SOMEBODY

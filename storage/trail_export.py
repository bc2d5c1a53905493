"""The trail as lines of JSON that a short script proves with the key alone, see docs/verify_trail.py; and one lead's part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from storage import trail_lines
from storage.tables import Event, Handoff, PersonalText, Seal

_AT_ONCE = 100


def lines(session: Session, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[str]:
    """Yields whole seals made from `since` on and before `until` (Baton's time, aware), each after its events, without line ends.

    The first line names the seal that they follow. Leaves out unsealed events. Reads only, some seals at a time.
    """
    first, last = True, 0
    while seals := session.exec(_seals(last, since, until)).all():
        events = _events(session, seals[0].id, seals[-1].id)
        for row in seals:
            if first:
                yield json.dumps({"trail": trail_lines.FORMAT, "previous": row.previous, "total": row.total - row.events})
                first = False
            yield from _of_seal(row, events.get(row.id, []))
        last = seals[-1].id
        session.expunge_all()


def _seals(last: int, since: datetime | None, until: datetime | None) -> Any:
    query = select(Seal).where(col(Seal.id) > last)
    query = query.where(col(Seal.sealed_at) >= since) if since else query
    query = query.where(col(Seal.sealed_at) < until) if until else query
    return query.order_by(col(Seal.id)).limit(_AT_ONCE)


def _events(session: Session, first: int, last: int) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for event in session.exec(select(Event).where(col(Event.seal_id).between(first, last)).order_by(col(Event.seal_id), col(Event.id))):
        found.setdefault(event.seal_id or 0, []).append(event)
    return found


def _of_seal(row: Seal, events: list[Event]) -> Iterator[str]:
    if row.format == 1:
        yield from map(trail_lines.first_line, events)
        head: dict[str, Any] = {"format": 1, "previous": row.previous, "events": row.events, "total": row.total}
    else:
        for place, event in enumerate(events, start=row.total - row.events + 1):
            yield trail_lines.line(event, place, trail_lines.told(event))
        head = json.loads(trail_lines.seal_line(row))
    yield json.dumps({"seal": row.id, "digest": row.digest, "pruned": row.pruned, **head}, separators=(",", ":"))


def of_lead(session: Session, lead_id: int) -> list[tuple[Event, str]]:
    """Every event of a lead in order, each with the text that somebody wrote; empty where there was none or it was erased."""
    own = select(Handoff.id).where(Handoff.lead_id == lead_id)
    query = select(Event, PersonalText.text).join(PersonalText, col(PersonalText.id) == Event.text_id, isouter=True)
    rows = session.exec(query.where(or_(Event.lead_id == lead_id, col(Event.handoff_id).in_(own))).order_by(col(Event.id)))
    return [(event, text or "") for event, text in rows]

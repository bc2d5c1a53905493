"""The append-only trail: events inserted freely, sealed in batches into a hash chain by one holder of a lock."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy import text as sql
from sqlmodel import Session, col, select

from agreements.lead import storable
from storage import held
from storage.database import ROWS_AT_ONCE
from storage.tables import Event, Handoff, PersonalText, Seal

#: So many events are sealed in one transaction, together with the row of their seal.
BATCH = ROWS_AT_ONCE - 1
_READ_AT_ONCE = 1000


def keep_text(session: Session, text: str, *, lead_id: int | None) -> PersonalText | None:
    """Stores what somebody wrote, None for nothing."""
    if not text:
        return None
    row = PersonalText(lead_id=lead_id, text=storable(text))
    session.add(row)
    session.flush()
    return row


def record(
    session: Session,
    kind: str,
    *,
    now: datetime,
    handoff: Handoff | None = None,
    lead_id: int | None = None,
    actor: str = "baton",
    text: PersonalText | None = None,
    **data: Any,
) -> Event:
    """Adds one line to the trail. data: codes and numbers only, never personal text; now: Baton's time, aware."""
    event = line(kind, now=now, handoff=handoff, lead_id=lead_id, actor=actor, text=text, **data)
    if handoff is not None and (mine := held.of(session, handoff.id)):
        mine.events.append(event)
    else:
        session.add(event)
    return event


def line(
    kind: str,
    *,
    now: datetime,
    handoff: Handoff | None = None,
    lead_id: int | None = None,
    actor: str = "baton",
    text: PersonalText | None = None,
    **data: Any,
) -> Event:
    """One line of the trail, not stored yet."""
    return Event(
        at=now,
        recorded_at=datetime.now(UTC),
        kind=kind,
        lead_id=handoff.lead_id if handoff else lead_id,
        handoff_id=handoff.id if handoff else None,
        stage=handoff.stage if handoff else "",
        actor=actor,
        data=data,
        text_id=text.id if text else None,
        text_digest=_text_digest(text) if text else "",
    )


def write(session: Session, events: Sequence[Event]) -> None:
    """Stores these lines in their order, in one statement."""
    if events:
        session.execute(insert(Event).returning(col(Event.id)), [event.model_dump(exclude={"id"}) for event in events])


def _text_digest(text: PersonalText) -> str:
    return hashlib.sha256(f"{text.salt}:{text.text}".encode()).hexdigest()


def _line(event: Event) -> bytes:
    parts = {
        "id": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "lead": event.lead_id,
        "handoff": event.handoff_id,
        "stage": event.stage,
        "actor": event.actor,
        "data": event.data,
        "text": event.text_digest,
    }
    return json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()


def _digest(key: bytes, previous: str, events: list[Event]) -> str:
    mac = hmac.new(key, previous.encode(), hashlib.sha256)
    for event in events:
        mac.update(_line(event) + b"\n")
    return mac.hexdigest()


def seal(session: Session, *, key: bytes, now: datetime) -> int:
    """Seals what is not sealed yet, at most a batch; says how many. Call inside a write transaction.

    On PostgreSQL an advisory lock makes this process the only sealer; on SQLite the write lock does.
    """
    shared = session.get_bind().dialect.name == "postgresql"
    if shared and not session.scalar(sql("SELECT pg_try_advisory_xact_lock(8112021)")):
        return 0
    events = list(session.exec(select(Event).where(col(Event.seal_id).is_(None)).order_by(col(Event.id)).limit(BATCH)))
    if not events:
        return 0
    last = session.exec(select(Seal).order_by(col(Seal.id).desc()).limit(1)).first()
    previous = last.digest if last else ""
    row = Seal(events=len(events), previous=previous, digest=_digest(key, previous, events), sealed_at=now)
    session.add(row)
    session.flush()
    session.execute(update(Event).where(col(Event.id).in_([event.id for event in events])).values(seal_id=row.id))
    return len(events)


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """What a walk along the chain found: events sealed and still open, the first seal that does not fit (None for none), and
    the first event whose text is no longer what was written (None for none; an erased text is none)."""

    sealed: int
    unsealed: int
    broken_seal: int | None
    head: str
    changed_text: int | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing that was sealed has been changed or taken away."""
        return self.broken_seal is None and self.changed_text is None


def check(session: Session, *, key: bytes) -> TrailCheck:
    """Walks the whole chain and reckons every link again."""
    previous, sealed, broken = "", 0, None
    for row in session.exec(select(Seal).order_by(col(Seal.id))):
        events = list(session.exec(select(Event).where(Event.seal_id == row.id).order_by(col(Event.id))))
        fits = row.previous == previous and len(events) == row.events and _digest(key, previous, events) == row.digest
        if not fits and broken is None:
            broken = row.id
        previous, sealed = row.digest, sealed + len(events)
    kept = select(Seal.id)
    orphans = select(Event.seal_id).where(col(Event.seal_id).is_not(None), col(Event.seal_id).not_in(kept)).order_by(col(Event.seal_id))
    broken = broken or session.exec(orphans.limit(1)).first()
    unsealed = len(list(session.exec(select(Event.id).where(col(Event.seal_id).is_(None)))))
    return TrailCheck(sealed=sealed, unsealed=unsealed, broken_seal=broken, head=previous, changed_text=_changed_text(session))


def _changed_text(session: Session) -> int | None:
    written = select(Event.id, Event.text_digest, PersonalText).join(PersonalText, col(PersonalText.id) == Event.text_id)
    with closing(session.exec(written.order_by(col(Event.id)).execution_options(yield_per=_READ_AT_ONCE))) as rows:
        return next((number for number, digest, text in rows if _text_digest(text) != digest), None)

"""The append-only trail. Any transaction inserts events, each with a mark. One holder of a lock seals them in batches into a hash chain.
Events are deleted when the agreed time is over. trail_check.py proves the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import delete, insert, update
from sqlalchemy import text as sql
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from agreements.errors import HandoffError
from agreements.lead import storable
from agreements.words import EventKind
from storage import held, trail_lines
from storage.database import ROWS_AT_ONCE, TRAIL_KEY
from storage.tables import Event, Handoff, PersonalText, Seal
from storage.trail_check import TrailCheck as TrailCheck
from storage.trail_check import check as check

#: One transaction seals this many events, together with the row of their seal.
BATCH = ROWS_AT_ONCE - 1
#: One call deletes this many events, but at least those of one seal.
ROWS = ROWS_AT_ONCE
#: The kind of the event that records deletion as agreed.
PRUNED: Final = "trail-pruned"
_SEALER, _PRUNER = 8112021, 8112023


class HeadMissing(HandoffError):  # noqa: N818 - errors here are named as states
    """A head of the trail that was kept outside of the database is not in it."""


class TrailChanged(HandoffError):  # noqa: N818
    """Part of the trail is not as it was sealed, so it is not deleted: run `baton verify`."""


def keep_text(session: Session, text: str, *, lead_id: int | None) -> PersonalText | None:
    """Stores what somebody wrote; returns None for no text."""
    row = text_row(text, lead_id=lead_id)
    if row is not None:
        session.add(row)
        session.flush()
    return row


def text_row(text: str, *, lead_id: int | None) -> PersonalText | None:
    """The row of what somebody wrote, not stored yet; None for no text."""
    return PersonalText(lead_id=lead_id, text=storable(text)) if text else None


def record(
    session: Session,
    kind: EventKind,
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
        event.mark = _mark(session, event)
        session.add(event)
    return event


def line(
    kind: EventKind,
    *,
    now: datetime,
    handoff: Handoff | None = None,
    lead_id: int | None = None,
    actor: str = "baton",
    text: PersonalText | None = None,
    **data: Any,
) -> Event:
    """Makes one line of the trail, not stored yet."""
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
        text_digest=trail_lines.of_text(text.salt, text.text) if text else "",
    )


def write(session: Session, events: Sequence[Event]) -> None:
    """Stores these lines in their order, in one statement."""
    if events:
        rows = [{**event.model_dump(exclude={"id"}), "mark": _mark(session, event)} for event in events]
        session.execute(insert(Event).returning(col(Event.id)), rows)


def _mark(session: Session, event: Event) -> str:
    key: bytes = session.info.get(TRAIL_KEY, b"")
    return trail_lines.mark(key, event) if key else ""


def seal(session: Session, *, key: bytes, now: datetime, kept: tuple[int, str] | None = None) -> int:
    """Seals at most one batch of unsealed events and returns how many. Call inside a write transaction.

    kept: number and digest of a seal that was recorded outside the database. Raises HeadMissing where it is not there, so that nothing is
    sealed behind a chain that was cut off. On PostgreSQL an advisory lock makes this process the only sealer; on SQLite the write lock
    does.
    """
    if _is_shared(session) and not session.scalar(sql(f"SELECT pg_try_advisory_xact_lock({_SEALER})")):
        return 0
    if kept is not None and not has_head(session, *kept):
        raise HeadMissing()
    events = list(session.exec(select(Event).where(col(Event.seal_id).is_(None)).order_by(col(Event.id)).limit(BATCH)))
    if not events:
        return 0
    last = newest_seal(session)
    row = _first_format(key, events, last, now) or _sealed(key, events, last, now)
    session.add(row)
    session.flush()
    sealed = events[: row.events]
    ids = [event.id for event in sealed]
    under = update(Event).where(col(Event.id).in_(ids)).values(seal_id=row.id)
    session.execute(under.execution_options(synchronize_session=False))  # otherwise SQLAlchemy would check every row of the session
    for event in sealed:
        set_committed_value(event, "seal_id", row.id)
    return row.events


def _first_format(key: bytes, events: list[Event], last: Seal | None, now: datetime) -> Seal | None:
    """Seals events older than marks in format 1, the format of their time; None once a seal of a later format exists."""
    if last is not None and last.format != 1:
        return None
    old = list(takewhile(lambda event: not event.mark, events))
    if not old:
        return None
    previous, total = (last.digest, last.total) if last else ("", 0)
    digest = trail_lines.first_digest(key, previous, [trail_lines.first_line(event) for event in old])
    return Seal(events=len(old), previous=previous, digest=digest, sealed_at=now, format=1, total=total + len(old))


def _sealed(key: bytes, events: list[Event], last: Seal | None, now: datetime) -> Seal:
    previous, total = (last.digest, last.total) if last else ("", 0)
    lines = [trail_lines.line(event, place, trail_lines.told(event)) for place, event in enumerate(events, start=total + 1)]
    row = Seal(
        events=len(events),
        previous=previous,
        digest="",
        sealed_at=now,
        format=trail_lines.FORMAT,
        total=total + len(events),
        first_id=events[0].id,
        last_id=events[-1].id,
        content=trail_lines.content(key, lines),
    )
    row.digest = trail_lines.digest(key, row)
    return row


def _is_shared(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def newest_seal(session: Session) -> Seal | None:
    """The head of the chain, None before anything was sealed."""
    return session.exec(select(Seal).order_by(col(Seal.id).desc()).limit(1)).first()


def has_head(session: Session, seal_id: int, digest: str) -> bool:
    """Whether the chain has that seal with that digest."""
    return session.exec(select(Seal.digest).where(Seal.id == seal_id)).first() == digest


def prune(session: Session, *, before: datetime, now: datetime, limit: int = ROWS) -> int:
    """Deletes the oldest events, by whole seals made before that instant (Baton's time, aware). Returns how many, 0 when none is left.

    Call inside a write transaction, again and again until it returns 0. One call deletes at most `limit` events, but at least those of one
    seal. The seals stay, so that the chain can be proved to its beginning, and an event records the last pruned seal; the newest seal keeps
    its events. Raises TrailChanged for a seal whose events are not those that were sealed: they are evidence, and stay.
    """
    if _is_shared(session):
        session.execute(sql(f"SELECT pg_advisory_xact_lock({_PRUNER})"))
    last = newest_seal(session)
    oldest = select(Seal).where(col(Seal.pruned).is_(False)).order_by(col(Seal.id)).limit(max(1, limit))
    going: list[Seal] = []
    for row in session.exec(oldest):
        too_many = going and sum(one.events for one in going) + row.events > limit
        if last is None or row.id == last.id or row.sealed_at >= before or too_many:
            break
        going.append(row)
    if not going:
        return 0
    for row in going:
        _delete_events(session, row)
    removed, newest = sum(row.events for row in going), going[-1]
    record(session, PRUNED, now=now, seal=newest.id, head=newest.digest, removed=removed, removed_in_all=newest.total)
    return removed


def _delete_events(session: Session, row: Seal) -> None:
    key: bytes = session.info.get(TRAIL_KEY, b"")
    events = list(session.exec(select(Event).where(Event.seal_id == row.id).order_by(col(Event.id))))
    if not trail_lines.fits(key, row, events):
        raise TrailChanged(f"Seal {row.id} of the trail does not fit its events, so they are not deleted: run baton verify.")
    session.execute(delete(Event).where(col(Event.seal_id) == row.id).execution_options(synchronize_session=False))
    row.pruned = True
    session.add(row)

"""Devices: browsers that are known to be one person's. Only a hash of their cookie is kept.

A browser gets a new cookie each time it becomes known or enrolled, and is forgotten after 90 days.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, text, update
from sqlmodel import Session, col, delete, select

from agreements.words import NoWord
from storage.tables import Answer, AnswerState, Device, Level, MailedCode, WrongNumber

KNOWN: Final = "known"
ENROLLED: Final = "enrolled"
#: How long a browser stays known or enrolled; then its person has to prove again that it is theirs.
KEPT = timedelta(days=90)
#: More than people type between two calls, so that none is kept for long, and few enough for one transaction.
FORGOTTEN_AT_ONCE = 20


def hash_of(cookie: str) -> str:
    """The key that finds the browser with this cookie again."""
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()


def level(session: Session, hash: str, person: str, *, now: datetime) -> Level | NoWord:
    """The level of this browser for that person: "known", "enrolled", or "" for none."""
    row = _row(session, hash, person)
    return row.level if row and _counts(row, now) else ""


def level_is(session: Session, hash: str, person: str, wanted: Level, *, now: datetime) -> bool:
    """Whether this browser already has that level for this person, or a higher one."""
    found = level(session, hash, person, now=now)
    return found in (wanted, ENROLLED)


def remember(session: Session, hash: str, person: str, *, level: Level, now: datetime) -> None:
    """Makes this browser that person's for 90 days. An enrolled one stays enrolled for the rest of its own time. Call inside a
    write transaction."""
    row = _row(session, hash, person)
    if row is None:
        row = Device(hash=hash, person=person, level=level, since=now)
    elif not _counts(row, now) or level == ENROLLED or row.level != ENROLLED:
        row.level, row.since, row.revoked_at = level, now, None
    session.add(row)
    session.flush()


def promote(session: Session, hash: str, person: str, *, level: Level, becomes: str, now: datetime) -> str:
    """Does what `remember` does, under the hash of a new cookie that only this response carries. Returns the hash that counts.

    The old cookie is then worth nothing to anyone who planted or copied it. The new one takes over what began with the old: answers that
    are held or may be taken back, and codes. A browser that had this level already keeps its cookie. becomes: empty to keep the cookie.
    """
    if level_is(session, hash, person, level, now=now):
        return hash
    if becomes:
        session.execute(update(Device).where(col(Device.hash) == hash, col(Device.revoked_at).is_(None)).values(hash=becomes))
        open_still = or_(col(Answer.state) == AnswerState.HELD.value, col(Answer.effective_at) > now)
        session.execute(update(Answer).where(col(Answer.device) == hash, text("device <> ''"), open_still).values(device=becomes))
        session.execute(update(MailedCode).where(col(MailedCode.device_hash) == hash).values(device_hash=becomes))
    remember(session, becomes or hash, person, level=level, now=now)
    if becomes:
        session.execute(update(Device).where(col(Device.hash) == becomes, col(Device.person) == person).values(before=hash))
    return becomes or hash


def before(session: Session, hash: str, *, now: datetime) -> list[tuple[str, datetime]]:
    """The hashes of earlier cookies of this browser, each with the time until which it was used."""
    rows = session.exec(select(Device).where(Device.hash == hash, col(Device.revoked_at).is_(None), col(Device.before) != ""))
    return [(row.before, row.since) for row in rows if _counts(row, now)]


def people_of(session: Session, hash: str, *, now: datetime, level: Level | NoWord = "") -> list[str]:
    """The ids of the people whose browser this is; with a level, only those for whom the browser has that level."""
    query = select(Device).where(Device.hash == hash, col(Device.revoked_at).is_(None), col(Device.since) > now - KEPT)
    query = query.order_by(col(Device.id))
    return [row.person for row in session.exec(query) if not level or row.level == level]


def of_person(session: Session, person: str = "", *, now: datetime) -> list[Device]:
    """The browsers that are known now, of one person or of all, oldest first."""
    query = select(Device).where(col(Device.revoked_at).is_(None), col(Device.since) > now - KEPT).order_by(col(Device.id))
    return list(session.exec(query.where(Device.person == person) if person else query))


def forget(session: Session, row: Device, *, now: datetime) -> None:
    """Ends this browser's link to that person."""
    row.revoked_at = now
    session.add(row)
    session.flush()


def mistyped(session: Session, person: str, *, since: datetime) -> list[tuple[str, datetime]]:
    """The browser and time of each wrong number that was typed for that person, oldest first."""
    query = select(WrongNumber.device_hash, WrongNumber.at).where(WrongNumber.person == person, col(WrongNumber.at) > since)
    return list(session.exec(query.order_by(col(WrongNumber.at))))


def mistype(session: Session, hash: str, person: str, *, now: datetime, kept: timedelta) -> None:
    """Counts a wrong number, and deletes a few that are older than `kept`. Call inside a write transaction."""
    old = select(WrongNumber.id).where(col(WrongNumber.at) <= now - kept).order_by(col(WrongNumber.id)).limit(FORGOTTEN_AT_ONCE)
    session.execute(delete(WrongNumber).where(col(WrongNumber.id).in_(old)))
    session.add(WrongNumber(device_hash=hash, person=person, at=now))
    session.flush()


def _counts(row: Device, now: datetime) -> bool:
    return row.revoked_at is None and row.since > now - KEPT


def _row(session: Session, hash: str, person: str) -> Device | None:
    return session.exec(select(Device).where(Device.hash == hash, Device.person == person)).first()

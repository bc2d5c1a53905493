"""Devices: browsers that are known to be one person's. Only a hash of their cookie is kept."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from storage.tables import Device, WrongNumber

KNOWN, ENROLLED = "known", "enrolled"
#: More than are typed between two calls, so that none is kept for long, and few enough for one transaction.
FORGOTTEN_AT_ONCE = 20


def hash_of(cookie: str) -> str:
    """By what a browser with this cookie is found again."""
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()


def level(session: Session, hash: str, person: str) -> str:
    """What this browser is to that person: "known", "enrolled", or "" for nothing."""
    row = _row(session, hash, person)
    return row.level if row and row.revoked_at is None else ""


def remember(session: Session, hash: str, person: str, *, level: str, now: datetime) -> None:
    """From now on this browser is that person's; one that was enrolled stays so. Call inside a write transaction."""
    row = _row(session, hash, person)
    if row is None:
        row = Device(hash=hash, person=person, level=level, since=now)
    elif row.revoked_at is not None:
        row.level, row.since, row.revoked_at = level, now, None
    elif row.level != ENROLLED:
        row.level = level
    session.add(row)
    session.flush()


def people_of(session: Session, hash: str, *, level: str = "") -> list[str]:
    """Whose this browser is, by id; with a level only those for whom it is that."""
    query = select(Device).where(Device.hash == hash, col(Device.revoked_at).is_(None)).order_by(col(Device.id))
    return [row.person for row in session.exec(query) if not level or row.level == level]


def of_person(session: Session, person: str = "") -> list[Device]:
    """The browsers that are known now, of one person or of all, oldest first."""
    query = select(Device).where(col(Device.revoked_at).is_(None)).order_by(col(Device.id))
    return list(session.exec(query.where(Device.person == person) if person else query))


def forget(session: Session, row: Device, *, now: datetime) -> None:
    """From now on this browser is nobody's again, as far as that person goes."""
    row.revoked_at = now
    session.add(row)
    session.flush()


def mistyped(session: Session, person: str, *, since: datetime) -> list[tuple[str, datetime]]:
    """In which browser and when a wrong number was typed for that person, oldest first."""
    query = select(WrongNumber.device_hash, WrongNumber.at).where(WrongNumber.person == person, col(WrongNumber.at) > since)
    return list(session.exec(query.order_by(col(WrongNumber.at))))


def mistype(session: Session, hash: str, person: str, *, now: datetime, kept: timedelta) -> None:
    """Counts a wrong number, and forgets a few of those that are as old as is kept. Call inside a write transaction."""
    old = select(WrongNumber.id).where(col(WrongNumber.at) <= now - kept).order_by(col(WrongNumber.id)).limit(FORGOTTEN_AT_ONCE)
    session.execute(delete(WrongNumber).where(col(WrongNumber.id).in_(old)))
    session.add(WrongNumber(device_hash=hash, person=person, at=now))
    session.flush()


def _row(session: Session, hash: str, person: str) -> Device | None:
    return session.exec(select(Device).where(Device.hash == hash, Device.person == person)).first()

"""Enrolment: mail a code to a person's own address. A browser in which the code is typed in time counts as theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements.errors import HandoffError
from notifications.links import Links
from storage import deliveries, devices, roster
from storage.devices import ENROLLED
from storage.tables import MailedCode

MINUTES = 15
"""How long a code is good, in Baton's time."""
TRIES, DIGITS = 5, 6
CODES_AN_HOUR = 3


class CodeRefused(HandoffError):
    """This code cannot be asked for, or is not taken."""


def ask(session: Session, person: str, device: str, *, now: datetime) -> None:
    """Mails a code to the person's own address. Call inside a write transaction.

    device: hash of the browser. Raises CodeRefused if the browser is not known for that person, or after too many codes in an hour.
    """
    known = roster.current(session).person(person)
    if known is None or known.shared or not devices.level(session, device, person, now=now):
        raise CodeRefused("Answer through your link in this browser first. Then we can remember the browser as yours.")
    lately = select(MailedCode.id).where(
        MailedCode.person == person, MailedCode.device_hash != "", col(MailedCode.asked_at) > now - timedelta(hours=1)
    )
    if len(session.exec(lately).all()) >= CODES_AN_HOUR:
        raise CodeRefused("We have already sent several codes within the last hour. Please use the newest one, or try again in an hour.")
    row = MailedCode(person=person, device_hash=device, asked_at=now)
    session.add(row)
    session.flush()
    key, context = f"device-code:{row.id}:email", {"code_id": row.id}
    deliveries.queue(session, None, deliveries.Message("device-code", context=context), deliveries.Copy(key, "email", person), now=now)


def pending(session: Session, device: str, *, now: datetime) -> MailedCode | None:
    """Return the newest code that this browser may still type, None for none."""
    query = select(MailedCode).where(
        MailedCode.device_hash == device, col(MailedCode.used_at).is_(None), col(MailedCode.asked_at) > now - timedelta(minutes=MINUTES)
    )
    return session.exec(query.order_by(col(MailedCode.id).desc()).limit(1)).first()


def enter(session: Session, links: Links, device: str, typed: str, *, now: datetime, becomes: str = "") -> str:
    """Enrols the browser if `typed` is the mailed code. Returns why the code was not taken, empty if it was. Call inside a write
    transaction: a wrong code is counted. becomes: hash of the cookie that the browser gets then."""
    row = pending(session, device, now=now)
    if row is None:
        return f"There is no code to type here: it was used, or is older than {MINUTES} minutes. Please ask for a new code."
    if row.tries >= TRIES:
        return "You typed too many wrong codes. Please ask for a new code."
    if not links.is_code(subject_of(row.id), typed):
        row.tries += 1
        session.add(row)
        return f"That is not the code. Tries left: {TRIES - row.tries}."
    row.used_at = now
    session.add(row)
    devices.promote(session, device, row.person, level=ENROLLED, becomes=becomes, now=now)
    return ""


def code_of(links: Links, code_id: int) -> str:
    """The code with that id."""
    return links.code(subject_of(code_id))


def subject_of(code_id: int) -> str:
    """The subject of the code with that id, for Links.code."""
    return f"device {code_id}"

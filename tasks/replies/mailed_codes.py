"""Mailed codes: the proof of a person after somebody has guessed at the code from their messages.

A code of six digits goes to the person's own address. It is good once, for an hour, in any browser. Baton checks at most 100
guesses at a code and sends at most three codes within an hour, so a guesser's chance is 3 in 10,000 an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from agreements import presence
from notifications.links import Links
from storage import deliveries, devices, roster, trail
from storage.tables import MailedCode
from tasks.replies import enrolment

MESSAGE: Final = "number-guessed"
MINUTES = 60
_HOUR = timedelta(minutes=MINUTES)
#: The most codes for a person within an hour, the most guesses at one code, and the most wrong codes of one browser in an hour.
CODES_AN_HOUR, GUESSES, GUESSES_OF_BROWSER = 3, 100, 5
#: The prefix of the person under which wrong mailed codes are counted.
_AT_CODE = "code: "


def begin(session: Session, person: str, *, now: datetime) -> None:
    """Mails the person a code, and tells the operator that somebody is guessing. Call inside a write transaction."""
    row = _send(session, person, now)
    people = roster.current(session)
    operator = presence.stand_in(people, people.operator, now) or people.operator
    if row is not None and operator and operator != person:
        key = f"{MESSAGE}:{row.id}:operator"
        deliveries.queue(
            session, None, deliveries.Message(MESSAGE, context={"whose": person}), deliveries.Copy(key, "email", operator), now=now
        )
    trail.record(session, "number-guessed", now=now, actor="baton", person=person)


def check(session: Session, links: Links, person: str, typed: str, *, device: str, kept: str, now: datetime) -> str:
    """Return why `typed` is not the code mailed to that person, empty if it is. Call inside a write transaction."""
    row = _open(session, person, now) or _send(session, person, now)
    if row is None:
        return (
            "Somebody typed too many wrong codes for you. Please answer in a browser in which you have answered before, or try again"
            f" in an hour. We keep {kept}."
        )
    digits = "".join(typed.split())
    if not (len(digits) == enrolment.DIGITS and digits.isdecimal()):
        return (
            "You, or somebody else, typed too many wrong codes. We sent a six-digit code to your own e-mail address. Please type"
            f" that code here. We keep {kept}."
        )
    of_browser = devices.mistyped(session, _AT_CODE + person, since=now - _HOUR)
    if sum(hash == device for hash, _ in of_browser) >= GUESSES_OF_BROWSER:
        return f"You typed too many wrong codes. Please try again in an hour. We keep {kept}."
    if links.is_code(enrolment.subject_of(row.id), digits):
        row.used_at = now
        session.add(row)
        return ""
    row.tries += 1
    session.add(row)
    devices.mistype(session, device, _AT_CODE + person, now=now, kept=_HOUR)
    return f"That is not the code. The code has six digits. We sent it to your own e-mail address. We keep {kept}."


def _open(session: Session, person: str, now: datetime) -> MailedCode | None:
    """The newest code that is still good, None for none."""
    row = next(iter(_lately(session, person, now)), None)
    return row if row is not None and row.used_at is None and row.tries < GUESSES else None


def _lately(session: Session, person: str, now: datetime) -> list[MailedCode]:
    query = select(MailedCode).where(MailedCode.person == person, MailedCode.device_hash == "", col(MailedCode.asked_at) > now - _HOUR)
    return list(session.exec(query.order_by(col(MailedCode.id).desc())))


def _send(session: Session, person: str, now: datetime) -> MailedCode | None:
    if len(_lately(session, person, now)) >= CODES_AN_HOUR:
        return None
    row = MailedCode(person=person, device_hash="", asked_at=now)
    session.add(row)
    session.flush()
    context = {"code_id": row.id, "whose": person}
    deliveries.queue(
        session, None, deliveries.Message(MESSAGE, context=context), deliveries.Copy(f"{MESSAGE}:{row.id}:email", "email", person), now=now
    )
    return row

"""Numbers: how the four digits from a message prove that a person sits before a browser, and how often they may be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from storage import devices
from tasks import toolbox
from tasks.senders import Sender, is_unproven

#: So many wrong numbers a browser may send for one person in an hour.
WRONG_NUMBERS = 5
HOUR = timedelta(hours=1)
WRONG = "That is not the number from the message. It has four digits and stands right by the link."
MISSING = "Please type the number from the message. It has four digits and stands right by the link."


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a form may do what it asks for. refused: why not, in words, empty where it may; was: what the browser was to the
    person before."""

    refused: str = ""
    was: str = ""


def prove(session: Session, token: str, person: str, typed: str, *, sender: Sender, now: datetime) -> Proof:
    """Whether a person sent this form: the browser is known for them, or the number from the message came along, and makes it so.

    For pages that keep what was typed until the number is right, and hold nothing. Call inside a write transaction of its own: a
    wrong number is counted, a right one remembered, whatever becomes of the rest. Raises LinkInvalid.
    """
    was = devices.level(session, sender.device, person)
    if not is_unproven(session, sender, person):
        return Proof(was=was)
    wrong = devices.mistyped(session, sender.device, person, since=now - HOUR)
    if refused := too_many(wrong, now):
        return Proof(f"{refused}; what you typed is kept.")
    if not typed:
        return Proof(MISSING)
    if not toolbox.current().links.is_number(token, typed):
        devices.mistype(session, sender.device, person, now=now, kept=HOUR)
        return Proof(WRONG)
    devices.remember(session, sender.device, person, level=devices.KNOWN, now=now)
    return Proof(was=was)


def too_many(wrong: list[datetime], now: datetime) -> str:
    """How long to wait after so many wrong numbers, as a sentence without its end; empty for not at all. wrong: when, oldest first."""
    if len(wrong) < WRONG_NUMBERS:
        return ""
    minutes = max(1, math.ceil((wrong[-WRONG_NUMBERS] + HOUR - now) / timedelta(minutes=1)))
    return f"That were too many wrong numbers. Please try again in {minutes} minute{'s' if minutes > 1 else ''}"

"""The code check: the four digits from a message prove the person at a browser. Wrong codes are limited."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.words import NoWord
from storage import devices, locks
from storage.tables import Level
from tasks.replies import mailed_codes
from tasks.replies.browsers import Sender, is_unproven
from tasks.replies.opened_link import OpenedLink

#: The most wrong codes for one person in an hour: from one browser, and from all browsers together.
WRONG_NUMBERS, OF_ALL = 5, 20
HOUR = timedelta(hours=1)
_WHERE = "It has four digits and is next to the link in the message."


@dataclass(frozen=True, slots=True)
class CodeProof:
    """Whether a form may be carried out. refused: why not, in words, empty if it may; was: the browser's level for the person
    before; device: hash of the cookie by which the browser is known from now on."""

    refused: str = ""
    was: Level | NoWord = ""
    device: str = ""


def prove(session: Session, link: OpenedLink, person: str, typed: str, *, sender: Sender, now: datetime) -> CodeProof:
    """Return whether this person sent the form: the browser is known for them, or the code came with the form and makes it known.

    For pages that keep the typed input until the code is right, and hold no answers. Call inside its own write transaction: a
    wrong code is counted and a right code is remembered, even if the rest of the form fails. Raises LinkInvalid.
    """
    was = devices.level(session, sender.device, person, now=now)
    if not is_unproven(session, sender, person, now=now):
        return CodeProof(was=was, device=sender.device)
    if refused := check(session, link, person, typed, device=sender.device, kept="what you typed", now=now):
        return CodeProof(refused)
    device = devices.promote(session, sender.device, person, level=devices.KNOWN, becomes=sender.becomes, now=now)
    return CodeProof(was=was, device=device)


def check(session: Session, link: OpenedLink, person: str, typed: str, *, device: str, kept: str, now: datetime) -> str:
    """Return why `typed` does not prove that person, empty if it does. Call inside a write transaction.

    A wrong code is counted. After 20 wrong codes for one person within an hour, in all browsers and for all links together, the
    four digits prove nothing in an unknown browser. The person gets a code of six digits by mail instead. So nobody can go on
    guessing, and nobody can lock the person out. kept: what stays on the page meanwhile, in words. Raises LinkInvalid.
    """
    locks.take(session, [f"number {person}"])  # two wrong codes at once are both counted: the second waits here
    wrong = devices.mistyped(session, person, since=now - HOUR)
    if len(wrong) >= OF_ALL and not devices.level(session, device, person, now=now):
        return mailed_codes.check(session, link.links, person, typed, device=device, kept=kept, now=now)
    if refused := too_many([at for hash, at in wrong if hash == device], now):
        return f"{refused}. We keep {kept}."
    if not typed:
        return f"Please type the code from the message. {_WHERE}"
    if link.links.is_number(link.token, typed):
        return ""
    devices.mistype(session, device, person, now=now, kept=HOUR)
    if len(wrong) + 1 == OF_ALL:
        mailed_codes.begin(session, person, now=now)
    return f"That is not the code from the message. {_WHERE}"


def too_many(wrong: list[datetime], now: datetime) -> str:
    """Return how long to wait after these wrong codes, as text without a full stop; empty for no wait. wrong: times, oldest first."""
    if len(wrong) < WRONG_NUMBERS:
        return ""
    minutes = max(1, math.ceil((wrong[-WRONG_NUMBERS] + HOUR - now) / timedelta(minutes=1)))
    return f"You typed too many wrong codes. Please try again in {minutes} minute{'s' if minutes > 1 else ''}"

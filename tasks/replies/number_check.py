"""Numbers: how the four digits from a message prove that a person sits before a browser, and how often they may be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from storage import devices, locks
from tasks.replies import mailed_codes
from tasks.replies.browsers import Sender, is_unproven
from tasks.wiring import toolbox

#: So many wrong codes a browser may send for one person in an hour, and all browsers together that are not known as theirs.
WRONG_NUMBERS, OF_ALL = 5, 20
HOUR = timedelta(hours=1)
_WHERE = "It has four digits and is next to the link in the message."


@dataclass(frozen=True, slots=True)
class CodeProof:
    """Whether a form may do what it asks for. refused: why not, in words, empty where it may; was: what the browser was to the
    person before; device: hash of the cookie by which the browser is known from now on."""

    refused: str = ""
    was: str = ""
    device: str = ""


def prove(session: Session, token: str, person: str, typed: str, *, sender: Sender, now: datetime) -> CodeProof:
    """Whether a person sent this form: the browser is known for them, or the code from the message came along, and makes it so.

    For pages that keep what was typed until the number is right, and hold nothing. Call inside a write transaction of its own: a
    wrong number is counted, a right one remembered, whatever becomes of the rest. Raises LinkInvalid.
    """
    was = devices.level(session, sender.device, person, now=now)
    if not is_unproven(session, sender, person, now=now):
        return CodeProof(was=was, device=sender.device)
    if refused := check(session, token, person, typed, device=sender.device, kept="what you typed", now=now):
        return CodeProof(refused)
    device = devices.promote(session, sender.device, person, level=devices.KNOWN, becomes=sender.becomes, now=now)
    return CodeProof(was=was, device=device)


def check(session: Session, token: str, person: str, typed: str, *, device: str, kept: str, now: datetime) -> str:
    """Why what was typed in this browser does not prove that person, empty where it does. Call inside a write transaction.

    A wrong number is counted. After 20 for one person within an hour, in whichever browsers and behind whichever links, the four
    digits prove nothing in a browser that is not known: a code of six digits is mailed to the person instead. So nobody can guess
    on, and nobody can lock the person out. kept: what stays on the page meanwhile, in words. Raises LinkInvalid.
    """
    locks.take(session, [f"number {person}"])  # of two wrong codes at once both are counted
    wrong = devices.mistyped(session, person, since=now - HOUR)
    if len(wrong) >= OF_ALL and not devices.level(session, device, person, now=now):
        return mailed_codes.check(session, person, typed, device=device, kept=kept, now=now)
    if refused := too_many([at for hash, at in wrong if hash == device], now):
        return f"{refused}. We keep {kept}."
    if not typed:
        return f"Please type the code from the message. {_WHERE}"
    if toolbox.current().links.is_number(token, typed):
        return ""
    devices.mistype(session, device, person, now=now, kept=HOUR)
    if len(wrong) + 1 == OF_ALL:
        mailed_codes.begin(session, person, now=now)
    return f"That is not the code from the message. {_WHERE}"


def too_many(wrong: list[datetime], now: datetime) -> str:
    """How long to wait after so many wrong codes, as a sentence without its end; empty for not at all. wrong: when, oldest first."""
    if len(wrong) < WRONG_NUMBERS:
        return ""
    minutes = max(1, math.ceil((wrong[-WRONG_NUMBERS] + HOUR - now) / timedelta(minutes=1)))
    return f"You typed too many wrong codes. Please try again in {minutes} minute{'s' if minutes > 1 else ''}"

"""What became of an e-mail, as values: a message that came back, and what a mail provider says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from agreements.words import BounceCause

ReturnedKind = Literal["bounced", "delayed", "reply", "complaint", "other"]
"""What a message that came to the address for bounces is."""
EventKind = Literal["bounced", "delayed", "complaint", "delivered", "other"]
"""What became of an e-mail, as a provider says."""
BOUNCED: Final = "bounced"
DELAYED: Final = "delayed"
REPLY: Final = "reply"
COMPLAINT: Final = "complaint"
DELIVERED: Final = "delivered"
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a message did not arrive, as codes.

    hard: for good, as for an address that does not exist; false where the mail system gave up after a passing fault, or said nothing.
    code: such as 5.1.1 or 550, empty where none is named.
    about: what the code is about.
    address: the recipient that the mail system names, empty for none; never stored.
    """

    hard: bool = False
    code: str = ""
    about: BounceCause = "unknown"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that came to the address for bounces.

    kind: bounced, delayed, reply, complaint or other.
    why: the mail system's reason, in one line.
    marks: the marks that may name the returned delivery.
    days: the days that an automatic reply names, none for other mail.
    cause: of a bounce.
    is_report: whether it is a report about something else, such as a read receipt: nobody has to look at it.
    is_answer: whether it answers a message, so a person may have written it.
    once: names this message, however often it comes.
    """

    kind: ReturnedKind
    why: str = ""
    marks: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    cause: Cause = Cause()
    is_report: bool = False
    is_answer: bool = False
    once: str = ""


@dataclass(frozen=True, slots=True)
class MailEvent:
    """What a mail provider says about one e-mail to one address.

    kind: bounced, delayed, complaint, delivered or other.
    marks: the marks that the e-mail carried. They are not checked.
    why: the provider's reason, in one line.
    cause: of a bounce.
    address: the recipient, empty where none is named.
    """

    kind: EventKind
    marks: tuple[str, ...] = ()
    why: str = ""
    cause: Cause = Cause()
    address: str = ""

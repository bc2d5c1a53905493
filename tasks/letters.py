"""Letters that go by post: what each of them says. Those that a handoff's run sends are written in contexts.py."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.errors import HandoffError
from notifications.letter import Letter
from storage.tables import Delivery
from tasks import digest


class NoSuchLetter(HandoffError):
    """Nobody knows how to write this message."""


def by_post(session: Session, row: Delivery, *, now: datetime) -> Letter:
    """The letter of a delivery that has no handoff.

    Raises NoSuchLetter, MessageFaulty, KeyError for nobody of that id, NothingToSay for one that is not to be sent after all.
    """
    match row.message:
        case digest.MESSAGE:
            return digest.letter(session, row, now=now)
    raise NoSuchLetter(f"{row.message} does not go by post.")

"""Letters that go by post: what each of them says. Those that a handoff's run sends are written in contexts.py."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.errors import HandoffError
from notifications.letter import Letter
from storage.tables import Delivery
from tasks import dispute_letters


class NoSuchLetter(HandoffError):
    """Nobody knows how to write this message."""


def by_post(session: Session, row: Delivery, *, now: datetime) -> Letter:
    """The letter of a delivery that has no handoff. Raises NoSuchLetter, MessageFaulty, KeyError for nobody of that id."""
    match row.message:
        case dispute_letters.RAISED | dispute_letters.TOLD | dispute_letters.SETTLED:
            return dispute_letters.letter_of(session, row, now=now)
    raise NoSuchLetter(f"{row.message} does not go by post.")

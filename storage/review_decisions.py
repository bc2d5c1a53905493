"""What was decided in reviews, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from storage.tables import ReviewDecision


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision before it is stored. by: who sees to it, empty for nobody; until: the day by which, None for none.

    proposal: that it is about, as plain values; empty for none.
    """

    agreement: str
    text: str
    by: str = ""
    until: date | None = None
    proposal: Mapping[str, Any] = field(default_factory=dict)


def add(session: Session, new: NewDecision, *, now: datetime) -> ReviewDecision:
    """Stores a decision. Call inside a write transaction."""
    row = ReviewDecision(
        agreement=new.agreement, text=new.text, by=new.by, until=new.until, decided_at=now, proposal=dict(new.proposal)
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def of(session: Session, agreement: str) -> Sequence[ReviewDecision]:
    """The decisions about an agreement, the newest first; with an empty name those about every agreement."""
    query = select(ReviewDecision).order_by(col(ReviewDecision.id).desc())
    return session.exec(query.where(ReviewDecision.agreement == agreement) if agreement else query).all()


def finish(session: Session, number: int, *, by: str, now: datetime) -> ReviewDecision | None:
    """Marks a decision as done, once; a second time changes nothing. Returns None where there is no decision with that number."""
    row = session.get(ReviewDecision, number)
    if row is not None and row.done_at is None:
        row.done_at, row.done_by = now, by
        session.add(row)
    return row

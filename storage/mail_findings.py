"""Mail that somebody has to look at: complaints, and mail to the return path that is no bounce, no automatic reply and no report.

The mail itself stays in the mailbox. Baton keeps which delivery it is about, when it came, and what it seems to be.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import Session, col, select

from agreements.words import ChannelName, MailFindingKind, MailSource
from storage import wakes
from storage.tables import Delivery, MailFinding

MAIL: Final[tuple[ChannelName, ...]] = ("email", "manager-email")
"""The channels that write to a mailbox."""
CLOSED: Final = "this mailbox reported a message as unwanted, so it gets no e-mail until `baton bounces settle` says otherwise"
"""The error of a message that is not sent because of a complaint."""

#: How many findings one delivery can have: whoever got a message can write to its return path.
MOST_OF_ONE = 20


def note(session: Session, row: Delivery, kind: MailFindingKind, *, source: MailSource, once: str, now: datetime) -> bool:
    """Store what came back about this delivery; False where it is known, or there are too many. once: names this mail for ever.

    A complaint is stored once for each delivery, whoever reports it. Call inside a write transaction.
    """
    count = select(func.count()).select_from(MailFinding).where(MailFinding.delivery_id == row.id)
    if kind != "complaint" and session.exec(count).one() >= MOST_OF_ONE:
        return False
    key = f"complaint:{row.id}" if kind == "complaint" else f"mail:{row.id}:{once}"
    values: dict[str, Any] = {"delivery_id": row.id, "person": row.person, "handoff_id": row.handoff_id, "source": source, "settled_by": ""}
    return wakes.insert_once(session, MailFinding, key=key, kind=kind, at=now, settled_at=None, **values)


def open_findings(session: Session, *, limit: int = 200) -> list[MailFinding]:
    """Return what nobody has settled, the oldest first."""
    query = select(MailFinding).where(col(MailFinding.settled_at).is_(None)).order_by(col(MailFinding.id))
    return list(session.exec(query.limit(limit)))


def open_count(session: Session) -> int:
    """Return how many findings nobody has settled."""
    return session.exec(select(func.count()).select_from(MailFinding).where(col(MailFinding.settled_at).is_(None))).one()


def settle(session: Session, finding_id: int, *, by: str, now: datetime) -> MailFinding | None:
    """Mark a finding as looked at; None where there is no open one. A settled complaint opens the mailbox again."""
    row = session.get(MailFinding, finding_id, with_for_update=True, populate_existing=True)
    if row is None or row.settled_at is not None:
        return None
    row.settled_at, row.settled_by = now, by
    session.add(row)
    return row


def is_closed() -> ColumnElement[bool]:
    """The condition that a delivery is an e-mail to a mailbox that complained, for a query of deliveries."""
    complained = select(MailFinding.id).where(MailFinding.kind == "complaint", col(MailFinding.settled_at).is_(None))
    return and_(col(Delivery.channel).in_(MAIL), complained.where(MailFinding.person == Delivery.person).exists())


def closed_mailboxes(session: Session, people: Collection[str]) -> set[str]:
    """Return those of these people whose mailbox complained about a message: they get no e-mail until the complaint is settled."""
    if not people:
        return set()
    open_complaints = (MailFinding.kind == "complaint", col(MailFinding.settled_at).is_(None))
    return set(session.exec(select(MailFinding.person).where(col(MailFinding.person).in_(list(people)), *open_complaints)))

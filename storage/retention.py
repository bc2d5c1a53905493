"""Retention: which leads are past the time for which their personal data is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements import keeping
from agreements.lifecycle import OPEN_STAGES
from storage import contracts, handoffs
from storage.clearing import Person, person_of
from storage.facts import newest_activity_at
from storage.tables import Activity, Dispute, Handoff, Lead, PersonalText

#: One transaction looks at this many leads.
LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of one look. due: persons whose time is over; last: the highest lead number that was looked at, 0 where none is left."""

    due: tuple[Person, ...] = ()
    last: int = 0


def look(session: Session, *, now: datetime, after: int) -> Looked:
    """Looks at the next few leads after this number that may be past their time."""
    agreed = [contracts.read(row) for row in contracts.all_of(session)]
    shortest = keeping.shortest_personal(agreed)
    if shortest is None:
        return Looked()
    before = now - shortest
    lately = select(Activity.id).where(col(Activity.lead_id) == col(Lead.id), col(Activity.received_at) > before).exists()
    query = select(Lead.id).where(
        col(Lead.erased_at).is_(None), col(Lead.created_at) <= before, col(Lead.merged_into).is_(None), col(Lead.id) > after, ~lately
    )
    found = [ident or 0 for ident in session.exec(query.order_by(col(Lead.id)).limit(LOOKED_AT))]
    longest = max(one.retention.personal for one in agreed)
    due = [person_of(session, ident) for ident in found if is_over(session, ident, otherwise=longest, now=now)]
    return Looked(tuple(due), found[-1] if found else 0)


def is_over(session: Session, lead_id: int, *, otherwise: timedelta, now: datetime) -> bool:
    """Whether the retention time of this lead's personal data is over. A lead with an open handoff or dispute is kept.

    otherwise: how long a lead is kept that never came under an agreement.
    """
    lead, person = session.get(Lead, lead_id), person_of(session, lead_id)
    if lead is None or lead.erased_at is not None or _is_open(session, person):
        return False
    last = max((at for one in person.leads if (at := newest_activity_at(session, one))), default=lead.created_at)
    latest = handoffs.latest_of(session, lead_id)
    if latest is None or not latest.agreement:
        return last + otherwise <= now
    return keeping.personal_ends(handoffs.agreement_of(session, latest), last) <= now


def _is_open(session: Session, person: Person) -> bool:
    stages = [stage.value for stage in OPEN_STAGES]
    opened = select(Handoff.id).where(col(Handoff.id).in_(person.handoffs), col(Handoff.stage).in_(stages)).limit(1)
    disputed = select(Dispute.id).where(col(Dispute.handoff_id).in_(person.handoffs), Dispute.ruling == "").limit(1)
    return session.exec(opened).first() is not None or session.exec(disputed).first() is not None


def texts_of(session: Session, person: Person) -> int:
    """How many texts of this person are stored."""
    return len(session.exec(select(PersonalText.id).where(col(PersonalText.lead_id).in_(person.leads))).all())


def trail_is_kept_since(session: Session, *, now: datetime) -> datetime | None:
    """The trail is not kept any more before this instant; None where nothing was agreed yet."""
    longest = keeping.longest_trail(contracts.read(row) for row in contracts.all_of(session))
    return now - longest if longest is not None else None

"""Digests: what waits for its person's morning, and in which digest it was told."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from storage import wakes
from storage.tables import Delivery, DeliveryState, Digest, DigestItem, Handoff

#: How long something that could not be told is tried again, morning after morning.
TOLD_WITHIN = timedelta(days=14)
#: A digest in one of these states has told its items, or is about to.
_TELLING = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.CONFIRMED)


def put_aside(session: Session, handoff: Handoff, *, key: str, person: str, wait_id: str, kind: str, what: str, now: datetime) -> bool:
    """Keeps something for this person's next digest; the same key twice is one thing.

    what: one sentence of codes and names of colleagues, nothing personal of the lead.
    """
    return wakes.insert_once(
        session, DigestItem, key=key, person=person, handoff_id=handoff.id, wait_id=wait_id, kind=kind, what=what, at=now
    )


def untold(session: Session, person: str, *, now: datetime) -> list[DigestItem]:
    """What this person was not told yet, oldest first; also what stands in a digest of which nobody knows that it went out."""
    told = select(Digest.id).join(Delivery, col(Delivery.key) == col(Digest.key)).where(col(Delivery.state).in_(_TELLING))
    query = select(DigestItem).where(DigestItem.person == person, col(DigestItem.at) > now - TOLD_WITHIN)
    query = query.where(col(DigestItem.digest_id).is_(None) | col(DigestItem.digest_id).not_in(told))
    return list(session.exec(query.order_by(col(DigestItem.id))))


def lately(session: Session, person: str, *, now: datetime) -> list[DigestItem]:
    """What was kept for this person within the last days, told or not, oldest first."""
    query = select(DigestItem).where(DigestItem.person == person, col(DigestItem.at) > now - TOLD_WITHIN)
    return list(session.exec(query.order_by(col(DigestItem.id))))


def make(session: Session, key: str, person: str, items: list[DigestItem], *, now: datetime) -> None:
    """Notes that these items stand in the digest of this key."""
    wakes.insert_once(session, Digest, key=key, person=person, made_at=now)
    ident = session.exec(select(Digest.id).where(Digest.key == key)).one()
    for item in items:
        item.digest_id = ident
        session.add(item)


def made_since(session: Session, person: str, since: datetime, *, but: str) -> bool:
    """Whether another digest than the one of this key was made for the person since then."""
    query = select(Digest.id).where(Digest.person == person, col(Digest.made_at) >= since, col(Digest.key) != but)
    return session.exec(query.limit(1)).first() is not None


def lock(session: Session, key: str) -> Delivery | None:
    """The delivery of a digest, as it is now, kept from others until this transaction ends; None for none."""
    query = select(Delivery).where(Delivery.key == key).with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()

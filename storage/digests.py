"""Digests: what waits for each person's morning message, and which digest carried it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage import wakes
from storage.tables import Delivery, DeliveryState, Digest, DigestItem, Handoff, ItemKind, Wait

#: How long Baton tries again, morning after morning, to tell something that it could not tell.
TOLD_WITHIN = timedelta(days=14)
#: A digest in one of these states has told its items, or is about to.
_TELLING = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Aside:
    """Something that one person reads in the next digest. key: the same key twice is one item.

    what: one sentence of codes and names of colleagues, nothing personal about the lead.
    """

    key: str
    person: str
    kind: ItemKind
    what: str


def put_aside(session: Session, handoff: Handoff, aside: Aside, *, wait_id: str, now: datetime) -> bool:
    """Keeps something for its person's next digest; False where its key was kept already."""
    facts = {"key": aside.key, "person": aside.person, "kind": aside.kind, "what": aside.what}
    return wakes.insert_once(session, DigestItem, handoff_id=handoff.id, wait_id=wait_id, at=now, **facts)


def untold(session: Session, person: str, *, now: datetime) -> list[DigestItem]:
    """The items that this person has not received yet, oldest first. Includes those in a digest that may not have gone out."""
    return list(session.exec(untold_of(select(DigestItem), person, now)))


def untold_ids(session: Session, person: str, *, now: datetime) -> list[int]:
    """The numbers of the items that this person has not received yet, oldest first."""
    return [ident or 0 for ident in session.exec(untold_of(select(DigestItem.id), person, now))]


def outcomes_owed(session: Session, person: str) -> list[str]:
    """The open waits for an outcome that this person has to report."""
    query = select(Wait.id).where(Wait.holder == person, Wait.kind == "outcome", col(Wait.closed_at).is_(None))
    return list(session.exec(query.where(col(Wait.answer_id).is_(None)).order_by(col(Wait.id))))


def untold_of(query: Any, person: str, now: datetime) -> Any:
    """This query of items, for those that the person has not received yet, oldest first."""
    of_item = select(Digest.id).join(Delivery, col(Delivery.key) == col(Digest.key)).where(Digest.id == DigestItem.digest_id)
    told = of_item.where(col(Delivery.state).in_(_TELLING)).exists()
    return query.where(DigestItem.person == person, col(DigestItem.at) > now - TOLD_WITHIN, ~told).order_by(col(DigestItem.id))


def lately(session: Session, person: str, *, now: datetime) -> list[DigestItem]:
    """The items kept for this person in the last days, received or not, oldest first."""
    query = select(DigestItem).where(DigestItem.person == person, col(DigestItem.at) > now - TOLD_WITHIN)
    return list(session.exec(query.order_by(col(DigestItem.id))))


def make(session: Session, key: str, person: str, *, now: datetime) -> None:
    """Records that the digest with this key exists."""
    wakes.insert_once(session, Digest, key=key, person=person, made_at=now)


def put_in(session: Session, key: str, item_ids: Sequence[int]) -> int:
    """Assigns these items to the digest with this key, which exists already; returns how many."""
    ident = session.exec(select(Digest.id).where(Digest.key == key)).one()
    put: Any = session.execute(update(DigestItem).where(col(DigestItem.id).in_(item_ids)).values(digest_id=ident))
    return int(put.rowcount)


def made_since(session: Session, person: str, since: datetime, *, but: str) -> bool:
    """Whether another digest than the one with this key was made for the person since then."""
    query = select(Digest.id).where(Digest.person == person, col(Digest.made_at) >= since, col(Digest.key) != but)
    return session.exec(query.limit(1)).first() is not None


def lock(session: Session, key: str) -> Delivery | None:
    """Returns the delivery of a digest as it is now, locked until this transaction ends; None for none."""
    query = select(Delivery).where(Delivery.key == key).with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()

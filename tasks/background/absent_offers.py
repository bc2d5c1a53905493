"""Offers of a lead to several reps: whoever of them goes away or leaves is asked no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from agreements.roster import Roster
from storage import offers, waits
from storage.tables import Offer
from tasks.steps.offering import withdraw_offer


def offered_to_absent(session: Session, people: Roster, now: datetime) -> Iterator[str]:
    """Yield the ids of the open offers to people whose absence has begun since, or who have left the roster."""
    for ident in offers.reps_asked(session):
        person = people.person(ident)
        begun = next((one.from_ for one in person.away if one.from_ <= now < one.until), None) if person else now
        yield from (one.id for one in offers.open_to(session, ident) if begun is not None and one.offered_at < begun)


def end_offers(session: Session, now: datetime, ids: Sequence[str]) -> int:
    """Take these reps out of those who are asked. Where nobody is left to ask, the lead is handed over like that of one rep."""
    done = 0
    for ident in ids:
        offer = session.get(Offer, ident)
        wait = waits.open_of(session, offer.handoff_id, lock=True) if offer else None
        if offer is None or wait is None or wait.answer_id is not None or wait.assignment_id != offer.assignment_id:
            continue
        session.refresh(offer)
        if offer.ended_at is None:
            withdraw_offer(session, wait, offer, because="away", now=now)
            done += 1
    return done

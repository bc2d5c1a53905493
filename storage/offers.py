"""Offers: the reps who are asked at once about one lead, and the one of them who has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from agreements.words import SEVERAL, Ended
from storage.tables import Assignment, Handoff, Offer


def make(session: Session, row: Assignment, reps: Mapping[str, int], *, now: datetime) -> list[Offer]:
    """Asks these reps, with their weights and in this order, about the lead of this assignment."""
    made = [
        Offer(assignment_id=row.id, handoff_id=row.handoff_id, number=number, rep=rep, weight=weight, offered_at=now)
        for number, (rep, weight) in enumerate(reps.items(), start=1)
    ]
    session.add_all(made)
    session.flush()
    return made


def of(session: Session, assignment_id: str) -> list[Offer]:
    """The offers of an assignment in their order, those that are over too; none where one rep got the lead."""
    return list(session.exec(select(Offer).where(Offer.assignment_id == assignment_id).order_by(col(Offer.number))))


def open_of(session: Session, assignment_id: str) -> list[Offer]:
    """The offers of an assignment that can still be accepted, in their order."""
    return [one for one in of(session, assignment_id) if one.ended_at is None]


def open_to(session: Session, rep: str) -> list[Offer]:
    """Every offer that this rep can still accept, the oldest first."""
    return list(session.exec(select(Offer).where(Offer.rep == rep, col(Offer.ended_at).is_(None)).order_by(col(Offer.offered_at))))


def open_to_in(session: Session, rep: str, row: Assignment) -> Offer | None:
    """The offer of this assignment that this rep can still accept, None for none."""
    return next((one for one in open_of(session, row.id) if one.rep == rep), None) if row.rep == SEVERAL else None


def reps_asked(session: Session) -> list[str]:
    """Everybody who can still accept a lead about which several were asked, in alphabetical order."""
    return sorted(set(session.exec(select(Offer.rep).where(col(Offer.ended_at).is_(None)))))


def people_of(session: Session, row: Assignment) -> list[str]:
    """Who had the lead in an assignment that has ended: its rep, or those of several who could have accepted until then."""
    return [row.rep] if row.rep != SEVERAL else [one.rep for one in ended_with(session, row)]


def link_id(session: Session, assignment_id: str, rep: str) -> str:
    """The id that this rep's link signs: that of the offer where several were asked, else that of the assignment."""
    return next((one.id for one in of(session, assignment_id) if one.rep == rep), assignment_id)


def may_accept(session: Session, handoff: Handoff, rep: str) -> bool:
    """Whether this rep, of several who are asked, may still accept; always where one rep was asked."""
    if handoff.rep != SEVERAL:
        return True
    query = select(Offer.id).where(Offer.rep == rep, col(Offer.ended_at).is_(None), Offer.handoff_id == handoff.id)
    return session.exec(query.limit(1)).first() is not None


def open_with(session: Session, reps: Iterable[str]) -> list[str]:
    """The ids of the assignments about which any of these reps is asked now."""
    query = select(Offer.assignment_id).where(col(Offer.rep).in_(list(reps)), col(Offer.ended_at).is_(None))
    return list(dict.fromkeys(session.exec(query.order_by(col(Offer.offered_at)))))


def end(session: Session, offer: Offer, *, because: Ended, now: datetime) -> None:
    """Ends one offer: from now on the rep's link only shows what happened."""
    offer.ended_at, offer.ended_because = now, because
    session.add(offer)
    session.flush()


def end_all(session: Session, assignment_id: str, *, because: Ended, now: datetime) -> list[Offer]:
    """Ends every offer of an assignment that is still open, and returns them."""
    ended = open_of(session, assignment_id)
    for one in ended:
        end(session, one, because=because, now=now)
    return ended


def ended_with(session: Session, row: Assignment) -> list[Offer]:
    """The offers that ended together with their assignment: to the reps who could have accepted until then."""
    return [one for one in of(session, row.id) if (one.ended_at, one.ended_because) == (row.ended_at, row.ended_because)]


def claim(session: Session, row: Assignment, rep: str, *, at: datetime, now: datetime) -> list[Offer]:
    """Gives the assignment to this rep, who was asked and accepted first. Returns the offers to others that this ended.

    at: when the rep accepted.
    """
    mine = next(one for one in of(session, row.id) if one.rep == rep)
    end(session, mine, because="accepted", now=at)
    row.rep = rep
    session.add(row)
    return end_all(session, row.id, because="claimed", now=now)


def asked_for(session: Session, rep: str, assignment_id: str) -> str:
    """The rep whose manager, team and hours count for an assignment: this rep, or whom of several the lead was offered to first."""
    if rep != SEVERAL:
        return rep
    found = of(session, assignment_id)
    return next((one.rep for one in found if one.ended_at is None), found[0].rep if found else rep)


def asked_between(session: Session, since: datetime, until: datetime) -> list[Offer]:
    """The offers that were made from `since` to before `until`."""
    query = select(Offer).where(col(Offer.offered_at) >= since, col(Offer.offered_at) < until)
    return list(session.exec(query.order_by(col(Offer.offered_at), col(Offer.number))))

"""The audit of that life. It knows the company and what was written down, and uses none of the rules that it judges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements.lifecycle import ENDS
from storage.tables import Assignment, Handoff, Wait
from tasks.wiring.toolbox import Toolbox
from tests.year.company import TEAMS, Company
from tests.year.life import Given, Life

#: Those who get a lead because the agreement or a person names them, not by their turn.
NAMED = ("asked for", "default acceptor", "stand-in", "on call")


def audit(house: Company, life: Life, box: Toolbox) -> list[str]:
    """Return what is wrong, a sentence each."""
    box.read_now(lambda session, now: _brought_up_to_date(session, life))
    at_assignment = [finding for one in life.given for finding in _of_one(house, one)]
    at_the_end = box.read_now(lambda session, now: list(_open(house, session, now)))
    left = [f"lead {one.lead_id} was left with {one.rep} at {one.at:%Y-%m-%d %H:%M}, whose absence began" for one in life.left]
    return [*at_assignment, *left, *_shares(house, life.given), *_hot(house, life.given), *at_the_end]


def _brought_up_to_date(session: Session, life: Life) -> None:
    """A turn may have been credited back since the assignment was written down."""
    credited = set(session.exec(select(Assignment.id).where(col(Assignment.credited))))
    for one in life.given:
        one.row.credited = one.row.id in credited


def _of_one(house: Company, given: Given) -> Iterator[str]:
    rep, at = house.by_id.get(given.row.rep), given.at
    if rep is None:  # the default acceptor, whom the agreement names
        return
    lead = f"lead {given.row.lead_id} went to {rep.id} at {at:%Y-%m-%d %H:%M} ({given.row.cause})"
    if not rep.is_employed(at):
        yield f"{lead}, who is gone"
    elif rep.is_away(at):
        yield f"{lead}, who is away"
    for name in given.row.shared_by:
        if (colleague := house.by_id.get(name)) and (not colleague.is_employed(at) or colleague.is_away(at)):
            yield f"{lead}, as if it could have been the turn of {name}, who is not there"
    if any(word in given.row.cause for word in NAMED):
        return
    if given.row.tier != "list" and given.room[rep.id] < 0:
        yield f"{lead}, who is full"
    better = [one.id for one in house.team(rep.team) if one.is_at_work(at) and given.room[one.id] > 0 and one.id not in given.tried]
    if given.row.tier != "list" and not rep.is_open(at) and better:
        yield f"{lead}, who is closed while {better[0]} is at work"


def _parts(house: Company, given: Given) -> dict[str, float]:
    """Whose turn it could have been, with their parts: the taker and the colleagues with room who are at work.

    While nobody is, the agreement spreads the leads over the morning: then those count among whom they were shared.
    """
    taker = house.by_id[given.row.rep]
    there = [one for one in house.team(taker.team) if one.is_at_work(given.at)]
    free = [one for one in there if one is taker or (given.room[one.id] > 0 and one.id not in given.tried)]
    return {one.id: one.part(given.at) for one in free} or {name: float(part) for name, part in given.row.shared_by.items()}


def _shares(house: Company, given: Sequence[Given]) -> Iterator[str]:
    """Compare what each rep got with the sum of the parts of the leads that the rep could have had, by team and tier."""
    turns = [one for one in given if one.row.pool and one.row.rep in house.by_id and one.row.tier != "list"]
    for team in TEAMS:
        for tier in ("hot", "normal"):
            of_pool = [one for one in turns if one.row.tier == tier and house.by_id[one.row.rep].team == team]
            yield from _pool_shares(house, of_pool, f"{team} {tier}")


def _pool_shares(house: Company, of_pool: Sequence[Given], pool: str) -> Iterator[str]:
    """A lead that was credited back counts for nobody."""
    of_pool = [one for one in of_pool if not one.row.credited]
    got, due = Counter(one.row.rep for one in of_pool), defaultdict[str, float](float)
    for one in of_pool:
        parts = _parts(house, one)
        for rep, part in parts.items():
            due[rep] += part / sum(parts.values())
    for rep in {*got, *due}:
        if abs(got[rep] - due[rep]) > max(3.0, 0.02 * len(of_pool)):
            yield f"{rep} got {got[rep]} of the {len(of_pool)} leads of {pool}, and {due[rep]:.1f} were due"


def _hot(house: Company, given: Sequence[Given]) -> Iterator[str]:
    """A hot lead that came while somebody of its team was at work with room was with a rep, who was told, within its minute."""
    for one in given:
        if one.row.tier == "hot" and one.row.number == 1 and one.row.rep in house.by_id:
            late = one.at - one.came_in > timedelta(minutes=1) or not one.proven
            able = [rep for rep in house.team(house.by_id[one.row.rep].team) if rep.is_at_work(one.came_in)]
            if late and able:
                lead = f"hot lead {one.row.lead_id} of {one.came_in:%Y-%m-%d %H:%M}"
                yield f"{lead} was told at {one.at:%Y-%m-%d %H:%M}, and {able[0].id} was at work"


def _open(house: Company, session: Session, now: datetime) -> Iterator[str]:
    """Every lead ends, or has an owner who is there, and a time by which something is due."""
    due = dict(session.exec(select(Wait.handoff_id, Wait.due_at).where(col(Wait.closed_at).is_(None))).all())
    for handoff in session.exec(select(Handoff)):
        if handoff.stage in ENDS:
            continue
        owner = house.by_id.get(handoff.owner)
        if handoff.owner == "" or (owner and not owner.is_employed(now)):
            yield f"handoff {handoff.id} is {handoff.stage} and owned by {handoff.owner or 'nobody'}, who is not there"
        if handoff.stage != "nurturing" and not due.get(handoff.id):
            yield f"handoff {handoff.id} is {handoff.stage} and nothing is due"
    holding = select(Assignment).where(col(Assignment.ended_at).is_(None))
    for row in session.exec(holding):
        rep = house.by_id.get(row.rep)
        if rep and (not rep.is_employed(now) or rep.is_away(now)):
            yield f"lead {row.lead_id} is with {rep.id}, who is not there"

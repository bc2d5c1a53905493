"""The candidates: the reps to whom routing may give a lead now, and the open leads and the weight of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from agreements import presence
from agreements.choosing import Choosing, Pool, on_call, pool_for, release_of, rules_for, with_the_nights
from agreements.lifecycle import Stage
from agreements.model import Agreement, Release, Segment
from agreements.routing import Candidate, Colleague
from agreements.staff import Staff
from agreements.words import Ended
from storage import companies, handoffs, offers, roster, turns
from storage.tables import Assignment, Handoff
from tasks.steps.qualify import known_of

#: Leads that came longer ago do not wait for the next opening: the company was open in between.
LONGEST_NIGHT = timedelta(days=14)
#: Ends of a tenure by which the rep did not give the lead up.
_NOT_GIVEN_UP: tuple[Ended, ...] = ("note-returned", "recalled", "away", "left", "back")
#: The stage for each word of the agreement about open leads.
_STAGES = {"assigned": Stage.ASSIGNED, "accepted-untouched": Stage.ACCEPTED, "working": Stage.WORKING}


def choosing(session: Session, handoff: Handoff, agreement: Agreement, earlier: list[Assignment], *, now: datetime) -> Choosing:
    """Return the reps who may get this lead now. earlier: its tenures so far; after one, a lead for a named rep skips the queue."""
    people, tier = roster.current(session), handoff.tier
    facts = known_of(session, handoff, agreement)
    pool = pool_for(agreement, people, facts, tier=tier, leg=handoff.leg, wanted=handoff.wanted_rep, passed_on=bool(earlier))
    if pool.release:
        _one_at_a_time(session, tier)
    if not earlier:  # a lead that is passed on may hold the lock of its turns, which comes after this one
        companies.lock(session, handoffs.lead_of(session, handoff))
    known = companies.colleagues(session, handoff, agreement, now=now)
    staff = Staff(people, agreement, now, weighted=pool.weighted)
    of_tier = tier if pool.release else None
    there = on_call(agreement, people, at=now)
    candidates = candidates_of(session, staff, pool.names, of_tier)
    rules = rules_for(
        agreement,
        pool,
        turns.locked(session, turns.pool_of(pool.team, tier)),
        tier=tier,
        default_acceptor=presence.stand_in(people, agreement.routing.default_acceptor, now),
        colleagues=[Colleague(one.rep, one.lead_id, one.ended_at is None) for one in known],
    )
    return Choosing(
        team=pool.team,
        candidates=candidates,
        declined=_declined(session, handoff, earlier, pool.wanted),
        rules=replace(rules, ask_at_once=0) if _were_asked(session, earlier, handoff.leg) else rules,
        wanted=pool.wanted,
        on_call=next(iter(candidates_of(session, staff, [there] if there else [], of_tier)), None),
        release=pool.release,
        shares=shares_left(session, staff, pool.names, pool.release, tier) if pool.release else None,
    )


def of_team(session: Session, agreement: Agreement, segment: Segment, tier: str, *, now: datetime) -> Choosing:
    """Return the reps of a segment's team as a new lead of that tier would find them now. Reads only, and locks nothing."""
    people, release = roster.current(session), release_of(agreement, tier)
    pool = Pool(segment.team, tuple(people.reps_of(segment.team)), segment.strategy, "", release)
    staff = Staff(people, agreement, now, weighted=pool.weighted)
    rules = rules_for(agreement, pool, turns.read(session, turns.pool_of(segment.team, tier)), tier=tier)
    seen = candidates_of(session, staff, pool.names, tier if release else None)
    return Choosing(segment.team, seen, frozenset(), rules, release=release)


def _were_asked(session: Session, earlier: list[Assignment], leg: int) -> bool:
    """Whether several reps were asked at once in this leg already: a lead is offered once, and then goes to one rep by turn."""
    return any(row.leg == leg and offers.of(session, row.id) for row in earlier)


def _one_at_a_time(session: Session, tier: str) -> None:
    """Lets one attempt at a time count and take what is left of today's share. On SQLite the write lock already does this."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:tier))"), {"tier": f"release:{tier}"})


def _declined(session: Session, handoff: Handoff, earlier: list[Assignment], wanted: str) -> frozenset[str]:
    passed = [row for one in handoffs.taken_over(session, handoff) for row in handoffs.assignments(session, one.id)]
    rows = [*passed, *earlier]
    gave_up = {row.rep for row in rows if row.ended_because not in _NOT_GIVEN_UP}
    said_no = {one.rep for row in rows for one in offers.of(session, row.id) if one.ended_because == "rejected"}
    return frozenset({*((gave_up | said_no) - {wanted}), *_never_again(session, handoff)})


def _never_again(session: Session, handoff: Handoff) -> set[str]:
    """The reps who gave this lead back, in an earlier handoff, for a reason that sends it to another rep."""
    found, before = set(), handoff
    while before.previous_id:
        before = handoffs.get(session, before.previous_id)
        reason = handoffs.agreement_of(session, before).reason(before.reason) if before.agreement else None
        rows = handoffs.assignments(session, before.id)
        if reason and reason.back_to == "other-rep" and rows:
            found.add(rows[-1].rep)
    return found


def candidates_of(session: Session, staff: Staff, names: Iterable[str], tier: str | None) -> tuple[Candidate, ...]:
    """Return these people as candidates. The number of statements does not grow with theirs.

    tier: of a lead that is released day by day, None for any other lead.
    """
    known, release = list(names), release_of(staff.agreement, tier) if tier is not None else None
    open_leads = _open_leads(session, known, staff.agreement, release) if known else {}
    shares = shares_left(session, staff, known, release, tier or "") if release else None

    def left(name: str) -> int | None:
        return None if shares is None else shares[name] if staff.is_open(name) else 0

    found = tuple(staff.candidate(name, open_leads=open_leads.get(name, 0), left=left(name)) for name in known)
    return _with_the_nights(session, staff, found) if found and not any(one.at_work for one in found) else found


def _with_the_nights(session: Session, staff: Staff, closed: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return these reps, none of whom is at work, with the number of the leads that wait for their opening."""
    if not staff.agreement.routing.overnight_pace:
        return closed
    query = select(Assignment.rep, Assignment.assigned_at).where(
        col(Assignment.rep).in_([one.rep for one in closed]),
        col(Assignment.ended_at).is_(None),
        col(Assignment.assigned_at) > staff.now - LONGEST_NIGHT,
    )
    waiting: dict[str, Counter[datetime]] = {}
    for rep, at in session.exec(query):
        waiting.setdefault(rep, Counter())[staff.calendar(rep).next_opening(at)] += 1
    return with_the_nights(closed, waiting)


def shares_left(session: Session, staff: Staff, names: Iterable[str], release: Release, tier: str) -> dict[str, int]:
    """Return how many more leads of the tier each of these reps may get this working day; outside hours, the next one.

    One statement for all reps whose day began at the same instant.
    """
    left, began = {}, dict[datetime, list[str]]()
    for name in names:
        left[name] = release.per_rep
        began.setdefault(staff.share_began(name), []).append(name)
    for since, reps in began.items():
        given = select(Assignment.rep, func.count()).where(col(Assignment.rep).in_(reps), Assignment.assigned_at >= since)
        for rep, count in session.exec(given.where(Assignment.tier == tier).group_by(col(Assignment.rep))):
            left[rep] = max(0, release.per_rep - count)
    return left


def _open_leads(session: Session, names: Iterable[str], agreement: Agreement, release: Release | None) -> dict[str, int]:
    """Counts each rep's open leads. Leads of a released tier do not count against leads of other tiers."""
    stages = [_STAGES[one].value for one in agreement.routing.capacity.open_means]
    query = select(Handoff.rep, func.count()).where(col(Handoff.rep).in_(list(names)), col(Handoff.stage).in_(stages))
    if not release:
        query = query.where(col(Handoff.tier).not_in([tier.name for tier in agreement.tiers if tier.release]))
    return dict(session.exec(query.group_by(col(Handoff.rep))).all())

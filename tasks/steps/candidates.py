"""Choosing: whom routing may give a lead to just now, and what each of them has already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.model import Agreement, Release
from agreements.release import share_left
from agreements.roster import Roster
from agreements.routing import Candidate, Route, route, segment_for
from storage import handoffs, roster
from storage.tables import Assignment, Handoff
from tasks.steps.qualify import known_of

#: Tenures that ended like this did not stay with the rep: they are credited back in the turns.
CREDITED_BACK = ("rejected", "returned", "handed", "note-returned", "crm", "recalled")
#: The stage in which a lead counts as one of these.
_STAGES = {"assigned": Stage.ASSIGNED, "accepted-untouched": Stage.ACCEPTED, "working": Stage.WORKING}


@dataclass(frozen=True, slots=True)
class Choosing:
    """Those who may get a lead. declined: had it, or must not have it; release: how fast its tier is given out, None for at
    once; shares: what is left of each rep's share of their working day (of the next one, outside hours)."""

    team: str
    candidates: tuple[Candidate, ...]
    declined: frozenset[str]
    wanted: str = ""
    on_call: Candidate | None = None
    release: Release | None = None
    shares: dict[str, int] | None = None

    def route(self, agreement: Agreement) -> Route:
        """What routing says."""
        return route(agreement, self.candidates, declined=self.declined, wanted=self.wanted, on_call=self.on_call)

    @property
    def in_line(self) -> list[Candidate]:
        """Those for whom a lead of a released tier stands in line: the one who is wanted, else everybody who is here."""
        able = [one for one in self.candidates if one.rep not in self.declined]
        here = [one for one in able if not one.away]
        return [one for one in here if one.rep == self.wanted] or here or able

    @property
    def left_now(self) -> int:
        """How many leads of this tier those in line may still get just now."""
        return sum(one.left or 0 for one in self.in_line if not one.full)


def choosing(session: Session, handoff: Handoff, agreement: Agreement, earlier: list[Assignment], *, now: datetime) -> Choosing:
    """Those who may get this lead now. earlier: its tenures so far; who is named after one of them gets it out of line."""
    people = roster.current(session)
    segment = segment_for(agreement, known_of(session, handoff, agreement), leg=handoff.leg)
    names = people.reps_of(segment.team) if segment else []
    wanted = handoff.wanted_rep if people.person(handoff.wanted_rep) else ""
    release = _release_of(agreement, handoff) if not (wanted and earlier) else None
    if release and not segment and people.person(agreement.routing.default_acceptor):
        names = [agreement.routing.default_acceptor]
    if release:
        _one_at_a_time(session, handoff.tier)
    if wanted and wanted not in names:
        names = [*names, wanted]
    on_call = agreement.routing.on_call
    everybody = {*names, *([on_call] if people.person(on_call) else [])}
    turns, open_leads = _turns(session, everybody), _open_leads(session, everybody, agreement, release)
    see = CandidateReader(session, handoff, agreement, people, release, now, turns, open_leads)
    return Choosing(
        team=segment.team if segment else "",
        candidates=tuple(see.candidate(name) for name in names),
        declined=_declined(session, handoff, earlier, wanted),
        wanted=wanted,
        on_call=see.candidate(on_call) if people.person(on_call) else None,
        release=release,
        shares={name: see.share(name) for name in names} if release else None,
    )


def _release_of(agreement: Agreement, handoff: Handoff) -> Release | None:
    return next((tier.release for tier in agreement.tiers if tier.name == handoff.tier), None)


def _one_at_a_time(session: Session, tier: str) -> None:
    """What is left of today's share is counted and taken by one attempt at a time; SQLite's write lock sees to that by itself."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:tier))"), {"tier": f"release:{tier}"})


def _declined(session: Session, handoff: Handoff, earlier: list[Assignment], wanted: str) -> frozenset[str]:
    passed = [row for one in handoffs.taken_over(session, handoff) for row in handoffs.assignments(session, one.id)]
    gave_up = (row.rep for row in (*passed, *earlier) if row.ended_because not in ("note-returned", "recalled"))
    return frozenset({*(rep for rep in gave_up if rep != wanted), *_never_again(session, handoff)})


def _never_again(session: Session, handoff: Handoff) -> set[str]:
    """Reps whose reason, in an earlier handoff of this lead, was one after which it goes to somebody else."""
    found, before = set(), handoff
    while before.previous_id:
        before = handoffs.get(session, before.previous_id)
        reason = handoffs.agreement_of(session, before).reason(before.reason) if before.agreement else None
        rows = handoffs.assignments(session, before.id)
        if reason and reason.back_to == "other-rep" and rows:
            found.add(rows[-1].rep)
    return found


@dataclass(frozen=True, slots=True)
class CandidateReader:
    """How the reps are seen for one lead."""

    session: Session
    handoff: Handoff
    agreement: Agreement
    people: Roster
    release: Release | None
    now: datetime
    turns: Mapping[str, tuple[int, datetime | None]]
    open_leads: Mapping[str, int]

    def candidate(self, name: str) -> Candidate:
        person = self.people.people[name]
        turns, last = self.turns.get(name, (0, None))
        capacity = self.agreement.routing.capacity.per_rep if person.capacity is None else person.capacity
        left = None
        if self.release:
            left = self.share(name) if self.agreement.calendar(person.calendar).is_open(self.now) else 0
        has = self.open_leads.get(name, 0)
        return Candidate(name, person.is_away(self.now), person.back_at(self.now), has, capacity, turns, last, left)

    def share(self, name: str) -> int:
        assert self.release is not None, "only a tier that is released day by day has shares"
        given = select(Assignment.assigned_at).where(Assignment.rep == name, Assignment.tier == self.handoff.tier)
        newest = self.session.exec(given.order_by(col(Assignment.assigned_at).desc()).limit(self.release.per_rep))
        calendar = self.agreement.calendar(self.people.people[name].calendar)
        return share_left(self.release.per_rep, list(newest), now=self.now, calendar=calendar)


def _turns(session: Session, names: Iterable[str]) -> dict[str, tuple[int, datetime | None]]:
    """How many leads stayed with each of these reps, and when they were given the last one."""
    kept = col(Assignment.ended_because).not_in(CREDITED_BACK)
    query = select(Assignment.rep, func.count(), func.max(Assignment.assigned_at)).where(col(Assignment.rep).in_(list(names)), kept)
    return {rep: (count, last) for rep, count, last in session.exec(query.group_by(col(Assignment.rep)))}


def _open_leads(session: Session, names: Iterable[str], agreement: Agreement, release: Release | None) -> dict[str, int]:
    """Leads of a tier that is released day by day do not stand in the way of those that are not."""
    stages = [_STAGES[one].value for one in agreement.routing.capacity.open_means]
    query = select(Handoff.rep, func.count()).where(col(Handoff.rep).in_(list(names)), col(Handoff.stage).in_(stages))
    if not release:
        query = query.where(col(Handoff.tier).not_in([tier.name for tier in agreement.tiers if tier.release]))
    return dict(session.exec(query.group_by(col(Handoff.rep))).all())

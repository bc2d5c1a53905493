"""Where a lead's time went: each moment of its age belongs to exactly one party, so the parts add up to the age.

The age counts from what the person did, while the lead is open and while marketing nurtures it. After another end it rests, until
it comes back. docs/where-time-went.md has the definitions in a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, get_args

from agreements.calendar.durations import Term
from agreements.calendar.instants import FIRST
from agreements.calendar.working_time import WorkingCalendar
from agreements.clocks import calendar_for, contact_time
from agreements.life import HandoffLife, Life, Nurture, Owed
from agreements.model import Agreement, Clock
from agreements.words import ClockName

#: Who or what had the time, in the order in which the parts are shown.
TimeParty = Literal[
    "source", "scoring", "routing", "notification", "rep", "manager", "marketing", "prospect's wish", "closed hours", "nurture"
]
TIME_PARTIES: tuple[TimeParty, ...] = get_args(TimeParty)
#: Who owes what a clock waits for.
_OWES: Mapping[ClockName, TimeParty] = {
    "delivery": "routing",
    "acceptance": "rep",
    "first_attempt": "rep",
    "outcome": "rep",
    "note": "marketing",
    "decision": "manager",
}
#: What was waited for, in words.
_FOR: Mapping[ClockName, str] = {
    "delivery": "a rep to take it",
    "acceptance": "the answer",
    "first_attempt": "the first attempt",
    "outcome": "the outcome",
    "note": "the note",
    "decision": "the decision",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a lead's age, from start until before end, both aware. why: what was waited for; who: a person's id, or empty."""

    start: datetime
    end: datetime
    party: TimeParty
    why: str
    who: str = ""
    calendar: WorkingCalendar | None = None


def where_time_went(life: Life, *, now: datetime) -> tuple[Stretch, ...]:
    """Return the stretches of the lead's age until now, in order, none over another; a gap is a time in which the lead rested.

    now: aware. Rows with times that contradict each other, as after a clock was set back, count once and never below zero.
    """
    claims: list[Stretch] = []
    before = FIRST
    for number, one in enumerate(life.handoffs):
        after = life.handoffs[number + 1].created_at if number + 1 < len(life.handoffs) else now
        claims += (claim for claim in _of_handoff(one, before, min(after, now), now) if claim.start < claim.end)
        before = max(before, min(one.ended_at or now, now))
    return tuple(part for piece in _on_top(claims) for part in _in_hours(piece))


def summed(stretches: Iterable[Stretch], *, since: datetime = FIRST, until: datetime | None = None) -> dict[TimeParty, timedelta]:
    """Return the time of each party, in the order in which the parties are shown. since, until: count only this period, aware."""
    parts = dict.fromkeys(TIME_PARTIES, timedelta())
    for one in stretches:
        start, end = max(one.start, since), min(one.end, until) if until else one.end
        parts[one.party] += max(end - start, timedelta())
    return parts


def _of_handoff(one: HandoffLife, before: datetime, after: datetime, now: datetime) -> Iterator[Stretch]:
    """Everything that claims a part of the time of this handoff. What comes later wins.

    before: the end of the handoff before; after: when the next handoff began, or now.
    """
    end = min(one.ended_at or now, now)
    received = max(min(one.received_at, one.created_at, end), before)
    qualified = max(received, min(one.qualified_at or end, end))
    yield Stretch(max(min(one.acted_at, received), before), received, "source", "Baton to get it")
    yield Stretch(received, qualified, "scoring", "the screen and the score")
    yield Stretch(qualified, end, "routing", "the next step")
    yield from (_within(claim, received, end) for claim in _owed_in(one, qualified, now))
    if one.nurture is not None:
        yield from _nurtured(one, one.nurture, max(received, before), after)


def _owed_in(one: HandoffLife, qualified: datetime, now: datetime) -> Iterator[Stretch]:
    held_until = now if one.is_held else one.released_at
    if held_until is not None:
        yield Stretch(one.created_at, held_until, "marketing", "the release of the held lead")
    for owed in one.owed:
        yield from _of_owed(one, owed, now)
    yield from (Stretch(gone, back, "closed hours", "the rep to be back") for gone, back in one.away)
    for since, until in one.stuck:
        yield Stretch(since, until or now, "scoring" if since < qualified else "routing", "the operator to let it go on")


def _of_owed(one: HandoffLife, owed: Owed, now: datetime) -> Iterator[Stretch]:
    """What one wait claims: until its answer, or its end without one. Baton carries an answer out on its own account."""
    end = min(at for at in (owed.answered_at, owed.closed_at, now) if at is not None)
    if owed.about == "proof":
        yield Stretch(owed.opened_at, end, "notification", "proof that the rep was told")
        return
    calendar = _calendar(one, owed)
    party = "marketing" if owed.about == "triage" else _OWES[owed.clock]
    yield Stretch(owed.opened_at, end, party, _FOR[owed.clock], owed.holder, calendar)
    if owed.about == "release":
        yield Stretch(owed.opened_at, min(owed.planned_at, end), "marketing", "its turn in the queue", owed.holder)
    elif owed.clock == "first_attempt":
        yield Stretch(owed.opened_at, min(_wished(one, owed), end), "prospect's wish", "the time that the lead asked for")


def _calendar(one: HandoffLife, owed: Owed) -> WorkingCalendar | None:
    """The calendar of the clock that ran. Of several reps who were asked, the one due first counts."""
    clock = _agreement(one).clock(owed.clock, owed.leg)
    term = clock.term(one.tier)
    found = list(dict.fromkeys(_hours(one, clock, term, name) for name in owed.calendars))
    return found[0] if len(found) == 1 else min(found, key=lambda calendar: term.after(owed.opened_at, calendar))


def _hours(one: HandoffLife, clock: Clock, term: Term, holder_calendar: str) -> WorkingCalendar | None:
    """The calendar on which this clock runs, None for a clock that runs day and night: it names no calendar and counts elapsed time."""
    return calendar_for(clock, _agreement(one), holder_calendar) if clock.calendar or term.working else None


def _agreement(one: HandoffLife) -> Agreement:
    assert one.agreement is not None, "somebody owes something only under an agreement"
    return one.agreement


def _wished(one: HandoffLife, owed: Owed) -> datetime:
    """Until when the rep waits because the lead asked for a later time; the start of the wait where its due time does not follow that."""
    clock, start = _agreement(one).clock(owed.clock, owed.leg), owed.opened_at
    calendar = calendar_for(clock, _agreement(one), owed.calendars[0])
    asked = contact_time(clock, one.requested_time, start=start, now=start, calendar=calendar).at
    requested = clock.respect_requested_time
    follows = asked is not None and requested is not None and requested.tolerance.after(asked, calendar) == owed.due_at
    return asked if asked is not None and follows else start


def _nurtured(one: HandoffLife, nurture: Nurture, earliest: datetime, after: datetime) -> Iterator[Stretch]:
    since, until = max(nurture.since, earliest), min(nurture.until or after, after)
    yield Stretch(since, until, "nurture", "new evidence, or its date")
    for disputed in one.disputes:
        agreement = _agreement(one)
        calendar = _hours(one, agreement.clock("decision"), agreement.dispute.within, disputed.calendar)
        claim = Stretch(disputed.raised_at, disputed.ruled_at or after, "manager", "the ruling", disputed.holder, calendar)
        yield _within(claim, since, until)


def _within(claim: Stretch, start: datetime, end: datetime) -> Stretch:
    return _cut(claim, max(claim.start, start), min(claim.end, end))


def _cut(claim: Stretch, start: datetime, end: datetime) -> Stretch:
    return Stretch(start, end, claim.party, claim.why, claim.who, claim.calendar)  # dataclasses.replace takes five times as long


def _on_top(claims: list[Stretch]) -> Iterator[Stretch]:
    """For each moment the last claim on it, cut where another one begins or ends."""
    edges = sorted({at for claim in claims for at in (claim.start, claim.end)})
    for start, end in pairwise(edges):
        top = next((claim for claim in reversed(claims) if claim.start <= start and end <= claim.end), None)
        if top is not None:
            yield _cut(top, start, end)


def _in_hours(piece: Stretch) -> Iterator[Stretch]:
    """The piece in the open hours of its calendar, and what lies between them as closed hours."""
    if piece.calendar is None:
        yield piece
        return
    at = piece.start
    for opens, closes in [*piece.calendar.open_between(piece.start, piece.end), (piece.end, piece.end)]:
        if at < opens:
            yield Stretch(at, opens, "closed hours", piece.why, piece.who, piece.calendar)
        if opens < closes:
            yield _cut(piece, opens, closes)
        at = closes

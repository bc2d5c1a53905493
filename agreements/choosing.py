"""The choice of a rep for one lead: the pool that its facts lead to, and the rules of that pool. Who has how much comes from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from agreements import presence
from agreements.calendar.working_time import WorkingCalendar
from agreements.model import Agreement, Prefer, Release, Segment, Strategy
from agreements.release import planned_opening
from agreements.roster import Roster
from agreements.routing import Candidate, Colleague, Route, Rules, route, segment_for
from agreements.turns import Turns


@dataclass(frozen=True, slots=True)
class Pool:
    """The reps among whom a lead finds its rep. team: empty where no segment takes the lead; names: the reps' ids, in the order of the
    roster; wanted: the rep whom a rule or a person named, empty for nobody; release: how fast the tier is given out, None for at once."""

    team: str
    names: tuple[str, ...]
    strategy: Strategy
    wanted: str
    release: Release | None

    @property
    def weighted(self) -> bool:
        """Whether the weights of the roster count."""
        return self.strategy == "weighted-round-robin"


def pool_for(
    agreement: Agreement, people: Roster, facts: Mapping[str, Any], *, tier: str, leg: int = 0, wanted: str = "", passed_on: bool = False
) -> Pool:
    """Return the pool of a lead with these facts (as they came).

    wanted: a rep who was named for the lead. passed_on: another rep had the lead before; then a named rep gets it past the queue.
    """
    segment = segment_for(agreement, facts, leg=leg)
    names = people.reps_of(segment.team) if segment else []
    wanted = wanted if people.person(wanted) else ""
    release = release_of(agreement, tier) if not (wanted and passed_on) else None
    if release and not segment and people.person(agreement.routing.default_acceptor):
        names = [agreement.routing.default_acceptor]
    if wanted and wanted not in names:
        names = [*names, wanted]
    strategy: Strategy = segment.strategy if isinstance(segment, Segment) else "round-robin"
    return Pool(segment.team if segment else "", tuple(names), strategy, wanted, release)


def rules_for(
    agreement: Agreement, pool: Pool, turns: Turns, *, tier: str, default_acceptor: str = "", colleagues: Sequence[Colleague] = ()
) -> Rules:
    """Return the rules by which a rep of this pool is chosen. default_acceptor, colleagues: as in `Rules`."""
    agreed = next((one for one in agreement.tiers if one.name == tier), None)
    prefer: Prefer = agreed.prefer if agreed else "open"
    pace = agreement.routing.overnight_pace
    return Rules(
        pool.strategy,
        prefer,
        turns,
        default_acceptor,
        agreed.asks_at_once if agreed else 0,
        tuple(colleagues),
        agreement.routing.same_company.waits.length,
        pace.length if pace else timedelta(),
    )


def release_of(agreement: Agreement, tier: str) -> Release | None:
    """Return how fast a tier is given out, None for at once."""
    return next((one.release for one in agreement.tiers if one.name == tier), None)


def on_call(agreement: Agreement, people: Roster, *, at: datetime) -> str:
    """Return who is on call at that instant: the agreed person or who stands in, empty for somebody whom the roster lacks."""
    ident = presence.stand_in(people, agreement.routing.on_call, at) or agreement.routing.on_call
    return ident if people.person(ident) else ""


def with_the_nights(closed: Sequence[Candidate], waiting: Mapping[str, Mapping[datetime, int]]) -> tuple[Candidate, ...]:
    """Return reps, none of whom is at work, with the number of leads that wait for their opening.

    waiting: by rep and instant, how many leads that the rep has wait for an opening at that instant.
    """
    found = [(one, waiting.get(one.rep, {}).get(one.opens_at, 0)) for one in closed]
    return tuple(replace(one, waiting=count) if count else one for one, count in found)


@dataclass(frozen=True, slots=True)
class Choosing:
    """The reps who may get a lead, and the rules by which to choose. declined: had the lead, or must not get it; release: how fast
    its tier is given out, None for at once; shares: leads that each rep may still get this working day (outside hours: the next)."""

    team: str
    candidates: tuple[Candidate, ...]
    declined: frozenset[str]
    rules: Rules = Rules()
    wanted: str = ""
    on_call: Candidate | None = None
    release: Release | None = None
    shares: Mapping[str, int] | None = None

    def route(self, agreement: Agreement) -> Route:
        """Return routing's choice."""
        return route(agreement, self.candidates, declined=self.declined, wanted=self.wanted, on_call=self.on_call, rules=self.rules)

    @property
    def in_queue(self) -> list[Candidate]:
        """The reps for whom a lead of a released tier waits in the queue: the wanted rep, else every rep who is here."""
        able = [one for one in self.candidates if one.rep not in self.declined]
        here = [one for one in able if not one.away]
        return [one for one in here if one.rep == self.wanted] or here or able

    @property
    def left_now(self) -> int:
        """How many leads of this tier the reps of the queue may still get now."""
        return sum(one.left or 0 for one in self.in_queue if not one.full)

    def serves(self, rep: str) -> bool:
        """Whether leads of this tier wait in the queue for this rep."""
        return self.release is not None and rep in [one.rep for one in self.in_queue]

    def queue_of(self, tier: str) -> str:
        """Return the name of the lead's queue: its tier, with the wanted rep or the team."""
        wanted = [one.rep for one in self.in_queue if one.rep == self.wanted]
        return f"{tier}:{wanted[0] if wanted else self.team}"

    def turn_at(
        self, *, before: int, now: datetime, calendar_of: Callable[[str], WorkingCalendar], not_before: datetime | None = None
    ) -> datetime:
        """Return the opening at which the turn of a lead of a released tier comes.

        before: leads that are in the queue before it. calendar_of: the calendar of a rep. not_before: when the first rep is back, if
        every rep is away.
        """
        calendar = calendar_of(self.in_queue[0].rep)
        at = self._planned(before, calendar, now, calendar_of)
        return calendar.next_opening(not_before) if not_before and not_before > at else at

    def _planned(self, before: int, calendar: WorkingCalendar, now: datetime, calendar_of: Callable[[str], WorkingCalendar]) -> datetime:
        assert self.release is not None, "only a tier with a release plan has a queue"
        per_day = self.release.per_rep * len(self.in_queue)
        due = [one for one in self.in_queue if (self.shares or {}).get(one.rep) and not one.full]
        left = sum((self.shares or {})[one.rep] for one in due)
        if before < left:
            openings = [calendar_of(one.rep).next_opening(now) for one in due]
            if later := [at for at in openings if at > now]:
                return min(later)
            before = left
        return planned_opening(ahead=before, left=left, per_day=per_day, now=now, calendar=calendar)

"""Who gets the lead: the segment's team, then the rep who knows the company, else somebody who is at work, by the agreed strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agreements.fields import stated
from agreements.model import Agreement, LegSegment, Prefer, Segment, Strategy
from agreements.turns import Turns
from agreements.words import SEVERAL


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rep as routing sees them.

    away: absent by the roster, until back_at. at_work: not away, and within the hours of their calendar; opens_at: when they are at
    work next, now if they are. weight: their part of the leads by the strategy and for now, in
    proportion to the others. left: how many more leads of this
    tier they may get today, None if the tier is not released day by day. waiting: how many leads wait for their opening. Instants
    are aware.
    """

    rep: str
    away: bool
    back_at: datetime
    at_work: bool
    opens_at: datetime
    open_leads: int
    capacity: int
    weight: int = 1
    left: int | None = None
    waiting: int = 0

    def free_at(self, pace: timedelta) -> datetime:
        """When they come to one more lead: at their opening, after those that wait for it."""
        return self.opens_at + self.waiting * pace

    @property
    def full(self) -> bool:
        """Whether they have as many open leads as agreed."""
        return self.open_leads >= self.capacity

    @property
    def done_for_today(self) -> bool:
        """Whether they have had today's share."""
        return self.left is not None and self.left <= 0


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets the lead, and why, in one sentence. With an empty rep nobody does: route again at hold_until, or keep the lead
    in the queue for the next working day (in_queue), or ask the team's manager (ask_manager).

    shared_by: the reps whose turn it could have been, by weight. It is empty where the lead was nobody's turn: it was asked for,
    or the agreement names who gets it. told: the reps who are asked at once, in the order of their turns; `rep` is then SEVERAL, and
    the turn is that of the one who accepts.
    """

    rep: str
    why: str
    hold_until: datetime | None = None
    in_queue: bool = False
    ask_manager: bool = False
    shared_by: Mapping[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Colleague:
    """A rep who has another person of the lead's company, or had them not long ago. lead: the number of that person's lead."""

    rep: str
    lead: int
    has: bool

    @property
    def why(self) -> str:
        """Return the reason why this rep gets the lead."""
        return f"{'has' if self.has else 'had'} lead {self.lead} of the same company"


@dataclass(frozen=True, slots=True)
class Rules:
    """How a rep is chosen among those who can take the lead. turns: those of this team and tier so far.

    default_acceptor: who stands in for the agreement's default acceptor; empty if nobody needs to. colleagues: the reps who know
    the company, best first. colleagues_wait: how much later such a rep may be at work than the first who could take the lead.
    ask_at_once: how many reps are asked at once where the first to accept has the lead; 0 where one rep gets it. pace: how long
    a rep has for each lead that waits at the opening; zero gives all of them to those who open first.
    """

    strategy: Strategy = "round-robin"
    prefer: Prefer = "open"
    turns: Turns = Turns()
    default_acceptor: str = ""
    ask_at_once: int = 0
    colleagues: Sequence[Colleague] = ()
    colleagues_wait: timedelta = timedelta(0)
    pace: timedelta = timedelta(0)

    def same_company(self, free: Sequence[Candidate]) -> Route | None:
        """Give the lead to the first of these reps, at least one, who knows the company and is at work soon enough; None if nobody is.

        It is a turn like any other: the rep pays it, and those who could have had the lead by turn earn their parts.
        """
        by_rep, first = {one.rep: one for one in free}, min(one.opens_at for one in free)
        for known in self.colleagues:
            one = by_rep.get(known.rep)
            if one and (self.prefer == "turn" or one.opens_at <= first + self.colleagues_wait):
                there, _ = self._there(free)
                return Route(one.rep, known.why, shared_by={each.rep: each.weight for each in (*there, one)})
        return None

    def default(self, agreement: Agreement, why: str) -> Route:
        """Give the lead to the default acceptor, or to whoever stands in."""
        named = agreement.routing.default_acceptor
        if self.default_acceptor and self.default_acceptor != named:
            return Route(self.default_acceptor, f"{why}, who is away: their stand-in")
        return Route(named, why)

    def choose(self, free: Sequence[Candidate], why: str = "") -> Route:
        """Choose among these reps, at least one. why: what is said instead of the reason of the strategy."""
        at_work = [one for one in free if one.at_work]
        if self.ask_at_once and len(at_work) > 1 and not why:
            return self._ask(at_work)
        there, said = self._there(free)
        if self.strategy == "least-open":
            fewest = min(one.open_leads for one in there)
            there, said = [one for one in there if one.open_leads == fewest], f"fewest open leads{said}"
        else:
            said = f"next in turn{said}"
        shared_by = {one.rep: one.weight for one in there}
        return Route(self.turns.next_of(shared_by), why or said, shared_by=shared_by)

    def _ask(self, at_work: Sequence[Candidate]) -> Route:
        """Ask as many of these reps as agreed, those whose turn comes first."""
        left = {one.rep: one.weight for one in at_work}
        told: dict[str, int] = {}
        while left and len(told) < self.ask_at_once:
            rep = self.turns.next_of(left)
            told[rep] = left.pop(rep)
        return Route(SEVERAL, "the first to accept has it", shared_by=told, told=tuple(told))

    def _there(self, free: Sequence[Candidate]) -> tuple[Sequence[Candidate], str]:
        """Return those among whom to choose, and what to add to the reason: by default those at work, else those who open first."""
        if self.prefer == "turn":
            return free, ""
        if at_work := [one for one in free if one.at_work]:
            return at_work, "" if len(at_work) == len(free) else " of those at work now"
        first = min(one.free_at(self.pace) for one in free)
        words = "come to it first" if self.pace and any(one.waiting for one in free) else "open first"
        return [one for one in free if one.free_at(self.pace) == first], f" of those who {words}, as nobody is at work now"


#: Why a rep gets a lead whom a rule or a person has named.
ASKED_FOR = "asked for"
#: Every rep of the queue has had this working day's share, or other leads are before it in the queue.
SHARED_OUT = Route("", "today's share is given out: the lead waits in the queue", in_queue=True)


def segment_for(agreement: Agreement, values: Mapping[str, Any], *, leg: int = 0) -> Segment | LegSegment | None:
    """Return the first segment that matches these facts (as they came), None for none.

    leg: counted from 0. A further leg uses its own segments, or `routing` if it names none.
    """
    known = stated(agreement, values)
    own = agreement.legs[leg].segments if leg < len(agreement.legs) else ()
    segments: Sequence[Segment | LegSegment] = own or agreement.routing.segments
    return next((segment for segment in segments if segment.when.holds(known)), None)


def route(
    agreement: Agreement,
    candidates: Sequence[Candidate],
    *,
    declined: frozenset[str],
    wanted: str = "",
    on_call: Candidate | None = None,
    rules: Rules = Rules(),
) -> Route:
    """Choose who gets the lead. declined: reps who gave it up or let it lapse; they never get it again in this handoff.

    wanted: a rep that a rule or a person asked for, who gets it even when full or closed, but not when away. on_call: who gets it
    when everyone is away, None for nobody. rules: how to choose among the free reps.
    """
    able = [one for one in candidates if one.rep not in declined]
    asked = next((one for one in able if one.rep == wanted), None)
    if asked and not asked.away:
        return SHARED_OUT if asked.done_for_today else Route(asked.rep, ASKED_FOR)
    here = [one for one in able if not one.away]
    free = [one for one in here if not one.full and not one.done_for_today]
    if free:
        return rules.same_company(free) or rules.choose(free)
    if any(one.left is not None for one in here):
        return SHARED_OUT
    if here:
        return _everyone_full(agreement, here, rules)
    if able:
        return _everyone_away(agreement, able, on_call if on_call and on_call.rep not in declined else None, rules)
    return rules.default(agreement, "nobody else can take it: default acceptor")


def _everyone_full(agreement: Agreement, here: Sequence[Candidate], rules: Rules) -> Route:
    agreed = agreement.routing
    if agreed.everyone_full == "route-anyway":
        return rules.choose(here, "everyone is full: routed anyway")
    if agreed.everyone_full == "manager":
        return Route("", "everyone is full: the manager decides", ask_manager=True)
    return rules.default(agreement, "everyone is full: default acceptor")


def _everyone_away(agreement: Agreement, able: Sequence[Candidate], on_call: Candidate | None, rules: Rules) -> Route:
    agreed = agreement.routing
    if agreed.everyone_away == "default-acceptor":
        return rules.default(agreement, "nobody else can take it: default acceptor")
    if agreed.everyone_away == "route-anyway":
        due = [one for one in able if not one.done_for_today]
        return rules.choose(due, "everyone is away: routed anyway") if due else SHARED_OUT
    if agreed.everyone_away == "on-call-or-hold" and on_call and not on_call.away:
        return SHARED_OUT if on_call.done_for_today else Route(on_call.rep, "everyone is away: on call")
    return Route("", "everyone is away: held until somebody is back", min(one.back_at for one in able))

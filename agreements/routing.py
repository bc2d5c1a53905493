"""Who gets the lead: the segment's team, then the rep whose turn it is among those who can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agreements.fields import stated
from agreements.model import Agreement, LegSegment, Segment


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rep as routing sees them. turns: how many assignments stayed with them; last_at: the newest of these (aware).

    left: how many more leads of this tier they may get today, None if the tier is not released day by day.
    """

    rep: str
    away: bool
    back_at: datetime
    open_leads: int
    capacity: int
    turns: int
    last_at: datetime | None
    left: int | None = None

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
    in the queue for the next working day (in_line), or ask the team's manager (ask_manager)."""

    rep: str
    why: str
    hold_until: datetime | None = None
    in_line: bool = False
    ask_manager: bool = False


#: Every rep of the queue has had this working day's share, or other leads are before it in the queue.
SHARED_OUT = Route("", "today's share is given out: the lead waits in the queue", in_line=True)


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
) -> Route:
    """Choose who gets the lead. declined: reps who gave it up or let it lapse; they never get it again in this handoff.

    wanted: a rep that a rule or a person asked for, who gets it even when full, but not when away. on_call: who gets it when
    everyone is away, None for nobody. Among the free reps, the fewest turns win, then the longest time without a turn, then
    the order of the file.
    """
    able = [one for one in candidates if one.rep not in declined]
    asked = next((one for one in able if one.rep == wanted), None)
    if asked and not asked.away:
        return SHARED_OUT if asked.done_for_today else Route(asked.rep, "asked for")
    here = [one for one in able if not one.away]
    free = [one for one in here if not one.full and not one.done_for_today]
    if free:
        return Route(min(free, key=_turn).rep, "next in turn")
    if any(one.left is not None for one in here):
        return SHARED_OUT
    if here:
        return _everyone_full(agreement, here)
    if able:
        return _everyone_away(agreement, able, on_call if on_call and on_call.rep not in declined else None)
    return Route(agreement.routing.default_acceptor, "nobody else can take it: default acceptor")


def _everyone_full(agreement: Agreement, here: Sequence[Candidate]) -> Route:
    rules = agreement.routing
    if rules.everyone_full == "route-anyway":
        return Route(min(here, key=_turn).rep, "everyone is full: routed anyway")
    if rules.everyone_full == "manager":
        return Route("", "everyone is full: the manager decides", ask_manager=True)
    return Route(rules.default_acceptor, "everyone is full: default acceptor")


def _everyone_away(agreement: Agreement, able: Sequence[Candidate], on_call: Candidate | None) -> Route:
    rules = agreement.routing
    if rules.everyone_away == "default-acceptor":
        return Route(rules.default_acceptor, "nobody else can take it: default acceptor")
    if rules.everyone_away == "route-anyway":
        due = [one for one in able if not one.done_for_today]
        return Route(min(due, key=_turn).rep, "everyone is away: routed anyway") if due else SHARED_OUT
    if rules.everyone_away == "on-call-or-hold" and on_call and not on_call.away:
        return SHARED_OUT if on_call.done_for_today else Route(on_call.rep, "everyone is away: on call")
    return Route("", "everyone is away: held until somebody is back", min(one.back_at for one in able))


def _turn(one: Candidate) -> tuple[int, float]:
    return one.turns, one.last_at.timestamp() if one.last_at else 0.0

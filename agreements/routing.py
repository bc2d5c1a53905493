"""Who gets the lead: the segment's team, then the rep whose turn it is among those who can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agreements.fields import stated
from agreements.model import Agreement, Segment


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rep as routing sees them: turns counts the assignments that stayed with them, last_at the newest one (aware)."""

    rep: str
    away: bool
    back_at: datetime
    open_leads: int
    capacity: int
    turns: int
    last_at: datetime | None

    @property
    def full(self) -> bool:
        """Whether they have as many open leads as agreed."""
        return self.open_leads >= self.capacity


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets it (empty: nobody now, look again at hold_until), and why in one sentence."""

    rep: str
    why: str
    hold_until: datetime | None = None


def segment_for(agreement: Agreement, values: Mapping[str, Any]) -> Segment | None:
    """The first segment that these facts, as they came, match; None for none."""
    known = stated(agreement, values)
    return next((segment for segment in agreement.routing.segments if segment.when.holds(known)), None)


def route(agreement: Agreement, candidates: Sequence[Candidate], *, declined: frozenset[str], wanted: str = "") -> Route:
    """Who gets the lead. declined: had it and gave it up, or let it lapse; they never get it again in this handoff.

    wanted: a rep that a rule or a person asked for; taken even when full, not when away.
    Among those who can, the fewest turns count, then the longest time without one, then the order of the file.
    """
    rules = agreement.routing
    able = [one for one in candidates if one.rep not in declined]
    asked = next((one for one in able if one.rep == wanted), None)
    if asked and not asked.away:
        return Route(asked.rep, "asked for")
    here = [one for one in able if not one.away]
    free = [one for one in here if not one.full]
    if free:
        return Route(min(free, key=_turn).rep, "next in turn")
    if here:
        if rules.everyone_full == "route-anyway":
            return Route(min(here, key=_turn).rep, "everyone is full: routed anyway")
        return Route(rules.default_acceptor, "everyone is full: default acceptor")
    if able and rules.everyone_away == "route-anyway":
        return Route(min(able, key=_turn).rep, "everyone is away: routed anyway")
    if able and rules.everyone_away == "hold":
        return Route("", "everyone is away: held until somebody is back", min(one.back_at for one in able))
    return Route(rules.default_acceptor, "nobody else can take it: default acceptor")


def _turn(one: Candidate) -> tuple[int, float]:
    return one.turns, one.last_at.timestamp() if one.last_at else 0.0

"""Writes where leads would go as JSON. docs/backtest.md describes the shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.backtest.route_report import PromiseFound, RepFound, RoutingFound
from app.charts.parts import Part


def routing_as_json(found: RoutingFound) -> dict[str, Any]:
    """Return where the leads of one version would go, as plain values."""
    return {
        "sampled": part(found.sampled),
        "weeks": found.weeks,
        "reps": [_rep(one) for one in found.reps],
        "by_team": dict(found.by_team),
        "why": dict(found.why),
        "nobody": dict(found.nobody),
        "waited": part(found.waited),
        "longest_wait_seconds": int(found.longest.total_seconds()),
        "promises": _promises(found.promises),
        "past_answers": found.answers,
        "reps_with_own_times": found.own_times,
        "notes": list(found.notes),
    }


def part(one: Part) -> dict[str, Any]:
    """Return a part with its whole; the share is null where there is nothing to count."""
    return {"count": one.count, "of": one.of, "share": None if one.share is None else round(one.share, 6)}


def _rep(one: RepFound) -> dict[str, Any]:
    return {
        "rep": one.rep,
        "name": one.name,
        "team": one.team,
        "leads": one.leads,
        "leads_a_week": round(one.a_week, 3),
        "busiest_week": {"from": one.week.isoformat() if one.week else None, "leads": round(one.busiest, 3)},
        "most_open": one.most_open,
        "capacity": one.capacity,
        "promises": _promises(one.promises),
    }


def _promises(found: Sequence[PromiseFound]) -> list[dict[str, Any]]:
    return [
        {"promise": one.name, "missed": part(one.missed) if one.missed else None, "ends_while_rep_is_off": part(one.off)} for one in found
    ]

"""Writes a backtest as JSON. docs/backtest.md describes the shape; new parts are added at the end."""

from __future__ import annotations

from typing import Any

from app.backtest.report import Backtest, CriterionFound, Share, SideFound
from app.backtest.route_document import part, routing_as_json

#: How many unusable rows are named; all are counted.
NAMED = 100


def as_json(found: Backtest) -> dict[str, Any]:
    """Return the whole backtest as plain values."""
    moves = found.moves
    return {
        "origin": found.origin,
        "leads": _share(found.leads),
        "won_means": found.word,
        "shares_are_of": "decided" if found.losses else "followed",
        "draft": _side(found.draft),
        "against": _side(found.other) if found.other else None,
        "moves": moves
        and {
            "both": _share(moves.both),
            "only_draft": _share(moves.only_draft),
            "only_against": _share(moves.only_other),
            "neither": _share(moves.neither),
        },
        "by": found.by,
        "groups": [
            {
                "value": group.value,
                "leads": _share(group.leads),
                "draft": _share(group.draft),
                "against": _share(group.other) if group.other else None,
            }
            for group in found.groups
        ],
        "left_out": {
            "count": len(found.left_out),
            "first": [{"place": one.place, "line": one.line, "reason": one.reason} for one in found.left_out[:NAMED]],
        },
        "warnings": list(found.warnings),
        "no_routing": found.no_routing,
    }


def _share(one: Share) -> dict[str, Any]:
    interval = one.interval
    return {
        "leads": one.leads,
        "known": one.known,
        "won": one.won,
        "share": _rounded(one.share),
        "between": [_rounded(end) for end in interval] if interval else None,
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)


def _side(side: SideFound) -> dict[str, Any]:
    return {
        "agreement": side.reference,
        "threshold": side.threshold,
        "elsewhere": _share(side.elsewhere),
        "screened": {name: _share(one) for name, one in side.screened.items()},
        "qualified": _share(side.qualified),
        "below": _share(side.below),
        "fast_lane": _share(side.fast_lane),
        "only_by_asking": _share(side.only_by_asking),
        "tiers": {name: _share(one) for name, one in side.tiers.items()},
        "teams": {name: _share(one) for name, one in side.teams.items()},
        "criteria": [_criterion(one) for one in side.criteria],
        "curve": [{"threshold": threshold, **_share(one)} for threshold, one in enumerate(side.curve)],
        "stages": [{"stage": one.name, "qualified": part(one.qualified), "others": part(one.others)} for one in side.stages],
        "routing": routing_as_json(side.routing) if side.routing else None,
    }


def _criterion(one: CriterionFound) -> dict[str, Any]:
    return {
        "place": one.place,
        "rule": one.words,
        "points": one.points,
        "held": one.held,
        "given": one.given,
        "mattered": one.mattered,
        "why": one.why,
    }

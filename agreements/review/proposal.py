"""A proposal of a review: what to change in the agreement, why, and how many leads it touches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from agreements.review.share import Share, Value

#: At most this many proposals stand in one review.
MOST = 3

ProposalKind = Literal["threshold", "criterion", "reason", "clock"]


class Change(Value):
    """One change to the text of an agreement. path: the keys and places that lead there. value: the new one, null to take it out."""

    path: tuple[str | int, ...]
    value: int | str | dict[str, str] | None


class Proposal(Value):
    """What to change. subject: the criterion, reason or clock, or what of the threshold. what: in a sentence. grounds: the counts.

    leads: how many it touches. changes: to the agreement; none where talking comes before writing. backtest: what the change would have
    done to the promises and reasons of the period, in a sentence; empty where the draft is tried on past leads.
    """

    kind: ProposalKind
    subject: str
    what: str
    grounds: tuple[str, ...]
    leads: int
    changes: tuple[Change, ...] = ()
    backtest: str = ""


def chosen(found: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Return at most three, those that touch the most leads first, and none about the same subject twice."""
    first: dict[tuple[ProposalKind, str], Proposal] = {}
    for one in sorted(found, key=lambda each: (-each.leads, each.kind, each.subject)):
        first.setdefault((one.kind, one.subject), one)
    return tuple(first.values())[:MOST]


def shown(one: Share) -> str:
    """12 of 30 (40.0 %)"""
    return f"{one.count:,} of {one.of:,}" + (f" ({100 * one.count / one.of:.1f} %)" if one.of else "")

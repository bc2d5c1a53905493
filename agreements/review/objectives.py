"""The objectives of both sides, measured: each of the nine aims that an agreement may name, with or without a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agreements.clauses.aims import MEASURES, Aim
from agreements.model import Agreement
from agreements.review.deals import Deal, amount_opened
from agreements.review.funnel import mqls
from agreements.review.pace import Pace, days_of, pace
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise, kept, of_clock
from agreements.review.share import Share, Value, part
from agreements.words import PARTIES, Party


class Objective(Value):
    """One aim and what was measured in the period. words: what it measures. target: as the agreement writes it, empty for none.

    share: for an aim that is a share; count: for one that is a number; amount, currency: for one that is money, in whole units.
    reached: the share reaches the target, or the number keeps the pace; null without a target, or where there is nothing to count.
    pace: of a number or an amount with a target.
    """

    side: Party
    aim: str
    words: str
    target: str
    share: Share | None = None
    count: int | None = None
    amount: float | None = None
    currency: str = ""
    reached: bool | None = None
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What the aims are measured by. not_shown: passes that ended as an opportunity which the CRM does not show."""

    passes: Sequence[Pass]
    promises: Sequence[Promise]
    deals: Sequence[Deal]
    not_shown: Sequence[Pass]
    agreement: Agreement

    def shares(self, period: Period) -> Mapping[str, Share]:
        """Return the share of each aim that asks for one."""
        found = kept(self.promises, period)
        return {
            "accepted": _accepted(self.passes, period),
            "delivery": of_clock(found, "delivery"),
            "speed_to_lead": of_clock(found, "first_attempt"),
            "worked": _worked(self.passes, period),
            "mql_to_opportunity": part(bool(one.opportunity_at) for one in self.passes if _ended_as_mql(one, period)),
            "answered": of_clock(found, "acceptance"),
        }

    def count(self, aim: str, period: Period) -> int:
        """Return the number of MQLs or of opportunities in the period."""
        if aim == "mqls":
            return len(mqls(self.passes, period))
        without = sum(period.holds(one.opportunity_at) for one in self.not_shown)
        return sum(period.holds(one.opened_at) for one in self.deals) + without


def objectives(by: Measured, period: Period) -> tuple[Objective, ...]:
    """Measure every aim of both sides. A period without anything to count has shares of 0 of 0."""
    aims: Mapping[Party, Mapping[str, Aim]] = {"marketing": by.agreement.objectives.marketing, "sales": by.agreement.objectives.sales}
    shares = by.shares(period)
    return tuple(
        _of_share(side, name, aims[side].get(name), shares[name])
        if name in shares
        else _of_amount(by, side, name, aims[side].get(name), period)
        for side in PARTIES
        for name in MEASURES[side]
    )


def _plain(side: Party, name: str, aim: Aim | None) -> dict[str, Any]:
    return {"side": side, "aim": name, "words": MEASURES[side][name], "target": str(aim) if aim else ""}


def _of_share(side: Party, name: str, aim: Aim | None, share: Share) -> Objective:
    reached = share.count * 100 >= aim.amount * share.of if aim is not None and aim.unit == "%" and share.of else None
    return Objective(**_plain(side, name, aim), share=share, reached=reached)


def _of_amount(by: Measured, side: Party, name: str, aim: Aim | None, period: Period) -> Objective:
    currency = aim.unit if aim and name == "pipeline" else _currency(by.deals, period)
    if name == "pipeline":
        done: dict[str, Any] = {"amount": amount_opened(by.deals, period, currency), "currency": currency}
    else:
        done = {"count": by.count(name, period)}
    found = _pace(by, name, aim, period, currency) if aim and aim.per else None
    return Objective(**_plain(side, name, aim), **done, pace=found, reached=found.on_pace if found else None)


def _pace(by: Measured, name: str, aim: Aim, period: Period, currency: str) -> Pace:
    own = period.since(days_of(aim, period.last)[0])
    done = amount_opened(by.deals, own, currency) if name == "pipeline" else float(by.count(name, own))
    return pace(aim, done, period, by.agreement.calendar())


def _currency(deals: Sequence[Deal], period: Period) -> str:
    """Return the currency with the most opportunities of the period that have an amount, for an aim that names none."""
    found = [one.currency for one in deals if period.holds(one.opened_at) and one.amount is not None]
    return max(sorted(set(found)), key=found.count, default="")


def _accepted(passes: Sequence[Pass], period: Period) -> Share:
    """Of the leads that sales first answered in the period, or first left unanswered in it, those that sales accepted.

    Each lead counts once. A lead that comes on a Friday and is accepted on Monday counts on Monday.
    """
    own = [one for one in passes if period.holds(one.decided_at) and one.assigned_at and not one.by_sales and not one.merged]
    return part(one.became == "accepted" for one in own)


def _worked(passes: Sequence[Pass], period: Period) -> Share:
    """Of the accepted leads whose first attempt was made or missed in the period, those that somebody tried to reach."""
    return part(one.touches > 0 for one in passes if period.holds(one.worked_at) and not one.merged)


def _ended_as_mql(one: Pass, period: Period) -> bool:
    return one.mql_at is not None and period.holds(one.ended_at) and not one.merged


def behind(one: Objective) -> Decimal:
    """Return how far an objective is from its target, as a part of the target from 0 to 1; 0 where it is reached or has none."""
    if one.reached is not False:
        return Decimal(0)
    if one.pace:
        return Decimal(str(round(1 - one.pace.done / one.pace.expected, 6))) if one.pace.expected else Decimal(0)
    target = Decimal(one.target.rstrip("%"))
    reached = Decimal(100 * one.share.count) / one.share.of if one.share and one.share.of else Decimal(0)
    return (target - reached) / target if target else Decimal(0)

"""Deals: the opportunities of leads, as the CRM says them. Currencies are never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import quantiles
from typing import Literal

from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.share import Share, Value, part
from agreements.words import OpportunityState

#: Which campaign of the lead's activities: the first, or the last before the opportunity began.
WhichCampaign = Literal["first", "last"]
WHICH_CAMPAIGN: tuple[WhichCampaign, WhichCampaign] = ("first", "last")


@dataclass(frozen=True, slots=True)
class Deal:
    """One opportunity. crm_id: its name in the CRM. lead_id: None where the CRM named no lead that Baton knows.

    pass_id: the pass from which it came, None where no pass of the agreement had begun before. settled_at: when it was won or lost, None
    where that had not happened. amount: hundredths of the currency, None where the CRM said none. faults: what cannot be right, by name.
    campaigns: the first and the last, empty for none. days: from when the lead was first stored to the end, by the calendar; None while
    it is open. stalled_at: from when it was stalled, as nothing changed for the agreed time; None while it is not.
    """

    crm_id: str
    lead_id: int | None
    pass_id: int | None
    opened_at: datetime
    settled_at: datetime | None = None
    state: OpportunityState = OpportunityState.OPEN
    amount: int | None = None
    currency: str = ""
    faults: tuple[str, ...] = ()
    campaigns: tuple[str, str] = ("", "")
    days: int | None = field(default=None)
    stalled_at: datetime | None = None

    @property
    def ended_before_it_began(self) -> bool:
        """Whether the CRM says so. Then nobody knows how long it took."""
        return "closed-before-opened" in self.faults

    def was(self, state: OpportunityState, period: Period) -> bool:
        """Whether it came to this end in the period."""
        return self.state == state and period.holds(self.settled_at)


class Money(Value):
    """Opportunities from leads, in one currency; empty where the CRM said none. Amounts are in whole units, to the hundredth.

    opened, won, lost: opportunities in the period; with an amount, of them.
    """

    currency: str
    opened: Share
    opened_amount: float
    won: Share
    won_amount: float
    lost: Share
    lost_amount: float


class OpenMoney(Value):
    """The opportunities from leads that were open at the end of the period, in one currency. Amounts are in whole units.

    stalled: of them, those in which nothing had changed in the CRM for the agreed time; stalled_amount: what those are worth.
    """

    currency: str
    amount: float
    stalled: Share
    stalled_amount: float


class Campaign(Value):
    """The pipeline of one campaign in one currency. which: the first or the last campaign of each lead. campaign: empty for none."""

    which: WhichCampaign
    campaign: str
    money: Money


class DaysToWon(Value):
    """Days from when a lead was first stored to its win, for wins of the period.

    won: how many; counted: of them, those whose days are known and possible. The quartiles and the longest are of those.
    """

    won: int
    quartiles: tuple[float, float, float] | None
    counted: int = 0
    longest: int | None = None


def from_leads(deals: Iterable[Deal]) -> list[Deal]:
    """Return the opportunities that came from a pass of the agreement."""
    return [one for one in deals if one.pass_id is not None]


def first_wins(deals: Iterable[Deal]) -> dict[int, datetime]:
    """Return when each pass had its first won opportunity, by the id of the pass."""
    won: dict[int, datetime] = {}
    for one in deals:
        if one.state == OpportunityState.WON and one.settled_at and one.pass_id is not None:
            won[one.pass_id] = min(one.settled_at, won.get(one.pass_id, one.settled_at))
    return won


def won_too(passes: Iterable[Pass], deals: Iterable[Deal]) -> list[Pass]:
    """Return the passes so that each with a won opportunity is an opportunity, also where its rep has not told Baton."""
    won = first_wins(deals)
    return [_with_win(one, won[one.id]) if one.id in won and one.opportunity_at is None else one for one in passes]


def _with_win(one: Pass, at: datetime) -> Pass:
    at = max(at, one.began_at)
    return replace(one, opportunity_at=at, sql_at=one.sql_at or at)


def money(deals: Sequence[Deal], period: Period) -> tuple[Money, ...]:
    """Return what was opened, won and lost in the period, by currency in alphabetical order."""
    return tuple(found for currency in sorted({one.currency for one in deals}) if (found := _money(currency, deals, period)))


def _money(currency: str, deals: Sequence[Deal], period: Period) -> Money | None:
    own = [one for one in deals if one.currency == currency]
    groups = [
        [one for one in own if period.holds(one.opened_at)],
        [one for one in own if one.was(OpportunityState.WON, period)],
        [one for one in own if one.was(OpportunityState.LOST, period)],
    ]
    if not any(groups):
        return None
    opened, won, lost = (part(one.amount is not None for one in group) for group in groups)
    amounts = [sum(one.amount or 0 for one in group) / 100 for group in groups]
    return Money(
        currency=currency,
        opened=opened,
        opened_amount=amounts[0],
        won=won,
        won_amount=amounts[1],
        lost=lost,
        lost_amount=amounts[2],
    )


def still_open(deals: Iterable[Deal]) -> tuple[OpenMoney, ...]:
    """Return what was open at the end, by currency in alphabetical order."""
    groups: dict[str, list[Deal]] = {}
    for one in deals:
        if one.settled_at is None:
            groups.setdefault(one.currency, []).append(one)
    return tuple(
        OpenMoney(
            currency=currency,
            amount=sum(one.amount or 0 for one in own) / 100,
            stalled=part(one.stalled_at is not None for one in own),
            stalled_amount=sum(one.amount or 0 for one in own if one.stalled_at) / 100,
        )
        for currency, own in sorted(groups.items())
    )


def by_campaign(deals: Sequence[Deal], period: Period) -> tuple[Campaign, ...]:
    """Return the pipeline by first and by last campaign, in alphabetical order."""
    found: list[Campaign] = []
    for at, which in enumerate(WHICH_CAMPAIGN):
        for name in sorted({one.campaigns[at] for one in deals}):
            own = [one for one in deals if one.campaigns[at] == name]
            found += [Campaign(which=which, campaign=name, money=one) for one in money(own, period)]
    return tuple(found)


def days_to_won(deals: Iterable[Deal], period: Period) -> DaysToWon:
    """Return how long the wins of the period took."""
    won = [one for one in deals if one.was(OpportunityState.WON, period)]
    days = [one.days for one in won if one.days is not None and one.days >= 0 and not one.ended_before_it_began]
    if not days:
        return DaysToWon(won=len(won), quartiles=None)
    first, middle, last = quantiles(days, n=4, method="inclusive") if len(days) > 1 else (float(days[0]),) * 3
    return DaysToWon(won=len(won), quartiles=(first, middle, last), counted=len(days), longest=max(days))


def amount_opened(deals: Iterable[Deal], period: Period, currency: str) -> float:
    """Return the worth of the opportunities that were opened in the period in this currency, in whole units."""
    return sum(one.amount or 0 for one in deals if one.currency == currency and period.holds(one.opened_at)) / 100

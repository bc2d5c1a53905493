"""Figures of a review as people read them, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from agreements.review.cohorts import Step
from agreements.review.deals import DaysToWon
from agreements.review.objectives import Objective
from agreements.review.pace import Pace
from agreements.review.promises import Cause
from agreements.review.share import Share
from app.audit.wording import lasting
from app.backtest.wording import DASH, number, percent
from app.review.report import OpenByAge, Review

#: What a cell of a table may hold.
Cell = Share | Step | str | int | float | date | timedelta | None
#: The aims as people say them.
AIMS: Mapping[str, str] = {
    "mqls": "MQLs", "accepted": "Accepted", "pipeline": "Pipeline", "delivery": "Delivered in time", "speed_to_lead": "Speed to lead",
    "worked": "Worked", "mql_to_opportunity": "MQL to opportunity", "opportunities": "Opportunities", "answered": "Answered in time",
}  # fmt: skip
_CAUSES: Mapping[Cause, str] = {"baton": "Baton (no proof in time)", "nobody": "several reps were asked"}


def of(one: Share) -> str:
    """12 of 30 (40.0 %); the whole is always there."""
    return f"{one.count:,} of {one.of:,} ({percent(one.share)})" if one.of else "0 of 0"


def cell(value: Cell) -> str:
    """Return a cell of a table as people read it."""
    if isinstance(value, Share | Step):
        return of(value.reached if isinstance(value, Step) else value)
    if isinstance(value, timedelta):
        return lasting(value.total_seconds())
    if isinstance(value, datetime | date):
        return f"{value:%d %b %Y}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return number(value)
    return DASH if value is None else value


def is_faint(value: Cell) -> bool:
    """Return whether a cell says little: its share is one of fewer than 20, or may still grow."""
    return value.young or value.reached.few if isinstance(value, Step) else isinstance(value, Share) and value.few


def days(found: Review) -> str:
    """1 Feb 2027 to 7 Feb 2027"""
    return f"{day_of(found.first)} to {day_of(found.last)}" if found.first != found.last else day_of(found.first)


def day_of(day: date) -> str:
    """1 Feb 2027"""
    return f"{day.day} {day:%b %Y}"


def headline(found: Review) -> str:
    """State the result in a few sentences."""
    sides = [f"{one.side.capitalize()} kept {of(one.kept)} of its promises." for one in found.sides if one.kept.of]
    accepted = f" Sales accepted {of(found.funnel.accepted)}." if found.funnel.mqls else ""
    worth = ", ".join(f"{one.opened_amount:,.0f} {one.currency}".rstrip() for one in found.money if one.opened.count)
    pipeline = [f"Pipeline created: {worth}."] if worth else []
    mqls = "1 MQL" if found.funnel.mqls == 1 else f"{found.funnel.mqls:,} MQLs"
    return " ".join([f"{mqls}.{accepted}", *sides, *pipeline])


def days_to_won(found: DaysToWon) -> str:
    """From lead to win: a median of 14 days (of 21 wins; a quarter within 7, three quarters within 30, the longest 90). Empty for none."""
    if found.quartiles is None:
        return ""
    first, middle, last = (f"{one:,g}" for one in found.quartiles)
    wins = "1 win" if found.counted == 1 else f"{found.counted:,} wins"
    counted = wins if found.counted == found.won else f"{found.counted:,} of {wins}, whose days are known and possible"
    within = f"a quarter within {first}, three quarters within {last}, the longest {found.longest or 0:,}"
    return f"From lead to win: a median of {middle} days (of {counted}; {within})."


def measured(one: Objective) -> Cell:
    """Return what was measured, as a cell."""
    if one.share is not None:
        return one.share
    return f"{one.amount:,.0f} {one.currency}".rstrip() if one.amount is not None else one.count


def reached(one: Objective) -> str:
    """yes, no, or a dash where there is no target or nothing to count."""
    return DASH if one.reached is None else "yes" if one.reached else "no"


def pace(one: Pace | None) -> str:
    """48 of 120 in the month (expected: 60); needs 6 each working day. Empty without a pace."""
    if one is None:
        return ""
    needs = f"; needs {one.needed_a_day:,g} each working day" if one.needed_a_day and one.done < one.target else ""
    return f"{one.done:,.0f} of {one.target:,.0f} in the {one.per} (expected: {one.expected:,.0f}){needs}"


def caused_by(causes: Mapping[Cause, int]) -> str:
    """3 marketing, 1 no proof that it arrived; empty for none."""
    return ", ".join(f"{count:,} {_CAUSES.get(cause, cause)}" for cause, count in causes.items())


def age(one: OpenByAge, before: int) -> str:
    """under 1 day, 1 to 7 days, over 90 days."""
    if one.days is None:
        return f"over {before} days"
    return f"{before} to {one.days} days" if before else f"under {one.days} day" if one.days == 1 else f"under {one.days} days"


def warnings(found: Review) -> Iterator[str]:
    """Yield the notes as sentences, each with how many and which."""
    for one in found.notes:
        which = f" ({', '.join(one.which)}{', …' if one.count > len(one.which) else ''})" if one.which else ""
        yield f"{one.what}{f' {one.count:,}' if one.which else ''}{which}"

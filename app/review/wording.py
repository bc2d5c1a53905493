"""Figures of a review as people read them, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from agreements.review.objectives import Objective
from agreements.review.pace import Pace
from agreements.review.promises import Cause
from agreements.review.share import Share
from app.audit.wording import lasting
from app.backtest.wording import DASH, number, percent
from app.review.report import OpenByAge, Review

#: What a cell of a table may hold.
Cell = Share | str | int | float | date | timedelta | None
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
    if isinstance(value, Share):
        return of(value)
    if isinstance(value, timedelta):
        return lasting(value.total_seconds())
    if isinstance(value, datetime | date):
        return f"{value:%d %b %Y}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return number(value)
    return DASH if value is None else value


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


def measured(one: Objective) -> Cell:
    """Return what was measured, as a cell."""
    if one.share is not None:
        return one.share
    return f"{one.amount:,.0f} {one.currency}".rstrip() if one.amount is not None else one.count


def reached(one: Objective) -> str:
    """yes, no, or a dash where there is no target or nothing to count."""
    return DASH if one.reached is None else "yes" if one.reached else "no"


def pace(one: Pace | None) -> str:
    """48 of 120 this month, 60 expected by now; needs 6 a working day. Empty without a pace."""
    if one is None:
        return ""
    needs = f"; needs {one.needed_a_day:,g} a working day" if one.needed_a_day and one.done < one.target else ""
    return f"{one.done:,.0f} of {one.target:,.0f} this {one.per}, {one.expected:,.0f} expected by now{needs}"


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

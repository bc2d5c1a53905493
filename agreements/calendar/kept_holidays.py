"""Public holidays as dates that a published version keeps, so that a later version of the library moves no due time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from agreements.calendar.public_holidays import KeptHolidays, public_holidays
from agreements.calendar.working_time import WorkingCalendar

Resolved = Mapping[str, Mapping[str, str]]
"""Of each calendar that takes its holidays from the library: ISO date to name. Plain text, so that JSON holds it."""


def resolved_holidays(calendars: Mapping[str, Mapping[str, Any]], years: range) -> dict[str, dict[str, str]]:
    """The public holidays of these years, by calendar, as the library installed now has them.

    calendars: clauses by name; those with a list of dates, or without holidays, are left out.
    Raises: CalendarError for a faulty clause.
    """
    resolved = {}
    for name, clause in calendars.items():
        closed = WorkingCalendar.from_clause(clause).closed_on
        if closed.country is not None:
            tables = [public_holidays(closed.country, closed.subdivision, year) for year in years]
            resolved[name] = {day.isoformat(): title for table in tables for day, title in sorted(table.items())}
    return resolved


def with_resolved(calendars: Mapping[str, Mapping[str, Any]], resolved: Resolved, years: range | None = None) -> dict[str, WorkingCalendar]:
    """The calendars, ready to reckon with: within these years the kept dates count and no others, outside them the library's.

    years: those that `resolved` was made for; by default, of each calendar, from the first to the last that is kept.
    Raises: CalendarError for a faulty clause.
    """
    return {name: _keeping(WorkingCalendar.from_clause(clause), resolved.get(name, {}), years) for name, clause in calendars.items()}


def _keeping(calendar: WorkingCalendar, names: Mapping[str, str], years: range | None) -> WorkingCalendar:
    kept = {date.fromisoformat(day): title for day, title in names.items()}
    if not kept or calendar.closed_on.country is None:
        return calendar
    if years is None:
        years = range(min(kept).year, max(kept).year + 1)
    return replace(calendar, closed_on=replace(calendar.closed_on, kept=KeptHolidays(years, kept)))

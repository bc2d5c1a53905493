"""The public holidays that a published version keeps as dates, so that a later library version moves no due time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from agreements.calendar.public_holidays import KeptHolidays, public_holidays
from agreements.calendar.working_time import WorkingCalendar

Resolved = Mapping[str, Mapping[str, str]]
"""Calendar -> ISO date -> holiday name, for each calendar with holidays from the library. Plain text, so that JSON can hold it."""


def resolved_holidays(calendars: Mapping[str, Mapping[str, Any]], years: range) -> dict[str, dict[str, str]]:
    """Return the public holidays of these years, by calendar, from the installed library.

    calendars: clauses by name. Calendars with a list of dates, or without holidays, are left out.
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
    """Return the calendars, ready for calculations. Only the kept dates count within these years, the library's outside them.

    years: the years of `resolved`. By default, each calendar's years run from its first kept date to its last.
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

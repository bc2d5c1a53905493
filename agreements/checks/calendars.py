"""Check that each calendar can be read and is open at some time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from agreements.calendar.working_time import CalendarError, WorkingCalendar
from agreements.checks.base import Finding
from agreements.model import Agreement
from agreements.yaml_reader import Path

#: Words that mean a person's own calendar, so no calendar may have such a name.
OWN = ("rep", "holder")


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find every mistake in every calendar, each at its place."""
    if "calendars" not in agreement.model_fields_set:
        return
    first_day = datetime.combine(agreement.effective.from_, time(), tzinfo=UTC)
    for name, clause in agreement.calendars.items():
        where: Path = ("calendars", name)
        if name in OWN:
            yield Finding(where, f"{name!r} means the calendar of the person who owes a clock; give this calendar another name")
        try:
            calendar = WorkingCalendar.from_clause(clause)
        except CalendarError as error:
            yield from _told(where, error)
            continue
        try:
            calendar.next_opening(first_day)
        except CalendarError:
            what = f"is never open from {agreement.effective.from_} on; write hours that holidays and special_days leave open"
            yield Finding(where, what, needs=(("effective",),))


def _told(where: Path, error: CalendarError) -> Iterator[Finding]:
    for path, problem, instead in error.problems:
        steps = tuple(step if isinstance(step, int) else str(step) for step in path)
        yield Finding((*where, *steps), f"{problem}; write {instead}")

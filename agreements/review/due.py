"""When the reviews of an agreement are due, and which days each of them is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from agreements.calendar.instants import as_utc
from agreements.model import Agreement
from agreements.review.period import last_month, last_week, midnight
from agreements.words import ReviewKind

#: How many reviews of each kind are made up for, where nothing ran when they were due.
MADE_UP_FOR: Final = 2
#: How many weeks, and how many months, are looked at. A month without a working day has no review.
_LOOKED_AT = 6
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class DueReview:
    """A review that is due. first, last: its days in the agreement's zone, both included; at: when it is due, aware UTC."""

    kind: ReviewKind
    first: date
    last: date
    at: datetime


def due_reviews(agreement: Agreement, *, since: datetime, until: datetime | None, now: datetime) -> tuple[DueReview, ...]:
    """Return the reviews that are due by now, at most the newest two of each kind, the oldest first.

    since, until: the time in which the agreement is in force, aware; None for no end. A review of other days is never due.
    """

    def counts(one: DueReview) -> bool:
        begins, ends = midnight(one.first, agreement.timezone), midnight(one.last + timedelta(days=1), agreement.timezone)
        return one.at <= now and ends > since and (until is None or begins < until)

    weekly = list(islice((one for one in _weekly(agreement, now) if one.at <= now), MADE_UP_FOR))
    monthly = list(islice((one for one in _monthly(agreement, now) if one.at <= now), MADE_UP_FOR))
    return tuple(sorted(filter(counts, [*weekly, *monthly]), key=lambda one: (one.at, one.first)))


def _weekly(agreement: Agreement, now: datetime) -> Iterator[DueReview]:
    """Yield the reviews of the last weeks, the newest first; one may not be due yet."""
    weekday, at = agreement.review.weekly.split()
    today = agreement.day(now)
    newest = today - timedelta(days=(today.weekday() - _WEEKDAYS.index(weekday)) % 7)
    for back in range(_LOOKED_AT):
        day = newest - timedelta(weeks=back)
        yield DueReview("weekly", *last_week(day), _instant(day, at, agreement.timezone))


def _monthly(agreement: Agreement, now: datetime) -> Iterator[DueReview]:
    """Yield the reviews of the last months, the newest first; one may not be due yet."""
    *_, at = agreement.review.monthly.split()
    month = agreement.day(now).replace(day=1)
    for _ in range(_LOOKED_AT):
        first, last = last_month(month)
        if (day := _first_working_day(agreement, month)) is not None:
            yield DueReview("monthly", first, last, _instant(day, at, agreement.timezone))
        month = first


def _first_working_day(agreement: Agreement, month: date) -> date | None:
    """Return the first open day of the agreement's first calendar in this month, None where it is closed all month."""
    calendar = agreement.calendar()
    days = (month + timedelta(days=number) for number in range(31))
    return next((day for day in days if day.month == month.month and calendar.hours_on(day)), None)


def _instant(day: date, at: str, zone: str) -> datetime:
    """Return this time of day in UTC. A time that the change to summer time skips moves forward; one that comes twice is the first."""
    return as_utc(datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone)))

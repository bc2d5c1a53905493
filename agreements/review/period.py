"""The days that a review is about, in the agreement's zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

#: How many weeks the trend of the promises shows, and how many months of MQLs are followed to their wins, at least.
WEEKS, MONTHS = 13, 13


@dataclass(frozen=True)
class Period:
    """Whole days from `first` to `last`, both included. zone: an IANA name. now: aware; what comes later is not known."""

    first: date
    last: date
    zone: str
    now: datetime

    @cached_property
    def begins(self) -> datetime:
        """The first instant, aware UTC."""
        return midnight(self.first, self.zone)

    @cached_property
    def ends(self) -> datetime:
        """The first instant after the last day, aware UTC."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @cached_property
    def as_of(self) -> datetime:
        """The instant up to which facts count: the end of the period, or now where that is earlier."""
        return min(self.now, self.ends)

    def holds(self, at: datetime | None) -> bool:
        """Whether this instant lies in the period and has come."""
        return at is not None and self.begins <= at < self.as_of

    def day(self, at: datetime) -> date:
        """Return the date at that instant."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def week(self, at: datetime) -> date:
        """Return the Monday of the week of that instant."""
        day = self.day(at)
        return day - timedelta(days=day.weekday())

    def named(self, at: datetime) -> datetime:
        """Return the first instant of a day that the CRM named, which is stored as its midnight in UTC; any other instant as it is."""
        return midnight(at.astimezone(UTC).date(), self.zone) if _is_day(at) else at

    def end_of_named(self, at: datetime) -> datetime:
        """Return the first instant after a day that the CRM named; any other instant as it is. Something came before it or at it."""
        return midnight(at.astimezone(UTC).date() + timedelta(days=1), self.zone) if _is_day(at) else at

    def since(self, first: date) -> Period:
        """Return the period from that day to the same end."""
        return Period(first, self.last, self.zone, self.now)

    @cached_property
    def weeks(self) -> tuple[date, ...]:
        """The Mondays of the weeks of the trend, the week of the last day being the newest."""
        newest = self.last - timedelta(days=self.last.weekday())
        return tuple(newest - timedelta(weeks=back) for back in reversed(range(WEEKS)))

    @cached_property
    def months(self) -> tuple[date, ...]:
        """The first days of the months that are followed: every month of the period, and 13 of them at least."""
        own = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        return tuple(sorted(_months_back(self.last, max(own, MONTHS))))

    @property
    def known_since(self) -> datetime:
        """From when facts are read: the beginning of the period, of the oldest week and of the oldest month, whichever is earliest."""
        return midnight(min(self.first, self.weeks[0], self.months[0]), self.zone)


def _is_day(at: datetime) -> bool:
    return at.astimezone(UTC).time() == time()


def midnight(day: date, zone: str) -> datetime:
    """Return the first instant of a day in that zone, aware UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def last_week(today: date) -> tuple[date, date]:
    """Return the Monday and the Sunday of the last week that is over."""
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(days=7), monday - timedelta(days=1)


def last_month(today: date) -> tuple[date, date]:
    """Return the first and the last day of the last month that is over."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _months_back(day: date, count: int) -> Iterator[date]:
    first = day.replace(day=1)
    for _ in range(count):
        yield first
        first = (first - timedelta(days=1)).replace(day=1)

"""Give out a tier's leads at the reps' pace: how much of today's share is left, and on which morning a lead's turn comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agreements.calendar.working_time import WorkingCalendar

#: A calendar that has been closed for so long has no working day before.
_LONGEST_CLOSED = timedelta(days=366)


def share_began(calendar: WorkingCalendar, now: datetime) -> datetime:
    """Return since when the leads that a rep gets count to the share of the current working day; outside hours, of the next one.

    That is the end of the working day before. A break is part of its day.
    """
    day, days = calendar.end_of_working_day(now), 1
    before = calendar.end_of_working_day(now - timedelta(days=days))
    while before == day and days < _LONGEST_CLOSED.days:
        days += 1
        before = calendar.end_of_working_day(now - timedelta(days=days))
    return before if before < day else now - _LONGEST_CLOSED


def morning_turn(at: datetime, *, ahead: int, pace: timedelta, calendar: WorkingCalendar) -> datetime:
    """Return from when the time of a lead counts that came at this instant. While the rep is at work, that is the instant itself.

    Otherwise the leads of the night follow each other from the opening on, in this pace of working time. ahead: how many come first.
    """
    return at if calendar.is_open(at) or not ahead else calendar.add(calendar.next_opening(at), ahead * pace)


def planned_opening(*, ahead: int, left: int, per_day: int, now: datetime, calendar: WorkingCalendar) -> datetime:
    """Return the opening at which a lead's turn comes.

    ahead: leads before it in the queue; left: what is left of this working day's share (outside hours, of the next day's);
    per_day: how many leads all reps of the queue get in a whole day, at least 1.
    """
    if ahead < left:
        return calendar.next_opening(now)
    whole_days = (ahead - left) // max(1, per_day) + 1
    first = calendar.end_of_working_day(now)
    closing = first if whole_days == 1 else calendar.add_days(first, whole_days - 1)
    return calendar.next_opening(closing)


@dataclass(frozen=True, slots=True)
class Pace:
    """A rep of a release queue. left: of the share of this working day (outside hours, of the next one). is_away: at an instant."""

    rep: str
    calendar: WorkingCalendar
    left: int
    is_away: Callable[[datetime], bool] = lambda at: False


@dataclass(frozen=True, slots=True)
class ReleaseDay:
    """What a queue gives out on one day: the number of leads for each rep who gets any."""

    day: date
    given: Mapping[str, int]


#: The plan looks so many days ahead. Leads that have no day until then have none.
PLANNED_DAYS = 3 * 366


def planned_days(paces: Sequence[Pace], *, per_rep: int, ahead: int, count: int, now: datetime) -> tuple[ReleaseDay, ...]:
    """Return how a queue gives out so many more leads, day by day, if the reps stay as they are and nobody is full.

    ahead: leads that are in the queue before them. per_rep: leads for each rep in a working day. The days are those of the reps'
    calendars, without the days at whose opening a rep is away. Fewer leads than count have a day if nobody works long enough.
    """
    rooms: dict[date, dict[str, int]] = {}
    for pace in paces:
        for number, day in enumerate(_days_at_work(pace, now, enough=ahead + count, per_rep=per_rep)):
            rooms.setdefault(day, {})[pace.rep] = pace.left if number == 0 and _is_next(pace, day, now) else per_rep
    found, before, left = [], ahead, count
    for day in sorted(rooms):
        given: Counter[str] = Counter()
        for rep in _in_turn(rooms[day]):
            if before:
                before -= 1
            elif left:
                given[rep] += 1
                left -= 1
        if given:
            found.append(ReleaseDay(day, dict(given)))
    return tuple(found)


def _days_at_work(pace: Pace, now: datetime, *, enough: int, per_rep: int) -> Iterator[date]:
    """The working days of a rep from now on, as many as this rep would need for all the leads alone."""
    opening, last = pace.calendar.next_opening(now), now + timedelta(days=PLANNED_DAYS)
    days = 0
    while opening <= last and days <= enough // per_rep + 1:
        if not pace.is_away(opening):
            days += 1
            yield pace.calendar.end_of_working_day(opening).astimezone(pace.calendar.timezone).date()
        opening = pace.calendar.next_opening(pace.calendar.end_of_working_day(opening))


def _is_next(pace: Pace, day: date, now: datetime) -> bool:
    return pace.calendar.end_of_working_day(now).astimezone(pace.calendar.timezone).date() == day


def _in_turn(rooms: Mapping[str, int]) -> Iterator[str]:
    """The reps of a day, one after the other, until nobody has room."""
    for number in range(max(rooms.values(), default=0)):
        yield from (rep for rep, room in rooms.items() if room > number)

"""Give out a tier's leads at the reps' pace: how much of today's share is left, and on which morning a lead's turn comes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from agreements.calendar.working_time import WorkingCalendar


def share_left(per_rep: int, given: Iterable[datetime], *, now: datetime, calendar: WorkingCalendar) -> int:
    """Return how many more leads a rep may get in the current working day; outside hours, in the next one.

    given: when the rep got leads of this tier, aware; the newest `per_rep` of them are enough. A break is part of its day.
    """
    day = calendar.end_of_working_day(now)
    return max(0, per_rep - sum(calendar.end_of_working_day(at) == day for at in given))


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

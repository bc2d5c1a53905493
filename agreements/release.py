"""Giving out a tier at the reps' pace: how much of today's share is left, and on which morning the rest comes to its turn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from agreements.calendar.working_time import WorkingCalendar


def share_left(per_rep: int, given: Iterable[datetime], *, now: datetime, calendar: WorkingCalendar) -> int:
    """How many more leads a rep may get in the working day that now falls in; in the next one, outside hours.

    given: when the rep got leads of this tier, aware; as many of the newest as the share are enough. A break is part of its day.
    """
    day = calendar.end_of_working_day(now)
    return max(0, per_rep - sum(calendar.end_of_working_day(at) == day for at in given))


def planned_opening(*, ahead: int, left: int, per_day: int, now: datetime, calendar: WorkingCalendar) -> datetime:
    """The opening at which a lead comes to its turn.

    ahead: leads that stand before it in line; left: what may still be given out of this working day's share (of the next
    one's, outside hours); per_day: what all reps in line get in a whole day, at least 1.
    """
    if ahead < left:
        return calendar.next_opening(now)
    whole_days = (ahead - left) // max(1, per_day) + 1
    first = calendar.end_of_working_day(now)
    closing = first if whole_days == 1 else calendar.add_days(first, whole_days - 1)
    return calendar.next_opening(closing)

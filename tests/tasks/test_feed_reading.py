"""A calendar is read in a process of its own, which ends when it takes too long or too much memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agreements.calendar.absence_feed import FeedUnreadable, Reading
from tasks.feeds.reading import read_apart
from tests.calendars import day, ics

ASKED = Reading("Europe/Berlin", "ana@firm.example", datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC))


def test_it_answers_as_if_it_were_read_here() -> None:
    assert read_apart(ics(day("20270301")), ASKED) == [(datetime(2027, 2, 28, 23, tzinfo=UTC), datetime(2027, 3, 1, 23, tzinfo=UTC))]


def test_what_is_wrong_comes_back_in_words() -> None:
    with pytest.raises(FeedUnreadable, match="shows a web page"):
        read_apart(b"<html>", ASKED)


def test_a_calendar_that_takes_for_ever_is_given_up() -> None:
    never = [day("00010101", "", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") for _ in range(50)]

    with pytest.raises(FeedUnreadable, match="takes too long"):
        read_apart(ics(*never), ASKED, cpu_seconds=1)

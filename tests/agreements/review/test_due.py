"""When reviews are due: weeks, first working days, holidays, summer time, and what is made up for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.review.due import DueReview, due_reviews
from tests.conftest import AGREEMENT

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def agreed(clause: str = "") -> Agreement:
    """Return the example agreement, which is in London, with this review clause."""
    return read_agreement(AGREEMENT + (f"\nreview: {{{clause}}}\n" if clause else ""))


def due(now: str, clause: str = "", *, since: datetime = LONG_AGO, until: datetime | None = None) -> list[DueReview]:
    return list(due_reviews(agreed(clause), since=since, until=until, now=datetime.fromisoformat(now)))


def told(found: list[DueReview]) -> list[str]:
    return [f"{one.kind} {one.first} to {one.last} at {one.at:%Y-%m-%dT%H:%M}Z" for one in found]


def test_without_the_clause_both_come_at_nine_in_the_morning() -> None:
    assert told(due("2027-02-08T09:00:00+00:00")) == [
        "monthly 2026-12-01 to 2026-12-31 at 2027-01-04T09:00Z",
        "monthly 2027-01-01 to 2027-01-31 at 2027-02-01T09:00Z",
        "weekly 2027-01-25 to 2027-01-31 at 2027-02-01T09:00Z",
        "weekly 2027-02-01 to 2027-02-07 at 2027-02-08T09:00Z",
    ]


def test_a_review_is_not_due_a_second_before_its_time() -> None:
    before = due("2027-02-08T08:59:59+00:00")

    assert max(one.last for one in before if one.kind == "weekly") == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("now", "clause", "expected"),
    [
        # From 28 March, London is an hour ahead of UTC.
        ("2027-03-30T00:00:00+00:00", "weekly: monday 09:00", "weekly 2027-03-22 to 2027-03-28 at 2027-03-29T08:00Z"),
        # 01:30 does not exist on that Sunday: the review comes an hour later by the clock on the wall.
        ("2027-03-28T12:00:00+00:00", "weekly: sunday 01:30", "weekly 2027-03-15 to 2027-03-21 at 2027-03-28T01:30Z"),
        # 01:30 comes twice on 31 October: the first one counts.
        ("2027-10-31T12:00:00+00:00", "weekly: sunday 01:30", "weekly 2027-10-18 to 2027-10-24 at 2027-10-31T00:30Z"),
        ("2027-02-12T09:00:00+00:00", "weekly: wednesday 16:45", "weekly 2027-02-01 to 2027-02-07 at 2027-02-10T16:45Z"),
    ],
)
def test_the_time_is_that_of_the_agreements_zone(now: str, clause: str, expected: str) -> None:
    assert told([one for one in due(now, clause) if one.kind == "weekly"])[-1] == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # 1 January is a holiday, 2 and 3 January are a weekend.
        ("2027-01-05T00:00:00+00:00", "monthly 2026-12-01 to 2026-12-31 at 2027-01-04T09:00Z"),
        # 1 and 2 May are a weekend, 3 May is a holiday in England.
        ("2027-05-05T00:00:00+00:00", "monthly 2027-04-01 to 2027-04-30 at 2027-05-04T08:00Z"),
        ("2027-05-04T07:59:00+00:00", "monthly 2027-03-01 to 2027-03-31 at 2027-04-01T08:00Z"),
    ],
)
def test_the_month_is_reviewed_on_the_first_working_day(now: str, expected: str) -> None:
    assert told([one for one in due(now) if one.kind == "monthly"])[-1] == expected


def test_after_a_long_stop_the_last_two_of_each_kind_are_made_up_for() -> None:
    found = due("2027-08-01T00:00:00+00:00")

    assert [one.kind for one in found].count("weekly") == 2
    assert [one.kind for one in found].count("monthly") == 2


def test_days_without_the_agreement_are_not_reviewed() -> None:
    began, ended = datetime(2027, 2, 3, tzinfo=UTC), datetime(2027, 2, 10, tzinfo=UTC)
    first = due("2027-02-08T10:00:00+00:00", since=began)
    later = due("2027-02-22T10:00:00+00:00", since=began, until=ended)

    assert told(first) == ["weekly 2027-02-01 to 2027-02-07 at 2027-02-08T09:00Z"]
    assert told(later) == ["weekly 2027-02-08 to 2027-02-14 at 2027-02-15T09:00Z"]

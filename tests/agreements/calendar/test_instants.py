"""An instant as people write it, and what had to be supposed to understand it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agreements.calendar.instants import read_instant

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "expected", "supposed"),
    [
        ("2026-05-01T16:30+02:00", "2026-05-01T14:30", ""),
        ("2026-05-01T16:30Z", "2026-05-01T16:30", ""),
        (" 2026-05-01 16:30:15Z ", "2026-05-01T16:30:15", ""),
        ("2026-05-01 16:30", "2026-05-01T15:30", "read as local time in Europe/London"),
        ("2026-01-01T16:30", "2026-01-01T16:30", "read as local time in Europe/London"),
        ("2026-03-29T01:30", "2026-03-29T01:30", "01:30 does not exist in Europe/London on that day; 02:30 is taken"),
        ("2026-10-25T01:30", "2026-10-25T00:30", "01:30 comes twice in Europe/London on that day; the first is taken"),
        ("2026-10-25T01:30+00:00", "2026-10-25T01:30", ""),
    ],
)
def test_an_instant_is_read_with_its_offset_or_as_local_time(text: str, expected: str, supposed: str) -> None:
    at, words = read_instant(text, LONDON)

    assert at.astimezone(UTC) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert words == supposed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is no instant; write an instant such as 2026-05-01T16:30+01:00, or without the offset for local time in Europe/London"),
        ("tomorrow", "'tomorrow' is no instant"),
        ("2026-02-30T09:00", "'2026-02-30T09:00' is no instant"),
        ("2026-05-01T25:00", "is no instant"),
        ("2026-05-01", "'2026-05-01' has no time of day"),
        ("1899-12-31T09:00", "out of reach; write an instant in the years 1900 to 2999"),
        ("9999-12-31T23:59-11:00", "out of reach"),
    ],
)
def test_what_is_no_instant_is_refused_with_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        read_instant(text, LONDON)

    assert problem in str(refused.value)

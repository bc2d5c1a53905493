"""Whose a lead's time was, on its page and at the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agreements.time_shares import duration, so_far, time_shares
from agreements.where_time_went import TIME_PARTIES
from app import terminal
from tests.app.stage import Stage, stage, words_of

HOUR = timedelta(hours=1)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (timedelta(milliseconds=400), "less than 1 s"),
        (timedelta(seconds=20), "20 s"),
        (timedelta(minutes=7), "7 min"),
        (timedelta(minutes=59, seconds=40), "1 h"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=4, minutes=10), "3 d 4 h"),
        (timedelta(days=2), "2 d"),
    ],
)
def test_a_time_is_said_in_its_two_largest_units(part: timedelta, words: str) -> None:
    assert duration(part) == words


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (timedelta(0), "less than a minute"),
        (timedelta(seconds=59.6), "less than a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(days=1, hours=2), "1 d 2 h"),
        (timedelta(seconds=-3), "less than a minute"),  # two processes whose clocks differ
    ],
)
def test_how_long_something_has_lasted_is_said_without_seconds(part: timedelta, words: str) -> None:
    assert so_far(part) == words


def test_the_shares_of_a_bar_follow_each_other_and_fill_it() -> None:
    shares = time_shares(dict.fromkeys(TIME_PARTIES, HOUR) | {"scoring": timedelta(0), "rep": 3 * HOUR})

    assert [one.party for one in shares] == [party for party in TIME_PARTIES if party != "scoring"]
    assert [round(one.before, 9) for one in shares] == [round(sum(one.share for one in shares[:place]), 9) for place in range(len(shares))]
    assert sum(one.share for one in shares) == pytest.approx(1)


def test_a_lead_without_any_time_has_no_bar() -> None:
    assert time_shares(dict.fromkeys(TIME_PARTIES, timedelta(0))) == []


def test_the_page_shows_a_bar_and_the_same_in_words(company: Stage) -> None:
    company.later(hours=32)

    page = company.browser().get(company.link)

    assert "Where the time went" in page.text
    assert re.findall(r'<rect class="([\w-]+)" x="([\d.]+)" width="([\d.]+)"', page.text) == [
        ("rep", "0.00", "500.00"),
        ("closed-hours", "500.00", "500.00"),
    ]
    assert "Rep 16 h 50 % Closed hours 16 h 50 %" in words_of(page)


def test_the_page_of_a_lead_that_somebody_else_has_now_shows_no_bar(company: Stage) -> None:
    company.later(hours=5)
    company.give_to("ben", because="handed")

    assert "Where the time went" not in company.browser().get(company.link).text


@pytest.mark.parametrize(("columns", "rep", "closed"), [(200, 45, 15), (80, 38, 12), (40, 8, 2)])
def test_the_terminal_shows_each_party_with_its_share_in_a_line_that_fits(
    monkeypatch: pytest.MonkeyPatch, columns: int, rep: int, closed: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with terminal.console.capture() as shown:
        terminal.print_bar(dict.fromkeys(TIME_PARTIES, timedelta(0)) | {"rep": 3 * HOUR, "closed hours": HOUR})

    bars = [line.split() for line in shown.get().splitlines()]
    assert bars == [["rep", "75.0%", rep * "█", "3", "h"], ["closed", "hours", "25.0%", closed * "█", "1", "h"]]

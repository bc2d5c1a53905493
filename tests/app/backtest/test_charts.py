"""Charts: everything stands within its plot, axes have round numbers, and what the words say follows from the figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.backtest.charts import curve, scale, whiskers
from app.backtest.lines import steps
from app.backtest.report import Backtest, Moves, Share, SideFound
from app.backtest.wording import headline, never_mattered, told_apart
from tests.present import the

NOBODY = Share()


def a_side(reference: str = "b2b@2", threshold: int = 60, leads: int = 1000, won: int = 100) -> SideFound:
    """A version whose leads grow fewer evenly with the threshold, down to none above 80."""
    falling = [Share(leads * left // 80, leads * left // 80, won * left // 80) for left in (*range(80, 0, -1), *[0] * 21)]
    here = falling[threshold]
    below = Share(leads - here.leads)
    return SideFound(reference, threshold, NOBODY, {}, here, below, NOBODY, NOBODY, {"normal": here}, {"emea": here}, (), tuple(falling))


def a_report(moves: Moves | None = None) -> Backtest:
    side, other = a_side(), a_side("b2b@1", 50)
    everybody = Share(1000, 1000, 100)
    found = Backtest("leads.csv", everybody, "won", False, "country", side)
    return replace(found, other=other, moves=moves) if moves else found


@given(st.floats(1e-2, 1e9))
@example(0.1)
def test_an_axis_reaches_over_everything_in_at_most_five_steps(most: float) -> None:
    top, ticks = scale(most)

    assert ticks[0] == 0
    assert ticks[-1] == top >= most
    assert 1 <= len(ticks) - 1 <= 5
    assert top < most * 2.6


def test_every_point_of_the_curve_stands_within_the_plot() -> None:
    drawn = curve(a_report(Moves(NOBODY, NOBODY, NOBODY, NOBODY)))

    places = [
        tuple(map(float, point.split(",")))
        for plot in (drawn.volume, drawn.shares)
        for trace in the(plot).traces
        for point in f"{trace.points} {trace.band}".split()
    ]
    assert len(places) > 400
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places)
    assert [(mark.at, mark.label, mark.anchor) for mark in drawn.marks] == [(60, "b2b@2: 60", "end"), (50, "b2b@1: 50", "start")]
    assert drawn.told[60].startswith("b2b@2 at 60: 250 qualify, 25 of 250 won: 10.0 % (6.9 to 14.3 %)\nb2b@1 at 60")


def test_shares_of_a_handful_are_not_drawn() -> None:
    few = replace(a_report(), draft=a_side(leads=20, won=5))

    assert curve(few).shares is None


def test_whiskers_share_one_scale() -> None:
    wide, narrow, unknown = whiskers([Share(4, 4, 2), Share(1000, 1000, 100), Share(5)])

    assert unknown is None
    assert (the(wide).high, the(narrow).high < the(wide).high) == (100, True)
    assert the(narrow).low <= the(narrow).at <= the(narrow).high


def test_the_curve_in_numbers_ends_where_nobody_qualifies_any_more() -> None:
    assert steps(a_report()) == list(range(0, 81, 5))


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        (
            Moves(Share(500, 500, 50), Share(300, 300, 90), NOBODY, NOBODY),
            "30.0 % won of the leads that only b2b@2 takes, 10.0 % of the leads that both take: chance alone hardly explains this"
            " difference.",
        ),
        (
            Moves(Share(500, 500, 50), Share(30, 30, 4), NOBODY, NOBODY),
            "13.3 % won of the leads that only b2b@2 takes, 10.0 % of the leads that both take: chance alone may explain this difference.",
        ),
        (
            Moves(Share(500, 500, 50), Share(300, 300, 3), Share(300, 300, 60), NOBODY),
            "1.0 % won of the leads that only b2b@2 takes, 20.0 % of the leads that only b2b@1 takes: chance alone hardly explains this"
            " difference.",
        ),
        (Moves(Share(500, 500, 50), Share(300), NOBODY, NOBODY), ""),
    ],
)
def test_those_who_move_are_compared_and_what_chance_may_have_made_is_said(moves: Moves, said: str) -> None:
    assert told_apart(a_report(moves)) == said


def test_the_headline_says_of_what_the_shares_are() -> None:
    found = a_report()

    assert headline(found) == "b2b@2 qualifies 250 of 1,000 leads; 10.0 % of them won so far."
    assert headline(replace(found, losses=True)) == "b2b@2 qualifies 250 of 1,000 leads; of those decided 10.0 % won."


def test_a_version_without_idle_points_says_nothing_of_them() -> None:
    assert never_mattered(a_side()) == ""

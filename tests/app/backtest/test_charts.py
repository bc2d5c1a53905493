"""Charts show the figures of the report, on one scale where two are compared, and what the words say follows from the figures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from app.backtest.charts import groups, moves, rules, thresholds
from app.backtest.lines import steps
from app.backtest.page import page
from app.backtest.report import Backtest, CriterionFound, GroupFound, Moves, Share, SideFound
from app.backtest.wording import headline, never_mattered, told_apart
from app.charts.kinds import Bars, Chart, Curves, Rates, Step, is_empty
from app.charts.parts import Part

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


def charts(found: Backtest) -> list[Chart]:
    """All charts of this report."""
    return [*moves(found), *thresholds(found), *rules(found), *groups(found, shown=found.groups)]


def test_the_curves_hold_each_threshold_with_its_share_and_range() -> None:
    volume, shares = thresholds(a_report(Moves(NOBODY, NOBODY, NOBODY, NOBODY)))

    assert isinstance(volume, Curves)
    assert isinstance(shares, Curves)
    assert [(curve.name, curve.mark, len(curve.steps)) for curve in volume.curves] == [("b2b@2", 60, 101), ("b2b@1", 50, 101)]
    assert volume.curves[0].steps[60] == Step(60, 250)
    at_60 = shares.curves[0].steps[60]
    assert [at_60.value, at_60.low, at_60.high] == pytest.approx([0.1, 0.069, 0.143], abs=5e-4)


def test_shares_of_a_handful_are_not_drawn() -> None:
    few = replace(a_report(), draft=a_side(leads=20, won=5))

    assert [chart.title for chart in thresholds(few)] == ["Leads that qualify"]


def test_who_moves_is_drawn_only_where_two_versions_are_compared() -> None:
    alone, compared = a_report(), a_report(Moves(Share(500, 400, 50), Share(30), NOBODY, Share(470, 470, 1)))

    assert list(moves(alone)) == []
    leads, won = moves(compared)
    assert isinstance(leads, Bars)
    assert isinstance(won, Rates)
    assert [(row.name, row.count) for row in leads.rows] == [
        ("Under both", 500), ("Only under b2b@2", 30), ("Only under b2b@1", 0), ("Under neither", 470),
    ]  # fmt: skip
    assert [row.part for row in won.rows] == [Part(50, 400), Part(0, 0), Part(0, 0), Part(1, 470)]


def test_rules_of_both_versions_are_drawn_on_one_scale_without_those_that_never_mattered() -> None:
    rule = CriterionFound("fit 1", "industry is software", 20, 100, 2000, 40)
    idle, other = replace(rule, words="from a trade show", mattered=0), replace(rule, mattered=15)
    found = replace(a_report(), draft=replace(a_side(), criteria=(rule, idle)), other=replace(a_side("b2b@1"), criteria=(other,)))

    drawn = list(rules(found))

    assert [chart.end for chart in drawn if isinstance(chart, Bars)] == [40, 40]
    assert [[row.name for row in chart.rows] for chart in drawn if isinstance(chart, Bars)] == [["industry is software"]] * 2


@pytest.mark.parametrize("leads", [0, 1, 1000])
def test_the_page_of_any_report_holds_its_charts_and_needs_nothing_else(leads: int) -> None:
    share = Share(leads, leads, leads // 10)
    group = GroupFound("<script>", share, share, share)
    side = a_side(leads=leads, won=leads // 10)
    found = Backtest("leads.csv", share, "won", False, "country", side, side, Moves(share, share, share, share), (group,))

    html = page(found)

    assert html.count("<figure") == len(charts(found))
    assert html.count("<svg") == sum(not is_empty(chart) for chart in charts(found))
    assert not re.search(r"https?://|<script|<link|None|nan", html)


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

"""On 8,000 real leads, where they are at hand: a review counts what is known of them."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from agreements.review.period import Period
from agreements.words import OpportunityState
from app.review.reading import Read
from app.review.report import Review
from app.review.review import review_of
from tests.agreements.review.values import a_deal, a_pass, example
from tests.app.backtest.test_olist import LEADS, RATES

pytestmark = pytest.mark.skipif(not LEADS.exists(), reason="these leads may not be shipped")
DEALS = LEADS.with_name("olist_closed_deals_dataset.csv")


def rows(path: Any) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def found() -> Review:
    """Return the review of all their days. Each lead is an MQL on the day of its first contact."""
    began = {row["mql_id"]: datetime.fromisoformat(row["first_contact_date"]).replace(tzinfo=UTC) for row in rows(LEADS)}
    number = {name: at for at, name in enumerate(began, 1)}
    won = {row["mql_id"]: datetime.fromisoformat(row["won_date"]).replace(tzinfo=UTC) for row in rows(DEALS)}
    passes = [
        a_pass(number[row["mql_id"]], began[row["mql_id"]], source=row["origin"] or "not-recorded", opportunity_at=won.get(row["mql_id"]))
        for row in rows(LEADS)
    ]
    deals = [
        a_deal(
            number[name], opened_at=min(at, began[name]), settled_at=at, state=OpportunityState.WON, amount=None, currency="",
            days=(at.date() - began[name].date()).days,
        )
        for name, at in won.items()
    ]  # fmt: skip
    last = date(2018, 12, 31)
    of = Period(date(2017, 1, 1), last, "UTC", datetime(2018, 12, 31, tzinfo=UTC) + timedelta(days=2))
    return review_of(Read(example(), passes, (), (), deals, (), {}), of)


def test_each_source_has_its_known_win_rate_and_no_deal_is_lost() -> None:
    rates = {one.source: one.won.share or 0 for one in found().by_source}

    assert (found().funnel.mqls, sum(one.won.count for one in found().by_source)) == (8000, 842)
    assert {name: round(rates[name], 3) for name in RATES} == RATES
    assert round(rates["not-recorded"], 3) == 0.233


def test_the_days_to_a_win_are_the_known_ones_and_the_impossible_row_is_named() -> None:
    impossible = [one for one in found().notes if one.code == "won-before-the-lead-came"]

    assert (found().days_to_won.won, found().days_to_won.quartiles) == (842, (5.0, 14.0, 55.0))
    assert [one.count for one in impossible] == [1]

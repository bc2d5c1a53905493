"""On 8,000 real leads, where they are at hand: the win rates that are known, and the one deal that cannot be."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agreements.loading import read_agreement
from app.backtest.compare import compare
from app.backtest.files import LeadFile, read_past
from app.backtest.report import Backtest
from app.csv_import.lead_map import read_map
from tests.conftest import ROOT
from tests.present import the

#: The folder with both files: as the variable says, else beside the project.
FOLDER = Path(os.environ.get("BATON_TEST_OLIST") or ROOT.parent / "shared" / "data" / "olist")
LEADS = FOLDER / "olist_marketing_qualified_leads_dataset.csv"
RATES = {
    "paid_search": 0.123, "organic_search": 0.118, "direct_traffic": 0.112, "referral": 0.085, "social": 0.056, "display": 0.051,
    "email": 0.030, "unknown": 0.163,
}  # fmt: skip
pytestmark = pytest.mark.skipif(not LEADS.exists(), reason="these leads may not be shipped")


def tried(by: str) -> Backtest:
    agreement = read_agreement((ROOT / "agreements/examples/marketplace.yaml").read_text(encoding="utf-8"))
    file = LeadFile(LEADS, read_map(ROOT / "examples/maps/olist.yaml"), by=by)
    return compare(agreement, None, read_past(file, [agreement], now=datetime(2027, 2, 1, tzinfo=UTC)))


@pytest.mark.parametrize(("by", "blank"), [("origin", "(blank)"), ("entry_channel", "not-recorded")])
def test_win_rates_by_origin_are_the_known_ones_and_blank_is_not_unknown(by: str, blank: str) -> None:
    found = tried(by)

    rates = {group.value: group.leads.share for group in found.groups}
    assert {name: round(the(rates[name]), 3) for name in RATES} == RATES
    assert round(the(rates[blank]), 3) == 0.233
    assert (found.leads.leads, found.leads.won) == (8000, 841)


def test_the_deal_that_was_won_before_its_first_contact_is_named() -> None:
    (bad,) = tried("origin").left_out

    assert (bad.place, bad.line) == ("olist_closed_deals_dataset.csv", 669)
    assert "won on 2018-03-06, before the first contact on 2018-03-08 (lead b91cf8812365f50ff4bda4bcd6206b05" in bad.reason

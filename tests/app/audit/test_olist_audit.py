"""On 8,000 real leads, where they are at hand: the numbers that are known of them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from app.audit.audit import AuditFiles, audit
from app.audit.report import Audit, Counted
from app.csv_import.lead_map import read_map
from tests.app.audit.ground import an_agreement
from tests.app.backtest.test_olist import LEADS, RATES
from tests.conftest import ROOT
from tests.present import the

pytestmark = pytest.mark.skipif(not LEADS.exists(), reason="these leads may not be shipped")


@cache
def found() -> Audit:
    files = AuditFiles(LEADS, read_map(ROOT / "examples/maps/olist.yaml"))
    return audit(files, an_agreement(), drafted=False, now=datetime(2027, 2, 1, tzinfo=UTC))


def test_every_deal_joins_a_lead_and_each_source_has_its_known_win_rate() -> None:
    rates = {one.value: one.won.share for one in found().by_source}

    assert (found().leads, found().joined) == (8000, Counted(count=842, of=842))
    assert {name: round(rates[name] or 0, 3) for name in RATES} == RATES
    assert round(rates["not-recorded"] or 0, 3) == 0.233


def test_days_to_a_win_are_the_known_ones_and_a_win_known_by_its_day_counts() -> None:
    days = found().days_to_won

    assert (days.quartiles, days.longest, days.shortest) == ((5.0, 14.0, 55.0), 427, 0)
    assert (days.leads, days.days_only) == (841, 61)


def test_the_win_before_its_lead_is_named() -> None:
    (bad,) = found().not_used.first

    assert (bad.place, bad.line, bad.wrong) == ("olist_closed_deals_dataset.csv", 669, "won before the lead was created")
    assert the(found().won).won == 841


def test_a_lead_without_a_deal_is_open_and_what_no_file_tells_is_not_counted() -> None:
    assert any("won leads only: the others are open, not lost" in one for one in found().warnings)
    assert (found().untouched, found().lost, found().rejected, found().speeds) == (None, None, None, ())
    assert all(one.not_in_file for one in found().promises)

"""A backtest with everything that the page can show: the example's past leads, two versions, a roster, and answers that Baton knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from agreements.loading import read_agreement
from agreements.roster import read_roster
from agreements.words import ClockName
from app.backtest.compare import compare
from app.backtest.crew import Crew
from app.backtest.files import LeadFile, read_past
from app.backtest.report import Backtest
from app.csv_import.lead_map import read_map
from storage.answer_times import PastAnswer
from tests.app.backtest.ground import EXAMPLE, NOW
from tests.conftest import ROOT, ROSTER


def example_backtest() -> Backtest:
    """Return a backtest of the example agreement against a stricter one."""
    draft = read_agreement(EXAMPLE.replace("version: 1", "version: 2").replace("total: 60", "total: 45"))
    leads = LeadFile(ROOT / "examples/past-leads.csv", read_map(ROOT / "examples/maps/past-leads.yaml"))
    before = read_agreement(EXAMPLE)
    return compare(draft, before, read_past(leads, [draft, before], now=NOW), crew=Crew(read_roster(ROSTER), tuple(_answers())))


def _answers() -> list[PastAnswer]:
    dice, asked = Random(5), datetime(2027, 1, 5, 10, tzinfo=UTC)
    slow: dict[str, int] = {"ana": 40, "ben": 60, "cleo": 600, "emil": 200}
    promises: tuple[ClockName, ...] = ("acceptance", "first_attempt")
    return [
        PastAnswer(rep, promise, asked, None if dice.random() < 0.08 else asked + timedelta(minutes=dice.randrange(minutes)))
        for rep, minutes in slow.items()
        for promise in promises
        for _ in range(30)
    ]

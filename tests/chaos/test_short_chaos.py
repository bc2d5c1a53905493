"""A short chaos run with a fixed seed: nothing is lost, nothing goes out twice, and every late deadline has its reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.chaos.cluster import installed
from benchmarks.chaos.run import Options, run_chaos
from benchmarks.chaos.terminal_view import Screen

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.timeout(1800)]
#: Long enough that nearly every kind of blow falls. `make nightly` plays 1,000 leads, three times.
SHORT = Options(seed=20270201, leads=30, minutes=1.5, gap_seconds=(1.0, 4.0))


def test_thirty_leads_survive_a_minute_and_a_half_of_chaos(tmp_path: Path) -> None:
    if installed() is None:
        reason = "PostgreSQL is not installed; with SQLite: python -m benchmarks.chaos --sqlite"
        if os.environ.get("BATON_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    with Screen(Console()) as screen:
        outcome = run_chaos(SHORT, tmp_path, screen)
        screen.conclude(outcome)

    assert {check: found for check, found in outcome.findings.items() if found} == {}
    assert outcome.figures["blows"] > 20
    assert outcome.figures["leads"] == SHORT.leads

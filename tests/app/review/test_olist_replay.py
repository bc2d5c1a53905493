"""8,000 real leads and their 842 deals, where they are at hand, lived through by their dates. The review counts what the files say.

`make test-long` plays every tenth lead. `make nightly` plays all of them (BATON_OLIST=1).
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from storage.database import Database
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.backtest.test_olist import LEADS, RATES
from tests.app.conftest import Command
from tests.app.review.replay import BLANK, DEALS, FIRST, LAST, Replay, rows
from tests.driver import Driver

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not LEADS.exists(), reason="these leads may not be shipped"),
]
WHOLE = bool(os.environ.get("BATON_OLIST"))
#: The lead that was won two days before its first contact.
IMPOSSIBLE = "b91cf8812365f50ff4bda4bcd6206b05"


@dataclass
class Facts:
    """What the files say of these leads: how many came and were won, by origin, the days to each win, and the amounts in reais."""

    came: Counter[str] = field(default_factory=Counter)
    won: Counter[str] = field(default_factory=Counter)
    days: list[int] = field(default_factory=list)
    amount: float = 0.0

    @property
    def possible(self) -> list[int]:
        """The days of the wins that can be."""
        return [one for one in self.days if one >= 0]


def recounted(keep: set[str]) -> Facts:
    """Count the files anew."""
    found, came, zone = Facts(), dict[str, tuple[date, str]](), ZoneInfo("America/Sao_Paulo")
    with LEADS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["mql_id"] in keep:
                came[row["mql_id"]] = date.fromisoformat(row["first_contact_date"]), row["origin"] or BLANK
                found.came[row["origin"] or BLANK] += 1
    with DEALS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["mql_id"] in came:
                contact, origin = came[row["mql_id"]]
                found.won[origin] += 1
                found.days.append((datetime.fromisoformat(row["won_date"]).replace(tzinfo=UTC).astimezone(zone).date() - contact).days)
                found.amount += float(row["declared_monthly_revenue"] or 0)
    return found


@pytest.fixture
def time() -> SteppedTime:
    """The day on which the agreement comes into force."""
    return SteppedTime(datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(hours=12))


@pytest.fixture
def database(tmp_path: Path, empty_sqlite: Path) -> Iterator[Database]:
    """A database without an agreement."""
    opened = Database(f"sqlite:///{shutil.copyfile(empty_sqlite, tmp_path / 'baton.db')}")
    yield opened
    opened.close()


async def test_the_review_of_all_their_days_equals_the_files(
    box: Toolbox, driver: Driver, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    leads = [one for at, one in enumerate(rows()) if WHOLE or at % 10 == 0 or one.lead.source_id == IMPOSSIBLE]
    replay = Replay(box, driver, leads)
    await replay.play()
    facts, baton = recounted({one.lead.source_id for one in leads}), request.getfixturevalue("baton")

    told, tables = reviewed(baton, tmp_path / "out")

    assert of_leads(told) == {
        "MQLs": len(leads),
        "won": len(facts.days),
        "lost": 0,
        "open": len(leads) - len(facts.days),
        "by source": {name: (count, facts.won[name]) for name, count in facts.came.items()},
        "by month": (len(leads), len(facts.days)),
        "amount": facts.amount,
    }
    assert told["days_to_won"] == {
        "won": len(facts.days),
        "counted": len(facts.days) - 1,
        "quartiles": quantiles(facts.possible, n=4, method="inclusive"),
        "longest": max(facts.possible),
    }
    notes = {one["code"]: (one["count"], one["which"]) for one in told["notes"]}
    assert notes.pop("won-before-the-lead-came") == (1, [replay.early[IMPOSSIBLE]])
    assert set(notes) <= {"no-amount"}, notes
    assert {row["source"]: (row["won"], row["won of"]) for row in tables["sources"]} == {
        name: (f"{facts.won[name]}", f"{count}") for name, count in facts.came.items()
    }
    if WHOLE:
        known(told)


def known(told: dict[str, Any]) -> None:
    """Compare with what is known beside the files."""
    rates = {one["source"]: round(one["won"]["share"], 3) for one in told["by_source"]}
    assert {name: rates[name] for name in (*RATES, BLANK)} == {**RATES, BLANK: 0.233}
    assert (told["funnel"]["mqls"], told["days_to_won"]) == (
        8000, {"won": 842, "counted": 841, "quartiles": [5.0, 14.0, 55.0], "longest": 427},
    )  # fmt: skip


def of_leads(told: dict[str, Any]) -> dict[str, Any]:
    """Return what the review counts of leads and their deals."""
    return {
        "MQLs": told["funnel"]["mqls"],
        "won": sum(one["won"]["of"] for one in told["money"]),
        "lost": sum(one["lost"]["of"] for one in told["money"]),
        "open": told["open_leads"],
        "by source": {one["source"]: (one["won"]["of"], one["won"]["count"]) for one in told["by_source"]},
        "by month": (sum(one["mqls"] for one in told["cohorts"]), sum(one["won"]["reached"]["count"] for one in told["cohorts"])),
        "amount": sum(one["won_amount"] for one in told["money"]),
    }


def reviewed(baton: Command, out: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, str]]]]:
    """Make the review with the command. Return its JSON and its tables, once the page is small and names what they name."""
    done = baton("review", "--from", f"{FIRST}", "--to", f"{LAST}", "--out", str(out))
    assert done.exit_code == 0, done.output
    page = (out / "review.html").read_text(encoding="utf-8")
    assert len(page) < 1_000_000
    assert "From lead to win: a median of " in page
    assert "These were won before their lead came. They count as won, without days. 1" in page
    tables = {path.stem: list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))) for path in out.glob("*.csv")}
    return json.loads((out / "review.json").read_text(encoding="utf-8")), tables

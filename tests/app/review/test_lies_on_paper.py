"""Lies and oddities on the way through `baton review`: the page, the tables and the JSON come out whole, and say what cannot be right."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agreements.words import GivenAnswer
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.conftest import ROOT
from tests.deal import staff, until_working
from tests.driver import Driver
from tests.stage import answer_by_link, capture, local_crm
from tests.tasks.steps.test_undo import undo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/review.schema.json").read_text(encoding="utf-8")))
#: Names as a stranger may type them into a form.
ODD = ("<script>alert(1)</script>", "=cmd()", "two\nlines", "\x1b[31mred\x1b[0m", "x" * 200, "[bold]", "\u202eleft")
ANA = '  ana: {name: Ana Silva, email: ana@northgate.example, team: emea, timezone: Europe/London, phone: "+44 20 7946 0101"}\n'
CHOICES: tuple[GivenAnswer, ...] = ("accepted", "attempted")
WEEK = ("--from", "2027-02-01", "--to", "2027-02-07")


@dataclass(frozen=True, slots=True)
class Written:
    """What the command wrote: the JSON, the page, the tables by name, and the terminal."""

    told: dict[str, Any]
    page: str
    tables: dict[str, list[list[str]]]
    shown: str

    def notes(self) -> dict[str, int]:
        """Return how many things each note counts."""
        return {one["code"]: one["count"] for one in self.told["notes"]}


def told(baton: Command, *words: str) -> dict[str, Any]:
    """Return the JSON that the command writes of this period."""
    done = baton("review", *words, "--json", "-")
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    assert list(SCHEMA.iter_errors(found)) == []
    return found


def written(baton: Command, folder: Path, *words: str) -> Written:
    """Run the command, and read the files that it wrote."""
    done = baton("review", *words, "--out", str(folder))
    assert done.exit_code == 0, (done.output, done.exception)
    told = json.loads((folder / "review.json").read_text(encoding="utf-8"))
    assert list(SCHEMA.iter_errors(told)) == []
    tables = {one.stem: [*csv.reader(io.StringIO(one.read_text(encoding="utf-8")))] for one in folder.glob("*.csv")}
    return Written(told, (folder / "review.html").read_text(encoding="utf-8"), tables, done.output)


async def test_every_lie_of_the_crm_is_said_and_no_name_does_harm(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    names = [(one, f"s{number}") for number, one in enumerate(ODD)]
    leads = [capture(box, source=one, source_id=ident, campaign=one, company=one) for one, ident in names]
    await driver.settle()
    for choice in CHOICES:
        for lead in leads:
            answer_by_link(box, lead, choice)
        await driver.settle()
    crm = local_crm(box)
    said = [
        {"amount": "-5", "currency": "EUR"},
        {"amount": "NaN", "currency": "€"},
        {"amount": "9" * 15, "currency": "eur"},
        {"amount": "12.345", "currency": "usd"},
        {"amount": "100", "currency": "EUR", "state": "won", "closed_on": "2027-06-01"},
        {"amount": "7", "currency": "EUR", "state": "won"},
        {"amount": "8", "currency": "EUR", "state": "won"},
    ]
    deals = [crm.person_sets_opportunity(lead.lead_id, by="ana", at=time.at, **one) for lead, one in zip(leads, said, strict=True)]
    await driver.settle()
    time.at += MINUTE
    again = {"state": "won", "closed_on": "2027-02-02"}
    crm.person_sets_opportunity(leads[-2].lead_id, by="ana", at=time.at, opportunity=deals[-2], **again)
    crm.person_sets_opportunity(leads[-1].lead_id, by="ana", at=time.at, opportunity=deals[-1], state="open")
    await driver.settle()
    time.at += 7 * DAY

    found = written(request.getfixturevalue("baton"), tmp_path / "out", *WEEK)

    money = {one["currency"]: one for one in found.told["money"]}
    assert found.notes() == {"faulty-opportunity": 3, "day-to-come": 1, "no-amount": 3}
    assert {name: (one["opened"]["of"], one["won"]["of"], one["won_amount"]) for name, one in money.items()} == {
        "": (1, 0, 0.0),
        "EUR": (5, 2, 107.0),
        "USD": (1, 0, 0.0),
    }
    assert (found.told["days_to_won"]["won"], found.told["days_to_won"]["longest"]) == (2, 1)
    assert "<script" not in found.page
    assert not [one for one in found.page + found.shown if ord(one) < 32 and one not in "\n\t"]
    assert {len(row) - len(rows[0]) for rows in found.tables.values() for row in rows} == {0}
    assert not [cell for rows in found.tables.values() for row in rows for cell in row if cell.startswith("=")]
    assert {row[0] for row in found.tables["sources"]} >= {"<script>alert(1)</script>", "'=cmd()", "two\nlines"}


async def test_somebody_who_left_the_roster_is_shown_by_the_id(
    driver: Driver, box: Toolbox, time: SteppedTime, request: pytest.FixtureRequest
) -> None:
    await until_working(driver, box)
    staff(box, (ANA, ""))
    time.at += 7 * DAY

    found = told(request.getfixturevalue("baton"), *WEEK)

    assert [(one["rep"], one["name"], one["open"]) for one in found["load"]] == [("ana", "ana", 1)]
    assert sum(one["seconds"] for one in found["time_spent"]) == (7 * DAY - 9 * HOUR).total_seconds()


@pytest.mark.parametrize(
    ("day", "after", "seconds"),
    [("2027-02-02", 15 * HOUR + timedelta(seconds=1), 1), ("2027-03-28", 60 * DAY, 23 * 3600), ("2027-01-31", DAY, 0)],
    ids=["the first second", "the day on which summer time begins", "the day before"],
)
async def test_a_short_period_holds_its_own_seconds(
    driver: Driver, box: Toolbox, time: SteppedTime, request: pytest.FixtureRequest, day: str, after: timedelta, seconds: int
) -> None:
    await until_working(driver, box)
    time.at += after

    found = told(request.getfixturevalue("baton"), "--from", day, "--to", day)

    assert sum(one["seconds"] for one in found["time_spent"]) == seconds


async def test_an_answer_that_was_taken_back_after_midnight_counts_in_neither_week(
    driver: Driver, box: Toolbox, time: SteppedTime, request: pytest.FixtureRequest
) -> None:
    box.settings.undo_minutes = None
    time.at += 6 * DAY + 14 * HOUR + 58 * MINUTE
    taken = capture(box)
    await driver.settle()
    reply = answer_by_link(box, taken, "rejected", reason="not-icp")
    await driver.settle()
    time.at += 3 * MINUTE
    assert undo(box, taken, reply)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    time.at += 7 * DAY
    baton: Command = request.getfixturevalue("baton")

    first, second = told(baton, *WEEK), told(baton, "--from", "2027-02-08", "--to", "2027-02-14")

    assert [[one["funnel"][name]["count"] for name in ("rejected", "accepted", "waiting")] for one in (first, second)] == [
        [0, 0, 1],
        [0, 0, 0],
    ]
    assert [sum(one["given"]["count"] for one in week["reasons"]) for week in (first, second)] == [0, 0]
    assert [sum(one["count"] for one in week["notes"] if one["code"] == "out-of-order") for week in (first, second)] == [0, 0]

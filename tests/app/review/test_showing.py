"""A review in the terminal, as JSON with a schema, and as CSV tables."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from typer.testing import CliRunner

from agreements.review.period import Period
from agreements.words import OpportunityState
from app.cli import app
from app.review.page import page
from app.review.reading import Read
from app.review.report import Decision, Review, as_json, schema
from app.review.review import review_of
from app.review.tables import tables, write_tables
from app.review.terminal_view import show
from tests.agreements.review.values import DAY, HOUR, START, WEEK, a_deal, a_pass, a_promise, example, given_back
from tests.conftest import ROOT

AT = START + HOUR
NASTY = "=HYPERLINK(1)[bold]"


def full() -> Review:
    """Return a review in which every table has rows."""
    passes = [
        *(
            a_pass(at, accepted_at=AT, touches=1, first_touch_at=AT, sql_at=AT, opportunity_at=AT, ended_at=AT + HOUR)
            for at in range(1, 25)
        ),
        a_pass(30, given_back_at=AT, ended_at=AT, company=NASTY, source=NASTY),
        a_pass(31, came_back=True, ended_at=AT, merged=True),
        a_pass(32, at=START - 9 * DAY, accepted_at=START),
    ]
    promises = [a_promise(at, kind="first_attempt", given="attempted", answered_at=START) for at in range(1, 12)]
    promises += [
        a_promise(30, against="marketing"),
        a_promise(at := 5, kind="note", owed_by="marketing", given="completed", answered_at=START),
    ]
    own = [a_deal(at, settled_at=AT, state=OpportunityState.WON, days=3, campaigns=(NASTY, "fair")), a_deal(9, lead_id=None, pass_id=None)]
    given = [given_back(30, disputed=True)]
    read = Read(example(), passes, promises, given, own, [("campaign",), ()], {32: "outcome"}, 3, {"rep": HOUR, "closed hours": 3 * HOUR})
    decided = (Decision(number=1, text=NASTY, by="Maria", decided_on=WEEK.first, until=WEEK.last, done_on=None, overdue=True),)
    return review_of(read, WEEK, decided=decided)


def empty() -> Review:
    """Return the review of a period in which nothing happened, and which is not over."""
    return review_of(Read(example(), (), (), (), (), (), {}), Period(WEEK.first, WEEK.last, WEEK.zone, START))


def printed(found: Review) -> str:
    """Return what the terminal shows."""
    console = Console(width=160, file=io.StringIO(), record=True)
    show(found, console)
    return console.export_text()


def test_every_table_is_shown_with_the_whole_of_each_share() -> None:
    text = printed(full())

    assert "25 MQLs. Sales accepted 24 of 25 (96.0 %)." in text
    assert "Pipeline created: 1,000 EUR." in text
    assert "11 of 11 (100.0 %)" in text
    assert "Where the time went" in text
    assert NASTY in text, "a text of a lead is no markup"
    assert "The CRM shows opportunities without a lead that Baton knows. They count nowhere. 1 (D9)" in text


def test_an_empty_period_is_said_and_shows_no_empty_table() -> None:
    text = printed(empty())

    assert "Nothing happened in this period" in text
    assert [one.name for one in tables(empty())] == ["objectives", "notes"]


@pytest.mark.parametrize("make", [full, empty])
def test_the_json_is_as_its_schema_says_and_can_be_read_back(make: Callable[[], Review]) -> None:
    kept = json.loads((ROOT / "docs/review.schema.json").read_text(encoding="utf-8"))
    told = as_json(make())

    assert list(Draft202012Validator(kept).iter_errors(told)) == []
    assert Review.model_validate_json(json.dumps(_without_computed(told))) == make()


def _without_computed(value: Any) -> Any:
    """Return the values without those that follow from others."""
    if isinstance(value, dict):
        is_share = set(value) == {"count", "of", "share", "few"}
        return {key: _without_computed(one) for key, one in value.items() if not (is_share and key in ("share", "few"))}
    return [_without_computed(one) for one in value] if isinstance(value, list) else value


def test_the_kept_schema_is_the_one_that_the_command_prints() -> None:
    kept = json.loads((ROOT / "docs/review.schema.json").read_text(encoding="utf-8"))

    assert kept == schema() == json.loads(CliRunner().invoke(app, ["review", "--schema"]).output)


@pytest.mark.parametrize("make", [full, empty])
def test_the_page_is_one_file_that_needs_no_network_and_takes_no_text_for_markup(make: Callable[[], Review]) -> None:
    html = page(make())

    assert not re.search(r"https?://|<script|<link|None|nan|<img", html.replace("http://www.w3.org/", ""))
    assert len(html) < 100_000
    assert "What marketing and sales kept" in html
    assert html.count("<figure") == 7


def test_a_hostile_text_stays_text_on_the_page() -> None:
    read = Read(example(), [a_pass(1, company="<script>x</script>", accepted_at=AT)], (), (), (), (), {})

    html = page(review_of(read, WEEK))

    assert "<script>" not in html
    assert "&lt;script&gt;x&lt;/script&gt;" in html


def test_each_table_is_a_file_with_two_columns_a_share_and_no_formula(tmp_path: Path) -> None:
    names = write_tables(full(), tmp_path)

    files = {name: list(csv.DictReader(io.StringIO((tmp_path / name).read_text(encoding="utf-8")))) for name in names}
    assert len(names) == len(set(names)) == len([*tables(full())])
    [accepted] = [row for row in files["objectives.csv"] if row["objective"] == "Accepted"]
    assert (accepted["measured"], accepted["measured of"]) == ("25", "26")
    assert files["speed.csv"][0]["median"] == "3600"
    cells = [cell for rows in files.values() for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith("=")]
    assert [cell for cell in cells if cell == f"'{NASTY}"]

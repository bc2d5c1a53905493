"""`baton verify` against rows that somebody changed by hand: each fault is named, and without a fault nothing is."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from sqlalchemy import make_url, text
from typer.testing import Result

from app import stack
from app.verifying import leads as leads_check
from app.verifying.report import schema
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.deal import NOT_YET, wait_of
from tests.driver import Driver
from tests.kept import Kept
from tests.stage import answer_by_link, capture
from tests.storage.crowd import fill
from tests.storage.plans import recorded

KEPT_SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "verify.schema.json"


@pytest.fixture(scope="module")
def lived_once(tmp_path_factory: pytest.TempPathFactory) -> Kept[None]:
    return Kept(tmp_path_factory.mktemp("lived") / "kept")


@pytest.fixture
async def lived(driver: Driver, box: Toolbox, time: SteppedTime, lived_once: Kept[None]) -> Toolbox:
    """Lead 1 waits for its rep, 2 is accepted, 3 in nurture. 4 came a day later from a fair; 5 is a further id of its person. 6 begins."""

    async def carry() -> None:
        capture(box)
        second = capture(box)
        capture(box, **NOT_YET)
        await driver.settle()
        time.at += timedelta(days=1)
        fourth = capture(box, source="fair", country="US")
        capture(box, source="list", email=fourth.incoming.email)
        await driver.settle()
        answer_by_link(box, second, "accepted")
        await driver.settle()
        capture(box)

    await lived_once.on(box, carry)
    return box


def by_hand(box: Toolbox, *statements: str) -> None:
    """Carry out plain SQL, as somebody with the database's password would: without foreign keys."""
    if box.database.is_sqlite:
        with closing(sqlite3.connect(make_url(box.database.url).database or "")) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return
    with box.database.engine.connect().execution_options(baton_write=True) as shared, shared.begin():
        for statement in ("SET LOCAL session_replication_role = replica", *statements):
            shared.execute(text(statement))


def found(said: Result) -> set[tuple[str, int | None]]:
    """The findings about leads and counts, by code and lead."""
    findings = json.loads(said.stdout)["findings"]
    return {(one["code"], one["lead"]) for one in findings if one["code"] != "trail-changed"}


@pytest.mark.usefixtures("box")
def test_without_a_lead_there_is_nothing_to_sum(baton: Command) -> None:
    said = baton("verify")

    assert (said.exit_code, said.stdout.splitlines()[:2]) == (0, ["leads 0", "No lead is open."])


def test_where_nobody_changed_anything_leads_in_equal_the_sum_over_stages(lived: Toolbox, baton: Command) -> None:
    said = baton("verify", "--table")

    assert (said.exit_code, said.stderr) == (0, "")
    assert said.stdout.startswith("leads 6 = 1 accepted + 2 assigned + 1 inquiry + 1 merged + 1 nurturing\n")
    assert "4 leads are open. Nobody asked Prefect about the runs of open leads: set PREFECT_API_URL." in said.stdout
    rows = [line.split() for line in said.stdout.splitlines() if line.startswith("2027-02-0")]
    assert [row[:4] for row in rows] == [
        ["2027-02-01", "test", "3", "3"],
        ["2027-02-02", "fair", "1", "1"],
        ["2027-02-02", "list", "1", "1"],
        ["2027-02-02", "test", "1", "1"],
    ]


def test_the_json_is_as_its_schema_says(lived: Toolbox, baton: Command) -> None:
    kept = json.loads(KEPT_SCHEMA.read_text(encoding="utf-8"))

    said = json.loads(baton("verify", "--json").stdout)

    assert list(Draft202012Validator(kept).iter_errors(said)) == []
    assert said["taken_in"] == sum(said["stages"].values()) == sum(row["taken_in"] for row in said["rows"]) == 6
    assert (said["findings"], said["runs"]["asked"], said["open"]) == ([], False, 4)


def test_the_kept_schema_is_the_one_that_the_command_prints(baton: Command) -> None:
    assert json.loads(KEPT_SCHEMA.read_text(encoding="utf-8")) == schema() == json.loads(baton("verify", "--schema").stdout)


OF_1, OF_3 = (f"(SELECT id FROM handoffs WHERE lead_id = {number})" for number in (1, 3))
FAULTS: dict[str, tuple[str, set[tuple[str, int | None]]]] = {
    "an owner is emptied": ("UPDATE handoffs SET owner = '' WHERE lead_id = 1", {("no-owner", 1)}),
    "an owner left the roster": ("UPDATE handoffs SET owner = 'zoe' WHERE lead_id = 1", {("unknown-owner", 1)}),
    "a wait is deleted": (f"DELETE FROM waits WHERE closed_at IS NULL AND handoff_id = {OF_1}", {("no-due-time", 1)}),
    "a wake is lost": ("DELETE FROM wakes", {("nothing-moves", 6)}),
    "an answer moves nothing": (f"UPDATE waits SET answer_id = 1 WHERE closed_at IS NULL AND handoff_id = {OF_1}", {("nothing-moves", 1)}),
    "a stage is changed": ("UPDATE handoffs SET stage = 'working' WHERE lead_id = 2", {("stage-differs", 2)}),
    "a stage is made up": ("UPDATE handoffs SET stage = 'limbo' WHERE lead_id = 2", {("stage-differs", 2)}),
    "a rep is changed": ("UPDATE handoffs SET rep = 'ana', owner = 'ana' WHERE lead_id = 2", {("rep-differs", 2)}),
    "an assignment is ended": (f"UPDATE assignments SET ended_at = assigned_at WHERE handoff_id = {OF_1}", {("rep-differs", 1)}),
    "a lead at work is held": ("UPDATE handoffs SET held = TRUE WHERE lead_id = 2", {("hold-differs", 2)}),
    "a new lead is held": ("UPDATE handoffs SET held = TRUE WHERE lead_id = 6", {("hold-differs", 6)}),
    "an ended handoff is opened": ("UPDATE handoffs SET ended_at = NULL WHERE lead_id = 3", {("end-differs", 3)}),
    "an open handoff is ended": ("UPDATE handoffs SET ended_at = created_at WHERE lead_id = 1", {("end-differs", 1)}),
    "a handoff is deleted": ("DELETE FROM handoffs WHERE lead_id = 3", {("no-handoff", 3), ("count-differs", None)}),
    "a lead is deleted": ("DELETE FROM leads WHERE id = 3", {("no-lead", 3), ("count-differs", None)}),
    "an activity is deleted": ("DELETE FROM activities WHERE lead_id = 3", {("not-recorded", 3), ("count-differs", None)}),
    "an event is deleted": ("DELETE FROM events WHERE kind = 'captured' AND lead_id = 3", {("no-event", 3)}),
    "a source is changed": ("UPDATE activities SET source = 'expo' WHERE lead_id = 4", {("source-differs", 4), ("count-differs", None)}),
    "a day is changed": (
        "UPDATE leads SET created_at = '2027-01-15 09:00:00.000000' WHERE id = 1",
        {("day-differs", 1), ("count-differs", None)},
    ),
}


@pytest.mark.parametrize(("statement", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_by_hand_is_named(lived: Toolbox, baton: Command, statement: str, expected: set[tuple[str, int | None]]) -> None:
    by_hand(lived, statement)

    said = baton("verify", "--json")

    assert said.exit_code == 1
    assert found(said) == expected


async def test_while_marketing_decides_about_a_rejection_no_rep_has_the_lead_and_nothing_is_found(
    driver: Driver, box: Toolbox, baton: Command
) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="duplicate", colleague="ana")
    await driver.settle()
    assert wait_of(box, taken).kind == "decision"

    said = baton("verify")

    assert (said.exit_code, said.stderr) == (0, "")


def test_a_lead_of_which_only_the_trail_knows_is_named(lived: Toolbox, baton: Command) -> None:
    waits = f"DELETE FROM waits WHERE handoff_id = {OF_3}"
    by_hand(lived, waits, *(f"DELETE FROM {table} WHERE lead_id = 3" for table in ("handoffs", "lead_sources", "activities")))
    by_hand(lived, "DELETE FROM leads WHERE id = 3")

    assert found(baton("verify", "--json")) == {("no-lead", 3)}


def test_a_finding_is_printed_with_its_code_its_lead_and_what_to_do(lived: Toolbox, baton: Command) -> None:
    by_hand(lived, "UPDATE activities SET source = 'expo' WHERE lead_id = 4")

    said = baton("verify")

    assert "count-differs: expo, 2027-02-02: 1 taken in, 0 in a stage. The findings about single leads name them." in said.stderr
    assert "source-differs: lead 4: The intake's record names a source that does not know the lead. Somebody changed" in said.stderr


def test_where_prefect_does_not_answer_the_rest_is_said_and_the_code_is_4(lived: Toolbox, baton: Command) -> None:
    by_hand(lived, "UPDATE handoffs SET flow_run_id = '6ba7b810-9dad-11d1-80b4-00c04fd430c8' WHERE lead_id = 1")
    nowhere = {PREFECT_API_URL: f"http://127.0.0.1:{stack.free_port()}/api", PREFECT_CLIENT_MAX_RETRIES: 0}

    with temporary_settings(nowhere):
        said, left_out = baton("verify"), baton("verify", "--no-runs")

    assert (said.exit_code, left_out.exit_code) == (4, 0)
    assert "Prefect does not answer, so the runs of open leads were not checked" in said.stdout
    assert "leads 6 = " in said.stdout
    assert "The runs were left out." in left_out.stdout


async def test_more_leads_ask_for_no_more_statements(driver: Driver, box: Toolbox) -> None:
    counts = []
    for _ in range(2):
        for _ in range(4):
            capture(box)
        await driver.settle()
        with recorded(box.database) as work:
            assert leads_check.check(box, told=lambda what, done: None).findings == []
        counts.append(len(work))

    assert counts[0] == counts[1]
    assert counts[0] <= 17


def test_ten_times_the_leads_take_ten_times_the_work(box: Toolbox) -> None:
    if not box.database.is_sqlite:
        pytest.skip("SQLite counts its steps")
    fill(box.database, open_handoffs=100, ended=1_900)

    with recorded(box.database) as work:
        checked = leads_check.check(box, told=lambda what, done: None)

    assert sum(row.taken_in for row in checked.rows) == 2_000
    assert max(one.steps for one in work.asked) < 200 * 2_000

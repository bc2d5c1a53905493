"""`baton leads erase` and `baton retention` on a real database: what they ask, say, write and leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agreements.lead import Consent
from app import stack
from app.cli import app
from storage import time_offset
from storage.tables import Erasure
from tasks.wiring import toolbox
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.driver import Driver
from tests.present import the
from tests.searching import in_tables
from tests.stage import answer_by_link, capture, newest

RUN = Callable[..., Result]
PERSON = {"email": "zoe@quillfeather.example", "first_name": "Zoë", "last_name": "Quillfeather", "message": "Our sifters jam."}
WORDS = ("uillfeather", "Zoë", "sifters")


@pytest.fixture
def run(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> RUN:
    """Runs the command on the database of the test, at its time, beside a Prefect server that is away."""
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)
    monkeypatch.setenv("BATON_SECRETS", "a-key-for-tests-only")

    def invoke(*words: str, typed: str = "") -> Result:
        box.write_now(lambda session, now: time_offset.leap_to(session, now))
        with stack.talking_to(f"http://127.0.0.1:{stack.free_port()}"):
            done = CliRunner().invoke(app, list(words), input=typed, env={"COLUMNS": "200"})
        toolbox.current().database.close()
        toolbox.use(box)
        return done

    return invoke


@pytest.mark.parametrize("typed", ["n\n", ""], ids=["no", "no terminal"])
def test_nothing_is_erased_without_a_yes(box: Toolbox, run: RUN, typed: str) -> None:
    taken = capture(box, **PERSON)
    before = in_tables(box.database, WORDS)

    done = run("leads", "erase", str(taken.lead_id), typed=typed)

    assert done.exit_code == 1
    assert "This cannot be undone. Erase?" in done.output
    assert in_tables(box.database, WORDS) == before


def test_a_dry_run_says_what_would_be_done_and_does_nothing(box: Toolbox, run: RUN) -> None:
    taken = capture(box, **PERSON)
    before = in_tables(box.database, WORDS)

    done = run("leads", "erase", str(taken.lead_id), "--dry-run")

    assert done.exit_code == 0
    assert "Its handoff in stage inquiry ends as erased" in done.output
    assert "Deletes 1 texts" in done.output
    assert in_tables(box.database, WORDS) == before


def test_while_prefect_is_away_all_else_is_done_and_the_receipt_says_what_waits(box: Toolbox, run: RUN, tmp_path: Path) -> None:
    taken = capture(box, **PERSON)
    file = tmp_path / "receipt.json"

    done = run("leads", "erase", str(taken.lead_id), "--yes", "--reason", "asked by letter", "--receipt", str(file))

    assert done.exit_code == 3
    assert "The Prefect server does not answer" in done.output
    assert "Not done yet" in done.output
    said = json.loads(file.read_text())
    assert (said["lead"], said["reason"], said["is_done"], said["waiting"]) == (taken.lead_id, "asked by letter", False, 1)
    assert said["deleted"]["texts"] == 1
    assert in_tables(box.database, WORDS) == []
    assert not any(word in done.output + file.read_text() for word in WORDS)
    assert newest(box, taken).stage == "erased"
    assert "Everything personal was deleted at Mon 01 Feb 2027" in run("leads", "show", str(taken.lead_id)).output
    assert box.read_now(lambda session, now: the(session.get(Erasure, 1)).done_at) is None


def test_a_lead_that_is_not_there_and_a_reason_that_names_the_person_are_refused(box: Toolbox, run: RUN) -> None:
    taken = capture(box, **PERSON)

    nobody = run("leads", "erase", "4711", "--yes")
    named = run("leads", "erase", str(taken.lead_id), "--yes", "--reason", "zoe@quillfeather.example wrote")

    assert (nobody.exit_code, named.exit_code) == (1, 1)
    assert "There is no lead of that number." in nobody.output
    assert "The reason names the person." in named.output
    assert in_tables(box.database, WORDS)


def test_consents_are_shown_where_they_were_told_and_go_with_the_person(box: Toolbox, run: RUN) -> None:
    told = Consent(channel="email", purpose="offers", basis="consent", at=MONDAY - timedelta(days=9), source="form of 2027")
    taken = capture(box, **PERSON, consents=(told, told))
    more = Consent(channel="phone", purpose="this inquiry", basis="legitimate-interest")
    capture(box, **PERSON, source_id=taken.source_id, conversion_id="2", consents=(told, more))

    shown = run("leads", "show", str(taken.lead_id)).output
    run("leads", "erase", str(taken.lead_id), "--yes")
    after = run("leads", "show", str(taken.lead_id)).output

    assert shown.count("may be contacted by") == 2
    assert "may be contacted by email for offers: consent, since 23 Jan 2027 (form of 2027)" in shown
    assert "may be contacted by phone for this inquiry: legitimate-interest" in shown
    assert "may be contacted" not in after


def test_verify_finds_nothing_after_an_erasure(box: Toolbox, run: RUN) -> None:
    taken = capture(box, **PERSON)
    run("leads", "erase", str(taken.lead_id), "--yes")

    assert run("verify").exit_code == 0


async def test_retention_shows_what_was_agreed_and_deletes_it_when_its_time_is_over(
    driver: Driver, box: Toolbox, run: RUN, time: SteppedTime
) -> None:
    taken = capture(box, **PERSON)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now", text="The sifters of Zoë are new.")
    await driver.settle()
    early = await asyncio.to_thread(run, "retention", "run")
    time.at = MONDAY + timedelta(days=731)

    shown = await asyncio.to_thread(run, "retention", "show")
    dry = await asyncio.to_thread(run, "retention", "run", "--dry-run")
    kept = in_tables(box.database, WORDS)
    done = await asyncio.to_thread(run, "retention", "run")

    assert early.output == "Nothing was past its time.\n"
    assert "b2b-saas@1" in shown.output
    assert "730 days after the last activity" in shown.output
    assert dry.output.startswith("Past their time: 1 leads, with 2 texts.\nThe trail is kept from 02 February 2026 on.")
    assert kept
    assert done.output.startswith("Deleted: ")
    assert "2 texts" in done.output
    assert "The Prefect server does not answer" in done.output
    assert in_tables(box.database, WORDS) == []

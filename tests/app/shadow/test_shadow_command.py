"""baton shadow on a CRM that answers over real sockets: the report, what it keeps, and how it ends when the CRM fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.contracts.past_worlds import BEGIN, HubSpotPastWorld
from tests.crm.stand_in import StandIn, running

SINCE = f"{BEGIN:%Y-%m-%d}"


@pytest.fixture(scope="module")
def hubspot() -> Iterator[StandIn]:
    with running("tests.crm.hubspot_server") as stand_in:
        yield stand_in


@pytest.fixture
def world(hubspot: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubSpotPastWorld:
    """An account with two leads, and an installation that is nothing but an address and a token."""
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BATON_CRM_URL", hubspot.url.replace("http://", "hubspot://"))
    monkeypatch.setenv("BATON_CRM_TOKEN", "token-1")
    monkeypatch.chdir(tmp_path)
    made = HubSpotPastWorld(hubspot)
    touched = made.arrives(0, source="PAID_SEARCH", owner="ana")
    made.arrives(1, source="PAID_SEARCH")
    made.touched(20, touched, "call")
    made.status(21, touched, "accepted")
    return made


def shadow(*words: str) -> Result:
    return CliRunner().invoke(app, ["shadow", "--since", SINCE, *words])


def test_a_report_is_made_without_an_installation_and_kept_files_give_the_same(world: HubSpotPastWorld, tmp_path: Path) -> None:
    before = world.stored()

    done = shadow("--out", "page.html", "--json", "report.json", "--keep", "kept")
    again = re.search(r"The same report again: baton (audit .*)", done.stderr)

    assert done.exit_code == 0, done.output
    assert "2 leads. Sales never touched 1 of 2 (50.0 %). The median time to the first touch is 20 min." in done.stdout
    assert "accepted: IN_PROGRESS, ATTEMPTED_TO_CONTACT, CONNECTED" in done.stderr
    assert "hubspot-leads.csv" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert world.stored() == before
    assert not (tmp_path / "home" / "baton.db").exists()
    assert again
    audit = CliRunner().invoke(app, [*again[1].split(), "--json", "again.json"])
    assert audit.exit_code == 0, audit.output
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((tmp_path / "report.json").read_text())


def test_a_map_says_what_the_words_of_this_company_mean(world: HubSpotPastWorld, tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("audit: {reason: rejection_reason, statuses: {rejected: IN_PROGRESS}}")

    done = shadow("--map", "crm.yaml", "--json", "-")

    report = json.loads(done.stdout)
    assert "by the map:" in done.stderr
    assert done.exit_code == 0, done.output
    assert (report["rejected"]["count"], report["rejected_without_reason"]["count"]) == (1, 1)


def test_a_status_that_nobody_explains_is_named(world: HubSpotPastWorld, tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("audit: {statuses: {accepted: CONNECTED}}")

    done = shadow("--map", "crm.yaml")

    assert "Nobody says what these statuses mean, so they count as new: IN_PROGRESS (1)." in done.stderr


def test_a_token_that_ends_half_way_ends_the_command_and_nothing_is_reported(world: HubSpotPastWorld, tmp_path: Path) -> None:
    world.stand_in.do("faults", next=[{"match": "calls/batch/read", "kind": "expired"}])

    done = shadow("--out", "page.html", "--keep", "kept")

    assert done.exit_code == 4
    assert "HubSpot's token has expired: put a new one into BATON_CRM_TOKEN" in done.stderr
    assert "there is no report" in done.stderr
    assert not (tmp_path / "page.html").exists()
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--until", "2026-01-01"], 2, "is after --until"),
        (["--map", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["--agreement", "nobody"], 2, "no file and no reference"),
        (["--out", "missing/page.html"], 2, "missing/page.html"),
    ],
)
def test_a_wrong_call_says_what_to_write(world: HubSpotPastWorld, words: list[str], code: int, said: str) -> None:
    done = shadow(*words)

    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_a_crm_without_a_token_is_said_before_anything_is_asked(world: HubSpotPastWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_CRM_TOKEN")

    done = shadow()

    assert (done.exit_code, "BATON_CRM_TOKEN or BATON_CRM_TOKEN_FILE: set one of them" in done.stderr) == (2, True)
    assert world.stand_in.do("seen")["requests"] == {}


def test_a_local_crm_that_is_not_there_is_said_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_HOME", str(tmp_path))
    monkeypatch.delenv("BATON_CRM_URL", raising=False)

    done = shadow()

    assert done.exit_code == 4
    assert "the local CRM could not be read" in done.stderr
    assert not (tmp_path / "crm.db").exists()

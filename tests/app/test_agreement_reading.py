"""The commands that read agreements: show, diff, explain."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from storage import contracts
from storage.crm.port import Account
from tasks import intake
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT, MONDAY
from tests.fakes import make_lead
from tests.stage import local_crm

Run = Callable[..., Result]


@pytest.fixture
def run(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Types a command on the installation of the toolbox."""
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)
    monkeypatch.setenv("BATON_CRM_PATH", str(local_crm(box).path))
    monkeypatch.setenv("COLUMNS", "160")

    def type_in(*words: str) -> Result:
        result = CliRunner().invoke(app, ["agreement", *words])
        if toolbox.current() is not box:
            toolbox.current().database.close()
            toolbox.use(box)
        return result

    return type_in


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., str]:
    """A file with the example agreement, some texts replaced."""

    def write(*pairs: tuple[str, str], name: str = "draft.yaml") -> str:
        text = AGREEMENT
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


def take_in(box: Toolbox, **changes: object) -> int:
    """A stored lead; its number."""
    return box.write_now(lambda session, now: intake.capture(session, make_lead(**changes), now=now)).lead_id


def test_show_prints_the_contract(run: Run) -> None:
    said = run("show", "b2b-saas@1")

    assert said.exit_code == 0
    assert "Who owes whom what by when" in said.stdout
    assert "At least 60 of 100 points, fit at least 30, engagement at least 15." in said.stdout


def test_show_html_prints_a_page(run: Run) -> None:
    said = run("show", "b2b-saas@1", "--html")

    assert said.exit_code == 0
    assert said.stdout.startswith("<!doctype html>")
    assert said.stdout.endswith("</html>\n")


def test_show_html_writes_the_same_page_into_a_file(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "contract.html"

    said = run("show", "b2b-saas@1", "--html", str(page))

    assert said.exit_code == 0
    assert f"b2b-saas@1 is written to {page}." in said.stdout
    assert page.read_text(encoding="utf-8") == run("show", "b2b-saas@1", "--html").stdout


def test_a_page_that_cannot_be_written_is_a_matter_of_usage(run: Run, tmp_path: Path) -> None:
    said = run("show", "b2b-saas@1", "--html", str(tmp_path / "nowhere" / "contract.html"))

    assert said.exit_code == 2
    assert "nowhere" in said.stderr


def test_a_second_name_without_html_is_refused(run: Run) -> None:
    said = run("show", "b2b-saas@1", "b2b-saas@2")

    assert said.exit_code == 2
    assert "add --html" in said.stderr


def test_diff_tells_the_changes_by_part(run: Run, draft: Callable[..., str]) -> None:
    other = draft(("version: 1", "version: 2"), ("total: 60", "total: 75"), ("hot: 30 working minutes", "hot: 10 working minutes"))

    said = run("diff", "b2b-saas@1", other)

    assert said.exit_code == 0
    assert "\nqualification\n  Points needed to qualify: 60 -> 75\n" in said.stdout
    assert "\nclocks\n  Hot acceptance: 30 -> 10 working minutes\n" in said.stdout
    assert "No difference" not in said.stdout


def test_diff_of_comments_only_says_that_the_hash_still_differs(run: Run, draft: Callable[..., str]) -> None:
    said = run("diff", "b2b-saas@1", draft(("agreement: b2b-saas", "# another comment\nagreement: b2b-saas")))

    assert said.exit_code == 0
    assert "No difference in what is agreed. The texts differ, and so do their hashes" in said.stdout


def test_diff_of_the_same_text_says_so(run: Run, draft: Callable[..., str]) -> None:
    assert "No difference in what is agreed. The texts are the same." in run("diff", "b2b-saas@1", draft()).stdout


def test_diff_where_only_the_version_counts_on_says_that_nothing_else_changed(run: Run, box: Toolbox, draft: Callable[..., str]) -> None:
    box.write_now(lambda session, now: contracts.publish(session, AGREEMENT.replace("version: 1", "version: 2"), now=now))

    said = run("diff", "b2b-saas@1", "b2b-saas@2")

    assert "Version: 1 -> 2" in said.stdout
    assert "No difference in what is agreed but name and version." in said.stdout


def test_diff_for_machines(run: Run, draft: Callable[..., str]) -> None:
    said = run("diff", "b2b-saas@1", draft(("total: 60", "total: 75")), "--json")

    told = json.loads(said.stdout)
    assert told["differences"] == {"qualification": ["Points needed to qualify: 60 -> 75"]}
    assert (told["old"], told["new"], told["same_text"]) == ("b2b-saas@1", "b2b-saas@1", False)


def test_diff_of_a_version_that_is_not_published_is_refused(run: Run) -> None:
    said = run("diff", "b2b-saas@1", "b2b-saas@9")

    assert said.exit_code == 1
    assert "b2b-saas@9 is not published here." in said.stderr


def test_explain_says_what_is_missing_and_by_how_much(run: Run, box: Toolbox) -> None:
    lead = take_in(box, activity="form_submitted", job_title="Clerk", fields={"industry": "logistics", "employees": 60})

    said = run("explain", "b2b-saas@1", "--lead", str(lead), "--at", MONDAY.isoformat())

    assert said.exit_code == 0
    assert f"Lead {lead} under b2b-saas@1, as of Mon 01 Feb 2027 09:00 UTC" in said.stdout
    assert "Screen: passes" in said.stdout
    assert "15 short of 60" in said.stdout
    assert "Not an MQL: total 45 is 15 short of 60." in said.stdout


def test_explain_shows_criteria_that_gave_nothing_as_well(run: Run, box: Toolbox) -> None:
    lead = take_in(box, activity="form_submitted", fields={"industry": "logistics", "employees": 60})

    told = explained(run, lead)

    assert {one["rule"]: one["points"] for one in told["fit"]} == {
        "industry is software, logistics or manufacturing": 20,
        "employees at least 200": 0,
        "employees at least 50 and at most 199": 10,
        "persona ops-leader": 25,
        "persona sales-leader": 0,
        "e-mail address is from a free provider": 0,
        "job title contains student or intern": 0,
    }
    assert [one["applies"] for one in told["engagement"]] == [False, False, False, True, False, False]


def explained(run: Run, lead: int, *more: str) -> dict[str, Any]:
    """What explain says for machines."""
    said = run("explain", "b2b-saas@1", "--lead", str(lead), "--at", MONDAY.isoformat(), "--json", *more)
    assert said.exit_code == 0, said.output
    told: dict[str, Any] = json.loads(said.stdout)
    return told


def test_explain_says_what_a_criterion_saw_and_when(run: Run, box: Toolbox) -> None:
    lead = take_in(box, activity="form_submitted", fields={"industry": "IT services", "employees": "51-200"})

    told = explained(run, lead)

    seen = {one["rule"]: one["value"] for one in told["fit"]}
    assert seen["industry is software, logistics or manufacturing"] == "software"
    assert seen["persona ops-leader"] == "job title Head of Operations, employees 51"
    assert [one["at"] for one in told["engagement"] if one["applies"]] == ["2027-02-01 09:00:00+00:00"]


def test_explain_shows_no_address(run: Run, box: Toolbox) -> None:
    lead = take_in(box, email="secret.name@gmail.com")

    said = run("explain", "b2b-saas@1", "--lead", str(lead), "--at", MONDAY.isoformat())

    assert "secret.name" not in said.stdout
    assert "gmail.com" in said.stdout


def test_explain_of_a_request_says_that_points_do_not_matter(run: Run, box: Toolbox) -> None:
    lead = take_in(box, job_title="Clerk", fields={})

    told = explained(run, lead)

    assert (told["is_mql"], told["fast_lane"], told["tier"], told["team"]) == (True, "demo_requested", "hot", "emea")
    assert told["verdict"] == "An MQL: the lead asked to talk to sales. Points do not matter then."


def test_explain_says_which_screen_rule_sorts_a_lead_out(run: Run, box: Toolbox) -> None:
    lead = take_in(box, email="x@mailinator.com")

    told = explained(run, lead)

    assert (told["screen"]["passes"], told["screen"]["rule"], told["screen"]["then"]) == (False, 1, "disqualify")
    assert told["verdict"].startswith("Sorted out before scoring")


def test_explain_asks_the_crm_about_the_company(run: Run, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("A-1", "Known Freight", domain="known.example", status="customer")])
    lead = take_in(box, company="Known Freight", email="pat@known.example")

    assert explained(run, lead)["screen"]["rule"] == 5


def test_explain_under_a_draft_judges_by_the_draft(run: Run, box: Toolbox, draft: Callable[..., str]) -> None:
    lead = take_in(box, activity="form_submitted", job_title="Clerk", fields={"industry": "logistics", "employees": 60})

    said = run("explain", draft(("total: 60", "total: 45")), "--lead", str(lead), "--at", MONDAY.isoformat())

    assert "An MQL: the lead reaches every minimum." in said.stdout


def test_what_a_lead_did_after_the_instant_does_not_count(run: Run, box: Toolbox) -> None:
    lead = take_in(box, activity="form_submitted")

    said = run("explain", "b2b-saas@1", "--lead", str(lead), "--at", "2027-01-31T09:00:00+00:00")

    assert "engagement    0" in said.stdout
    assert "All other facts are today" in said.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--lead", "99"], 1, "There is no lead 99."),
        (["--lead", "1", "--at", "2027-01-01T09:00"], 2, "has no time zone"),
        (["--lead", "1", "--at", "monday"], 2, "is no instant"),
    ],
)
def test_what_explain_cannot_use_is_told(run: Run, words: list[str], code: int, says: str) -> None:
    said = run("explain", "b2b-saas@1", *words)

    assert said.exit_code == code
    assert says in said.stderr

"""An audit as a page, as JSON with a schema, and in the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from typer.testing import CliRunner

from app.audit.page import page
from app.audit.report import Audit, Counted, as_json, schema
from app.audit.terminal_view import show
from app.audit.wording import by_side, lasting, of
from app.cli import app
from tests.app.audit.ground import ACTIVITIES, LEADS, a_file, a_lead, audited, example_audit
from tests.app.audit.test_counts import story
from tests.conftest import ROOT

KINDS: dict[str, Any] = {
    "everything": None,
    "nothing": ("source_id,created", [], []),
    "only wins": ("source_id,created,won_at", ["1,2026-06-01 10:00,2026-07-01"], None),
    "ids only": ("source_id", ["1", "2"], None),
    "no activities": (LEADS, [a_lead()], []),
}


def of_kind(kind: str, folder: Path) -> Audit:
    if KINDS[kind] is None:
        return story(folder)
    header, leads, activities = KINDS[kind]
    return audited(folder, leads, activities, header=header)


@pytest.mark.parametrize("kind", KINDS)
def test_every_audit_can_be_shown_and_read_back(tmp_path: Path, kind: str) -> None:
    found = of_kind(kind, tmp_path)
    console = Console(width=120, record=True, quiet=True)

    show(found, console)
    html = page(found)
    back = Audit.model_validate_json(json.dumps(_without_computed(as_json(found))))

    assert back == found
    assert "How leads are handed over today" in html
    assert not re.search(r"https?://|<script|<link|None|nan", html)


def _without_computed(value: Any) -> Any:
    """The values without those that follow from others."""
    if isinstance(value, dict):
        return {key: _without_computed(one) for key, one in value.items() if key not in ("share", "between", "share_kept")}
    return [_without_computed(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", KINDS)
def test_the_json_is_as_its_schema_says(tmp_path: Path, kind: str) -> None:
    kept = json.loads((ROOT / "docs/audit.schema.json").read_text(encoding="utf-8"))

    assert list(Draft202012Validator(kept).iter_errors(as_json(of_kind(kind, tmp_path)))) == []


def test_the_kept_schema_is_the_one_that_the_command_prints() -> None:
    kept = json.loads((ROOT / "docs/audit.schema.json").read_text(encoding="utf-8"))

    assert kept == schema() == json.loads(CliRunner().invoke(app, ["audit", "--schema"]).output)


def test_hostile_cells_stay_text_on_the_page(tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    leads = [a_lead(at, owner=nasty, status=nasty, entry_channel=nasty) for at in range(25)]

    html = page(audited(tmp_path, leads, [f"{nasty},2026-06-01 11:00,{nasty},,"]))

    assert "<img" not in html
    assert html.count("&lt;img") >= 4


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0, "0 min"), (20, "20 s"), (240, "4 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (86_400, "1 d"), (190_800, "2 d 5 h")],
)
def test_a_time_as_people_say_it(seconds: float | None, words: str) -> None:
    assert lasting(seconds) == words


@pytest.mark.parametrize(
    ("one", "words"), [(None, "–"), (Counted(count=0, of=0), "0 of 0"), (Counted(count=1, of=1234), "1 of 1,234 (0.1 %)")]
)
def test_a_share_names_its_whole(one: Counted | None, words: str) -> None:
    assert of(one) == words


def test_the_shipped_example_holds_every_kind_of_finding_and_one_word_without_a_meaning() -> None:
    found = example_audit(drafted=True)

    assert (found.leads, list(found.unmapped_statuses)) == (400, ["Attempting"])
    assert set(found.not_used.counts) == {
        "won before the lead was created", "touched before the lead was created", "activity of a lead that is not in the file",
    }  # fmt: skip
    assert [one.promise for one in found.promises if one.not_in_file] == ["note", "decision"]
    assert [one.merged for one in found.by_owner if one.merged] == [2]
    assert list(by_side(found))[0] == "Marketing would have kept 306 of 400 (76.5 %) and broken 94."


class TestCommand:
    """`baton audit` on files, from the command line."""

    def test_it_writes_the_page_and_the_json_and_says_what_was_left_out(self, tmp_path: Path) -> None:
        leads = a_file(tmp_path, "leads.csv", LEADS, a_lead(1), a_lead(2, won_at="2026-05-01"))
        activities = a_file(tmp_path, "activities.csv", ACTIVITIES, "L1,2026-06-01 10:30,call,,")
        html, report = tmp_path / "audit.html", tmp_path / "audit.json"

        words = ["--leads", str(leads), "--activities", str(activities), "--agreement", str(ROOT / "agreements/examples/b2b-saas.yaml")]
        done = CliRunner().invoke(app, ["audit", *words, "--out", str(html), "--json", str(report)])

        assert done.exit_code == 3, done.output
        assert "leads.csv:3: won_at: 2026-05-01" in done.output
        assert "Sales never touched 1 of 2 (50.0 %)" in done.output
        assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
        assert json.loads(report.read_text(encoding="utf-8"))["agreement"] == "b2b-saas@1"

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            ([], 2, "--leads"),
            (["--leads", "nowhere.csv"], 2, "nowhere.csv"),
            (["--leads", "empty.csv"], 2, "empty.csv"),
            (["--leads", "nameless.csv"], 2, "no column holds the id of each lead"),
            (["--leads", "leads.csv", "--activities", "wrong.csv"], 2, "these columns are missing"),
            (["--leads", "leads.csv", "--activities-map", "wrong.yaml"], 2, "wrong.yaml:2: kind"),
            (["--leads", "leads.csv", "--map", "wrong.yaml"], 2, "wrong.yaml"),
            (["--leads", "leads.csv", "--timezone", "Mars"], 2, "no time zone"),
            (["--leads", "leads.csv", "--since", "2026-07-01", "--until", "2026-06-01"], 2, "is after --until"),
            (["--leads", "leads.csv", "--since", "01/07/2026"], 2, "01/07/2026"),
            (["--leads", "leads.csv", "--agreement", "nobody"], 2, "no file and no reference"),
            (["--leads", "leads.csv", "--out", "missing/page.html"], 2, "missing/page.html"),
            (["--leads", "leads.csv", "--json", "-"], 0, '"report": "baton-audit-1"'),
        ],
    )  # fmt: skip
    def test_wrong_input_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, said: str) -> None:
        monkeypatch.chdir(tmp_path)
        a_file(tmp_path, "leads.csv", LEADS, a_lead())
        a_file(tmp_path, "wrong.csv", "lead,when", "1,2")
        a_file(tmp_path, "nameless.csv", "name,created", "1,2")
        a_file(tmp_path, "wrong.yaml", "lead: id", "kind: type")
        (tmp_path / "empty.csv").write_text("")

        done = CliRunner().invoke(app, ["audit", *words])

        assert (done.exit_code, said in done.output) == (code, True), done.output

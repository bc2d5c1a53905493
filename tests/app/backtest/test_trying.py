"""The command: what it shows, where it writes to, how it ends, and that it changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel
from typer.testing import CliRunner, Result

from app.cli import app as cli
from storage import time_offset
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.app.backtest.ground import EXAMPLE, a_file
from tests.conftest import MONDAY, ROOT
from tests.driver import Driver, drive
from tests.in_flight import published, text_of
from tests.present import the
from tests.stage import capture
from tests.tasks.test_several_agreements import FOR_WEB, WEB

ROWS = [
    "source_id,at,email,entry_channel,activity,fields.industry,fields.employees,won_at",
    "1,2027-01-10,a@firm.example,web,form_submitted,software,300,2027-02-01",
    "2,2027-01-10,b@firm.example,web,webinar_attended,logistics,300,",
    '3,2027-01-10,c@firm.example,"<script>alert(1)</script>",demo_requested,retail,3,',
    "4,2027-01-10,d@firm.example,,page_viewed,software,60,",
]


@pytest.fixture
def baton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line of somebody who has installed nothing."""
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COLUMNS", "150")
    return lambda *words: CliRunner().invoke(cli, ["agreement", "backtest", *map(str, words)])


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A draft, the version before it, and leads."""
    draft = EXAMPLE.replace("version: 1", "version: 2").replace("total: 60", "total: 30").replace("fit_at_least: 30", "fit_at_least: 10")
    return {
        "before": a_file(tmp_path, EXAMPLE, name="before.yaml"),
        "draft": a_file(tmp_path, draft, name="draft.yaml"),
        "leads": a_file(tmp_path, *ROWS),
    }


def test_a_draft_is_shown_beside_the_version_that_is_named(baton: Callable[..., Result], files: dict[str, Path]) -> None:
    done = baton(files["draft"], "--against", files["before"], "--leads", files["leads"])

    assert done.exit_code == 0, done.output
    assert "b2b-saas@2 qualifies 3 of 4 leads; 33.3 % of them won so far." in done.stdout
    assert "b2b-saas@1 qualifies 1 of 4 leads; 0.0 % of them won so far." in done.stdout
    for title in (
        "Verdicts on 4 leads of leads.csv",
        "Who moves",
        "What the points of b2b-saas@1 did",
        "another number of points needed",
        "By entry_channel",
    ):
        assert title in done.stdout
    assert "Points that never mattered: " in done.stdout
    assert "The values are from the day on which the file was written" in done.stdout
    assert not Path(files["leads"].parent / "nowhere").exists(), "nothing is installed by trying"


def test_the_json_has_the_shape_that_the_docs_describe(baton: Callable[..., Result], files: dict[str, Path]) -> None:
    leads = a_file(files["leads"].parent, *ROWS, "5,never,,web,,,,", name="some.csv")

    found = json.loads(baton(files["draft"], "--against", files["before"], "--leads", leads, "--json").stdout)

    page = (ROOT / "docs/backtest.md").read_text(encoding="utf-8")
    described = json.loads(the(re.search(r"```json\n(.*?)```", page, re.DOTALL))[1])
    assert shape(found) == shape({**described, "against": described["draft"]})
    assert found["draft"]["qualified"] == described["draft"]["qualified"]
    assert found["moves"] == described["moves"]
    assert [step["threshold"] for step in found["draft"]["curve"]] == list(range(101))


SHARE = {"leads", "known", "won", "share", "between"}


def shape(value: Any) -> Any:
    """Which keys there are, in their order, and of what kind their values; of a list and of free names the first speaks for all."""
    if isinstance(value, dict):
        if value.keys() >= SHARE:
            return ["a share", *(name for name in value if name not in SHARE)]
        return [(name, "by name" if name in ("screened", "tiers", "teams") else shape(one)) for name, one in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) else type(value).__name__


class Page(HTMLParser):
    """What a page asks for from outside, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [str(value) for name, value in attrs if name in ("src", "href") or "url(" in str(value)]


def test_the_page_needs_nothing_else_and_what_stands_in_the_file_is_not_run(
    baton: Callable[..., Result], files: dict[str, Path], tmp_path: Path
) -> None:
    done = baton(files["draft"], "--against", files["before"], "--leads", files["leads"], "--html", tmp_path / "page.html")

    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert done.exit_code == 0
    assert (page.outside, "script" in page.tags, "@import" in text) == ([], False, False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert text.count('aria-label="Leads that qualify.') == 1
    assert "Share won" not in text.partition("Another threshold")[2].partition("<details>")[0], "of four leads no share is drawn"
    assert re.search(r'<tr class="here"><td>30</td><td>3</td>', text), "the curve in numbers"


def test_rows_that_cannot_be_used_are_named_and_the_exit_code_says_so(baton: Callable[..., Result], files: dict[str, Path]) -> None:
    leads = a_file(files["leads"].parent, *ROWS, "5,never,,web,,,,", "6,2027-01-10,,web,,,,2026-01-01", name="some.csv")

    done = baton(files["draft"], "--leads", leads)

    assert done.exit_code == 3
    assert "some.csv:6: at: 'never' is no date" in done.stderr
    assert "some.csv:7: won_at: won on 2026-01-01, before the first contact" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--leads", "nowhere.csv"], 2, "name a CSV file that can be read"),
        (["--leads", "{leads}", "--by", "shoe_size"], 2, "no column has 'shoe_size'"),
        (["--leads", "{leads}", "--map", "nowhere.yaml"], 2, "name a map that can be read"),
        (["--leads", "{leads}", "--timezone", "Mars"], 2, "'Mars' is no time zone"),
        (["--leads", "{leads}", "--against", "nobody"], 2, "write name@version"),
        (["--leads", "stored"], 2, "There is no database here yet"),
    ],
)
def test_what_cannot_be_read_ends_with_what_to_do(
    baton: Callable[..., Result], files: dict[str, Path], words: list[str], code: int, said: str
) -> None:
    done = baton(files["draft"], *(word.format(leads=files["leads"]) for word in words))

    assert (done.exit_code, said in done.stderr.replace("\n", " ")) == (code, True), done.stderr


def test_a_faulty_draft_is_refused_as_check_does(baton: Callable[..., Result], files: dict[str, Path]) -> None:
    draft = a_file(files["leads"].parent, EXAMPLE.replace("total: 60", "total: 600"), name="faulty.yaml")

    assert baton(draft, "--leads", files["leads"]).exit_code == 1


@pytest.fixture
def installed(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line on the test's own database, at its time."""
    box.write_now(lambda session, now: time_offset.leap_to(session, now))
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)

    def run(*words: object) -> Result:
        done = CliRunner().invoke(cli, ["agreement", "backtest", *map(str, words)])
        toolbox.current().database.close()
        toolbox.use(box)
        return done

    return run


def everything(box: Any) -> dict[str, list[Any]]:
    with box.database.engine.connect() as connection:
        return {table.name: list(connection.execute(table.select())) for table in SQLModel.metadata.sorted_tables}


def test_a_draft_is_compared_with_the_version_in_force_on_stored_leads_and_nothing_is_written(
    installed: Callable[..., Result], box: Toolbox, driver: Driver, files: dict[str, Path]
) -> None:
    for _ in range(3):
        capture(box)
    drive(driver, until=MONDAY + timedelta(minutes=2))
    before = everything(box)

    done = installed(files["draft"], "--leads", "stored", "--json", "--html", files["leads"].parent / "page.html")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["draft"]["agreement"], found["against"]["agreement"]) == ("b2b-saas@2", "b2b-saas@1")
    assert (found["leads"]["leads"], found["moves"]["both"]["leads"], found["won_means"]) == (3, 3, "made opportunities")
    assert everything(box) == before


async def test_the_default_agreement_gets_no_lead_that_another_one_in_force_is_for(
    installed: Callable[..., Result], box: Toolbox, driver: Driver, files: dict[str, Path]
) -> None:
    box.write_now(lambda session, now: published(session, text_of(4, "2026-06-01", WEB, FOR_WEB), now))
    for source in ("phone", "web", "phone", "webinar"):
        capture(box, source=source)
    await driver.settle()

    of_default, of_web = (json.loads(installed(ref, "--leads", "stored", "--json").stdout) for ref in (files["draft"], "web@4"))

    assert [of_default[side]["elsewhere"]["leads"] for side in ("draft", "against")] == [2, 2]
    assert [of_default[side]["qualified"]["leads"] for side in ("draft", "against")] == [2, 2]
    assert (of_web["draft"]["elsewhere"]["leads"], of_web["draft"]["qualified"]["leads"]) == (2, 2)


def test_the_version_in_force_by_itself_is_compared_with_nothing(installed: Callable[..., Result], files: dict[str, Path]) -> None:
    found = json.loads(installed("b2b-saas@1", "--leads", files["leads"], "--json").stdout)

    assert (found["draft"]["agreement"], found["against"], found["moves"]) == ("b2b-saas@1", None, None)


def test_leads_that_are_not_there_yet_are_told_so(installed: Callable[..., Result], files: dict[str, Path]) -> None:
    done = installed(files["draft"], "--leads", "stored")

    assert done.exit_code == 1
    assert "No handoff in the database has been judged yet" in done.stderr

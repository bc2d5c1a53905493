"""`baton agreement due`: when something is due, and why, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import app as cli
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT, ROSTER

FRIDAY = "2026-05-01T16:30+01:00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The example agreement, with a calendar in New York."""
    path = tmp_path / "deal.yaml"
    newyork = '\n  newyork: {timezone: America/New_York, hours: {mon-fri: "09:00-17:00"}}\n\nrouting:'
    path.write_text(AGREEMENT.replace("\n\nrouting:", newyork, 1), encoding="utf-8")
    return path


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """The example roster, where Dan works in New York and Faye on a calendar that is not there."""
    path = tmp_path / "people.yaml"
    text = ROSTER.replace("team: americas, timezone: Europe/London", "team: americas, calendar: newyork, timezone: America/New_York", 1)
    path.write_text(text.replace("faye: {", "faye: {calendar: mars, ", 1), encoding="utf-8")
    return path


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli, ["agreement", "due", *map(str, words)], env={"COLUMNS": "120"})


def data(*words: object) -> Any:
    said = ask(*words, "--json")
    assert said.exit_code == 0, said.output
    return json.loads(said.output)


def test_it_says_when_something_is_due_and_which_days_are_passed_over(file: Path) -> None:
    said = ask(file, "--clock", "acceptance", "--from", FRIDAY)

    assert said.exit_code == 0
    assert "b2b-saas@1, acceptance for tier normal: 4 working hours, owed by sales" in said.output
    assert "on the calendar london (Europe/London)" in said.output
    assert "closed: Sat 2 May, Sun 3 May, Mon 4 May (May Day)" in said.output
    rows = [[cell.strip() for cell in row.split("│")] for row in said.output.splitlines() if "│" in row]
    assert rows[:4] == [
        ["start", "Fri  1 May 16:30", "Fri  1 May 15:30"],
        ["at 50%: remind", "Tue  5 May 10:00", "Tue  5 May 09:00"],
        ["at 80%: tell-manager", "Tue  5 May 11:12", "Tue  5 May 10:12"],
        ["due", "Tue  5 May 12:00", "Tue  5 May 11:00"],
    ]
    assert ["at once: reassign (1 of 2)", "Tue  5 May 12:00", "Tue  5 May 11:00"] in rows
    assert ["total over all reps", "Wed  6 May 12:30", "Wed  6 May 11:30"] in rows


def test_it_draws_the_days_in_half_hours(file: Path) -> None:
    said = ask(file, "--clock", "acceptance", "--from", FRIDAY)

    drawn = [line for line in said.output.splitlines() if "2026 " in line and "..." in line]
    assert drawn == [
        "Fri  1 May 2026 ..................-------..------##.............",
        "Sat  2 May 2026 ................................................",
        "Sun  3 May 2026 ................................................",
        "Mon  4 May 2026 ................................................",
        "Tue  5 May 2026 ..................#o##o|-..--------.............",
    ]


def test_of_a_long_time_the_days_in_the_middle_are_counted(file: Path) -> None:
    said = ask(file, "--clock", "outcome", "--from", "2026-12-18T12:00Z")

    assert "... 6 more days ..." in said.output
    assert "Wed  6 Jan 2027 ..................#####|-" in said.output
    assert "Mon 28 Dec (Boxing Day (observed))" in said.output
    assert "Wed  6 Jan 2027 12:00" in said.output


def test_the_rep_of_a_roster_file_counts_with_calendar_and_zone(file: Path, people: Path) -> None:
    found = data(file, "--clock", "acceptance", "--tier", "hot", "--from", "2026-05-05T09:00+01:00", "--rep", "dan", "--roster", people)

    assert found["zones"] == {"agreement": "Europe/London", "holder": "America/New_York", "utc": "UTC"}
    assert found["due"] == {
        "agreement": "2026-05-05T14:30:00+01:00",
        "holder": "2026-05-05T09:30:00-04:00",
        "utc": "2026-05-05T13:30:00+00:00",
    }
    said = ask(file, "--clock", "acceptance", "--from", FRIDAY, "--rep", "dan", "--roster", people)
    assert "on the calendar newyork (America/New_York), on which Dan Ortiz works" in said.output


def test_what_does_not_fit_the_rep_is_said(file: Path, people: Path) -> None:
    lost = data(file, "--clock", "acceptance", "--from", FRIDAY, "--rep", "faye", "--roster", people)
    away = data(file, "--clock", "acceptance", "--from", "2027-01-15T12:00Z", "--rep", "emil", "--roster", people)

    assert "b2b-saas@1 has no calendar 'mars'; the first calendar of the agreement counts instead" in lost["notes"]
    assert "Emil Novak is away until Mon 8 Feb 2027 00:00; routing skips people who are away" in away["notes"]


def test_json_holds_all_of_it(file: Path) -> None:
    found = data(file, "--clock", "first_attempt", "--tier", "hot", "--from", "2026-05-01T16:30")

    assert (found["agreement"], found["clock"], found["tier"], found["term"]) == ("b2b-saas@1", "first_attempt", "hot", "2 working hours")
    assert found["supposed"] == "read as local time in Europe/London"
    assert found["calendar"] == "london"
    assert [(one["do"], one["at"] and one["at"]["utc"]) for one in found["rungs"]] == [
        ("tell-manager", "2026-05-05T09:00:00+00:00"),
        ("reassign", "2026-05-05T14:00:00+00:00"),
        ("manager-decides", None),
    ]
    assert found["closed"][-1] == {"date": "2026-05-04", "why": "May Day"}
    assert found["counted"] == [
        {"from": "2026-05-01T15:30:00+00:00", "to": "2026-05-01T16:30:00+00:00"},
        {"from": "2026-05-05T08:00:00+00:00", "to": "2026-05-05T09:00:00+00:00"},
    ]
    assert found["total"] is None


def test_elapsed_time_follows_no_calendar(file: Path) -> None:
    assert "elapsed time, by no calendar" in ask(file, "--clock", "note", "--from", FRIDAY).output
    assert data(file, "--clock", "note", "--from", FRIDAY)["calendar"] is None


def test_local_time_that_is_skipped_is_told(file: Path) -> None:
    said = ask(file, "--clock", "note", "--from", "2026-03-29T01:30")

    assert "start: 01:30 does not exist in Europe/London on that day; 02:30 is taken" in said.output


def test_a_published_version_and_the_loaded_roster_are_known_by_name(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)

    found = data("b2b-saas@1", "--clock", "note", "--from", FRIDAY, "--rep", "mina")
    toolbox.current().database.close()
    toolbox.use(box)

    assert found["due"]["utc"] == "2026-05-02T03:30:00+00:00"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--clock", "patience", "--from", FRIDAY), "no clock 'patience'; write one of delivery, acceptance, first_attempt"),
        (("--clock", "note", "--from", FRIDAY, "--tier", "gold"), "b2b-saas@1 has no tier 'gold'; write one of hot, normal."),
        (("--clock", "note", "--from", "soon"), "--from: 'soon' is no instant; write an instant such as"),
        (("--clock", "note", "--from", "2026-05-01"), "--from: '2026-05-01' has no time of day"),
        (("--clock", "note", "--from", FRIDAY, "--rep", "zoe", "--roster", "{people}"), "Nobody in the roster is called 'zoe'; write one"),
        (("--clock", "note", "--from", FRIDAY, "--rep", "ana", "--roster", "nowhere.yaml"), "nowhere.yaml"),
        (("--clock", "note"), "--from"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_what_to_write(file: Path, people: Path, words: tuple[str, ...], said: str) -> None:
    refused = ask(file, *(word.replace("{people}", str(people)) for word in words))

    assert refused.exit_code == 2
    assert said in refused.stderr
    assert refused.stdout == ""


def test_a_faulty_file_is_told_with_its_lines(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("mon-fri", "mon-fry", 1), encoding="utf-8")

    refused = ask(file, "--clock", "note", "--from", FRIDAY)

    assert refused.exit_code == 1
    assert "calendars.london.hours.mon-fry: 'fry' is not a day; write mon, tue" in refused.stderr


def test_a_calendar_that_stops_opening_is_told(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    once = 'hours: {mon-fri: "09:00-12:30, 13:30-17:30"}\n    holidays: {country: GB, subdivision: ENG}'
    file.write_text(text.replace(once, 'special_days: {2026-05-01: "09:00-17:30"}', 1), encoding="utf-8")

    refused = ask(file, "--clock", "acceptance", "--from", FRIDAY)

    assert refused.exit_code == 1
    assert "b2b-saas@1 has no due time for the clock acceptance: hours: counting from" in refused.stderr
    assert "nothing is open for 5 years" in refused.stderr

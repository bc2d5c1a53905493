"""Leads as CSV: what was exported reads back as it was, but for the mark that keeps spreadsheets from calculating."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from typer.testing import CliRunner, Result

from agreements.lifecycle import Stage
from app.cli import app as cli
from app.exporting import COLUMNS, Wanted, defused, export, undone
from storage import handoffs
from storage.database import Database
from storage.tables import Lead
from tasks.wiring import toolbox
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import until_working
from tests.driver import Driver
from tests.examples import examples
from tests.present import the
from tests.stage import answer_by_link, capture, newest

#: Where a spreadsheet begins to calculate: at the start of a cell, also of one that a separator inside a text would open.
CALCULATES = re.compile(r"(?:\A|[,;|\t\r\n])[\s\"]*[=+\-@＝＋－＠]")


@pytest.fixture
def baton(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line on the same database."""
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)

    def run(*words: object) -> Result:
        done = CliRunner().invoke(cli, ["leads", "export", *map(str, words)])
        if toolbox._current is not box:
            toolbox.current().database.close()
            toolbox.use(box)
        return done

    return run


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def exported(box: Toolbox, wanted: Wanted = Wanted()) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    export(box, out, wanted, progress=lambda done: None)
    return rows_of(out.getvalue())


def change(box: Toolbox, lead_id: int, **texts: str) -> None:
    def work(session: Session, now: object) -> None:
        lead = session.get(Lead, lead_id)
        assert lead is not None
        for name, text in texts.items():
            setattr(lead, name, text)
        session.add(lead)

    box.write_now(work)


async def test_a_row_says_who_it_is_where_it_stands_and_when_it_is_due(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, phone="+44 20 7946 0177", company="Harbour; Sons", first_name="Lee", last_name='"Ray"')
    await driver.settle()

    [row] = exported(box)

    handoff = newest(box, taken)
    assert tuple(row) == COLUMNS
    assert row["lead"] == str(taken.lead_id)
    assert (row["company"], row["person"], row["email"]) == ("Harbour; Sons", 'Lee "Ray"', taken.incoming.email)
    assert (row["stage"], row["owner"], row["rep"], row["tier"]) == ("assigned", "Ana Silva", "Ana Silva", handoff.tier)
    assert (row["score"], row["fit"], row["engagement"]) == (str(handoff.score), str(handoff.fit), str(handoff.engagement))
    assert (row["agreement"], row["campaign"], row["created"]) == ("b2b-saas@1", "spring", time.at.isoformat())
    assert row["due"] > row["created"]
    assert row["phone"] == "'+44 20 7946 0177"
    assert undone(row["phone"]) == "+44 20 7946 0177"


@pytest.mark.long
async def test_each_lead_is_there_once_with_its_newest_handoff_whatever_their_number(driver: Driver, box: Toolbox) -> None:
    numbers = [capture(box).lead_id for _ in range(1203)]

    def again(session: Session, now: datetime) -> None:
        from tasks.begin import begin

        earlier = the(handoffs.latest_of(session, numbers[3]))
        handoffs.move(session, earlier, "disqualified", now=now)
        session.flush()
        begin(session, the(session.get(Lead, numbers[3])), now=now, cause="returned", previous=earlier)

    box.write_now(again)

    assert [row["lead"] for row in exported(box)] == [str(number) for number in sorted(numbers)]


async def test_a_row_says_where_the_lead_came_from_and_when_it_reached_each_stage(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    begun = time.at
    taken = await until_working(driver, box, entry_channel="webinar")
    worked = time.at
    time.at += timedelta(hours=1)
    answer_by_link(box, taken, "returned", reason="not-now")
    await driver.settle()

    [row] = exported(box)

    assert (row["source"], row["entry_channel"], row["reason"]) == (taken.incoming.source, "webinar", "not-now")
    assert (row["stage"], row["track"]) == ("nurturing", newest(box, taken).track)
    assert row["begun"] == row["mql_at"] == begun.isoformat()
    assert begun.isoformat() <= row["assigned_at"] <= row["accepted_at"] <= row["working_at"] <= worked.isoformat()
    assert (row["opportunity_at"], row["ended_at"]) == ("", the(newest(box, taken).ended_at).isoformat())
    assert row["ended_at"] > row["working_at"] > ""


async def test_stage_and_agreement_choose(driver: Driver, box: Toolbox) -> None:
    assigned, other = capture(box), capture(box, do_not_contact=True)
    await driver.settle()

    assert [row["lead"] for row in exported(box, Wanted(stage=Stage.ASSIGNED))] == [str(assigned.lead_id)]
    assert [row["lead"] for row in exported(box, Wanted(stage=newest(box, other).stage))] == [str(other.lead_id)]
    assert len(exported(box, Wanted(agreement="b2b-saas"))) == len(exported(box, Wanted(agreement="b2b-saas@1"))) == 2
    assert exported(box, Wanted(agreement="b2b-saas@2")) == exported(box, Wanted(agreement="other")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Harbour & Sons", "Harbour & Sons"),
        ("+44 20 7946 0177", "'+44 20 7946 0177"),
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("\t=1", "'\t'=1"),
        ("\r\n+1", "'\r\n'+1"),
        ('" =1', "\" '=1"),
        ("a;=1+1", "a;'=1+1"),
        ("a\n=1", "a\n'=1"),
        ("'=1", "''=1"),
        ("O'Hara", "O'Hara"),
        ("a-b, c+d", "a-b, c+d"),
    ],
)
def test_what_would_be_calculated_is_marked(text: str, told: str) -> None:
    assert defused(text) == told
    assert undone(told) == text


HOSTILE = st.text(alphabet=st.one_of(st.sampled_from("=+-@＝＋－＠'\",;|\t\r\n \x00"), st.characters(codec="utf-8")), max_size=40)


@settings(max_examples=examples(400), deadline=None)
@given(text=HOSTILE)
def test_nothing_is_calculated_and_everything_reads_back(text: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([defused(text), "end"])

    [[read, end]] = list(csv.reader(io.StringIO(out.getvalue(), newline="")))

    assert (undone(read), end) == (text, "end")
    assert not CALCULATES.search(read)


async def test_a_hostile_lead_stays_one_row_of_as_many_cells(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    hostile = 'x";\r\n=HYPERLINK("https://evil.example")\x00,,,\u202e'
    change(box, taken.lead_id, company=hostile, first_name="=1", last_name="", phone="+1;-1", campaign="@x" * 50_000)

    [row] = exported(box)

    assert set(row) == set(COLUMNS)
    assert undone(row["company"]) == hostile
    assert (undone(row["person"]), undone(row["phone"])) == ("=1", "+1;-1")
    assert not [name for name, cell in row.items() if CALCULATES.search(cell)]


def test_a_file_is_written_with_a_mark_for_excel_where_asked(box: Toolbox, baton: Callable[..., Result], tmp_path: Path) -> None:
    capture(box, company="Größe")

    plain, excel = tmp_path / "plain.csv", tmp_path / "excel.csv"
    done, again = baton(plain), baton(excel, "--excel")

    assert (done.exit_code, again.exit_code) == (0, 0), done.output + again.output
    assert "1 lead written" in done.stderr
    assert done.stdout == ""
    assert excel.read_bytes() == b"\xef\xbb\xbf" + plain.read_bytes()
    assert rows_of(plain.read_text(encoding="utf-8"))[0]["company"] == "Größe"
    assert stat.S_IMODE(plain.stat().st_mode) == 0o600


def test_leads_can_be_written_out_before_there_is_a_roster(database: Database, time: SteppedTime, tmp_path: Path) -> None:
    """Held ones, that were imported first."""
    from notifications.links import Links
    from storage.crm.local import LocalCrm
    from tasks.wiring.settings import Settings
    from tasks.wiring.toolbox import Toolbox

    crm, links = LocalCrm(tmp_path / "crm.db"), Links(["a-key-for-tests-only"], "http://baton.test")
    bare = Toolbox(Settings(home=tmp_path), database, crm, {}, links, time)
    capture(bare, company="Harbour")

    assert [(row["company"], row["owner"]) for row in exported(bare)] == [("Harbour", "operator")]


def test_standard_output_holds_the_rows_alone(box: Toolbox, baton: Callable[..., Result]) -> None:
    capture(box)

    done = baton("-")

    assert done.exit_code == 0, done.output
    assert done.stdout_bytes.startswith(b'"lead","company",')
    assert len(rows_of(done.stdout_bytes.decode())) == 1


def test_a_file_that_was_there_stays_whole_until_the_new_one_is(tmp_path: Path) -> None:
    from app.files import written_whole

    file = tmp_path / "leads.csv"
    file.write_text("before")

    def break_off(out: IO[str]) -> None:
        out.write("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), written_whole(file) as out:
        break_off(out)

    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("{folder}",), 2, "is a folder; name a file in it"),
        (("{folder}/nowhere/leads.csv",), 2, "There is no folder"),
        (("-", "--stage", "won"), 2, "There is no stage 'won'; there are inquiry"),
        (("-", "--agreement", "b2b-saas@new"), 2, "write its name, as in b2b-saas"),
    ],
)
def test_what_cannot_be_written_is_said(
    box: Toolbox, baton: Callable[..., Result], tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = baton(*(word.format(folder=tmp_path) for word in words))

    assert done.exit_code == code
    assert said in done.stderr

"""A preview shows how a file is understood, and stores nothing."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import func, select

from app.commands.import_preview import problems
from app.csv_import.file import BadRow
from storage.tables import Lead
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command

MAP = """
columns: {source_id: Id, at: Day, company: Firm, email: Mail}
fields: {size: Staff}
number_fields: [size]
decimal_sign: ","
dates: day-first
"""
ROWS = ("1;03/04/2026;[bold]Acme;a@b.example;1.250;red", "2;04/05/2026;Bo;;12,5;", "3;40/04/2026;;;1;", "4;41/04/2026;;;1;", "5;;;x y;1;")


def leads(box: Toolbox) -> int:
    return box.read_now(lambda session, now: session.exec(select(func.count()).select_from(Lead)).one())


def files(folder: Path) -> list[str]:
    (folder / "map.yaml").write_text(MAP)
    (folder / "leads.csv").write_text("\n".join(["Id;Day;Firm;Mail;Staff;Colour", *ROWS]) + "\n")
    return ["leads", "import", str(folder / "leads.csv"), "--map", str(folder / "map.yaml")]


def test_a_preview_shows_what_each_column_means_and_stores_nothing(baton: Command, box: Toolbox, tmp_path: Path) -> None:
    done = baton(*files(tmp_path), "--preview")

    said = " ".join(done.output.split())
    assert (done.exit_code, leads(box)) == (0, 0)
    assert "Day at 2026-04-03 09:00 UTC 2026-05-04 09:00 UTC" in said
    assert "Firm company [bold]Acme Bo" in said
    assert "Staff field size 1250 12.5" in said
    assert "Unknown columns were left out: Colour" in said
    assert "2 rows can be taken in, 3 cannot." in said
    assert "2 such as line 4: Day: '40/04/2026' is no date" in said
    assert "1 such as line 6: Mail: is not an e-mail address" in said


def test_a_script_goes_on_without_a_question(baton: Command, box: Toolbox, tmp_path: Path) -> None:
    done = baton(*files(tmp_path))

    assert (done.exit_code, leads(box)) == (3, 2)
    assert "is read as" not in done.output


def test_kinds_of_mistakes_come_by_their_number_with_the_first_line_of_each() -> None:
    bad = [BadRow(2, "at: 'x' is no date"), BadRow(3, "email: is bad"), BadRow(4, "at: 'it' is no date"), BadRow(5, "has 3 cells, 4 asked")]

    assert [(many, one.line) for many, one in problems(bad)] == [(2, 2), (1, 3), (1, 5)]

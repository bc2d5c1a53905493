"""`baton roster away`: who is away when, told, listed and taken back."""

from __future__ import annotations

import pytest

from storage import roster
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.conftest import ROSTER

WEEK = ("--from", "2027-02-08", "--until", "2027-02-15")


def test_an_absence_is_told_shown_and_survives_the_next_load(baton: Command, box: Toolbox) -> None:
    told = baton("roster", "away", "ana", *WEEK, "--deputy", "Ben Carter")

    assert told.exit_code == 0, told.output
    assert "Ana Silva is away from Mon 8 Feb 2027 00:00 until Mon 15 Feb 2027 00:00 (Europe/London). Ben Carter stands in." in told.output
    box.write_now(lambda session, now: roster.load(session, ROSTER.replace("Dora Lind", "Dora Lund"), now=now))
    shown = baton("roster", "show").output
    assert "from Mon 8 Feb 2027 00:00 until Mon 15 Feb 2027 00:00, Ben Carter stands in (told by command)" in shown
    assert "until Mon 8 Feb 2027 00:00, nobody stands in (in the roster file)" in shown


def test_all_absences_are_listed_with_their_source(baton: Command) -> None:
    baton("roster", "away", "ana", *WEEK)

    everybody, only, none = baton("roster", "away"), baton("roster", "away", "ana"), baton("roster", "away", "ben")

    assert "in the roster file" in everybody.output
    assert "told by command" in everybody.output
    assert "in the roster file" not in only.output
    assert "Ben Carter is not away, now or later." in none.output


def test_an_absence_is_made_longer(baton: Command) -> None:
    baton("roster", "away", "ana", *WEEK)

    longer = baton("roster", "away", "ana", "--from", "2027-02-08", "--until", "2027-02-17T12:00")

    assert longer.exit_code == 0, longer.output
    listed = baton("roster", "away", "ana").output
    assert "Wed 17 Feb 2027 12:00" in listed
    assert "Mon 15 Feb 2027" not in listed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("zoe", *WEEK), 1, "called 'zoe' in the roster"),
        (("ana", "--from", "2027-02-15", "--until", "2027-02-08"), 1, "write an end after the beginning"),
        (("ana", "--from", "2027-02-08", "--until", "2027-02-08"), 1, "write an end after the beginning"),
        (("emil", "--from", "2027-02-07", "--until", "2027-02-09"), 1, "Emil Novak is away already"),
        (("ana", *WEEK, "--deputy", "ana"), 1, "Ana Silva cannot stand in while away"),
        (("ana", "--from", "2027-02-05", "--until", "2027-02-09", "--deputy", "emil"), 1, "The deputy Emil Novak is away too"),
        (("ana", "--until", "soon"), 1, "is no instant"),
        (("ana", "--from", "2027-02-08"), 2, "Give --until"),
        (("--until", "2027-02-08"), 2, "Name one person"),
        (("ana", "--back", "--until", "2027-02-08"), 2, "one of --until, --back and --remove"),
        (("emil", "--back"), 1, "in the roster file: change the file and load it again"),
        (("ana", "--back"), 1, "Ana Silva is not away"),
        (("ana", "--remove", "2027-02-08"), 1, "`baton roster away` lists who is away when"),
    ],
)
def test_what_cannot_be_is_refused(baton: Command, words: tuple[str, ...], code: int, said: str) -> None:
    refused = baton("roster", "away", *words)

    assert (refused.exit_code, said in refused.output) == (code, True), refused.output


@pytest.mark.parametrize(
    ("told", "words", "said"),
    [
        (WEEK, ("--remove", "2027-02-08"), "is taken back"),
        (WEEK, ("--remove", "2027-02-10"), "is taken back"),
        (("--from", "2027-02-08T12:00", "--until", "2027-02-10"), ("--remove", "2027-02-08"), "is taken back"),
        (("--until", "2027-02-10"), ("--back",), "Ana Silva is back"),
        (("--from", "2027-01-20", "--until", "2027-02-10"), ("--remove", "2027-01-25"), "Ana Silva is back"),
    ],
)
def test_an_absence_is_taken_back(baton: Command, told: tuple[str, ...], words: tuple[str, ...], said: str) -> None:
    assert baton("roster", "away", "ana", *told).exit_code == 0

    back = baton("roster", "away", "ana", *words)

    assert (back.exit_code, said in back.output) == (0, True), back.output
    assert "Ana Silva is not away, now or later." in baton("roster", "away", "ana").output

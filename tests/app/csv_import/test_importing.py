"""Taking read rows in: each whole or not at all, a faulty one by its line, the same file twice only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, SQLModel, col, func, select

from agreements.lead import IncomingLead
from app.csv_import import importing
from app.csv_import.file import BadRow, IncomingRow, ReadLeads
from app.csv_import.importing import ROWS_TOGETHER, import_leads
from storage.tables import Activity, Event, Handoff, Lead, Wake
from tasks import intake, newcomers
from tasks.wiring.toolbox import Toolbox

#: What the shared toolbox's clock shows.
NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)


def rows(*source_ids: str, start: int = 2, **more: Any) -> list[IncomingRow]:
    return [
        IncomingRow(line, IncomingLead(source="csv", source_id=one, **{"at": NOW, **more}))
        for line, one in enumerate(source_ids, start=start)
    ]


def many(count: int) -> ReadLeads:
    return ReadLeads(rows(*map(str, range(count))))


def count(box: Toolbox, table: type[SQLModel]) -> int:
    return box.read_now(lambda session, now: session.exec(select(func.count()).select_from(table)).one())


def take(box: Toolbox, read: ReadLeads, **more: Any) -> importing.ImportResult:
    return import_leads(box, read, **{"hold": False, "actor": "cli", **more})


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Makes taking in the lead with this source id raise this error."""

    def faulty(source_id: str, error: Exception) -> None:
        real = intake.capture

        def capture(session: Session, incoming: IncomingLead, **more: Any) -> intake.Captured:
            found = real(session, incoming, **more)
            if incoming.source_id == source_id:
                raise error
            return found

        together = newcomers.take_in

        def take_in(session: Session, inquiries: Sequence[IncomingLead], **more: Any) -> None:
            together(session, inquiries, **more)
            if any(one.source_id == source_id for one in inquiries):
                raise error

        monkeypatch.setattr(intake, "capture", capture)
        monkeypatch.setattr(newcomers, "take_in", take_in)

    return faulty


def test_every_row_is_counted_by_what_became_of_it(box: Toolbox) -> None:
    read = ReadLeads(
        [
            *rows("1", "2", email="ann@b.example"),
            *rows("1", start=4, conversion_id="later"),
            *rows("1", start=5, conversion_id="later"),
        ],
        [BadRow(6, "at: is no date")],
    )

    result = take(box, read)

    assert (result.new, result.merged, result.activity, result.repeated) == (1, 1, 1, 1)
    assert result.bad == [BadRow(6, "at: is no date")]
    assert (count(box, Lead), count(box, Activity)) == (2, 3)


def test_the_same_file_again_changes_nothing(box: Toolbox) -> None:
    take(box, many(120))

    result = take(box, many(120))

    assert (result.new, result.repeated) == (0, 120)
    assert count(box, Activity) == 120


@pytest.mark.parametrize("after", [1, 2, 4])
def test_an_import_that_was_cut_off_goes_on_when_it_is_run_again(box: Toolbox, after: int) -> None:
    told: list[int] = []

    def cut_off(rows: int) -> None:
        told.append(rows)
        if len(told) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(box, many(150), progress=cut_off)
    done = count(box, Lead)
    result = take(box, many(150))

    assert 0 < done == result.repeated < 150
    assert (result.new, count(box, Lead), count(box, Activity), count(box, Wake)) == (150 - done, 150, 150, 150)


def test_progress_is_told_after_each_transaction(box: Toolbox) -> None:
    told: list[int] = []

    take(box, many(30), progress=told.append)

    assert sum(told) == 30
    assert max(told) <= ROWS_TOGETHER


@pytest.mark.parametrize(
    ("requested", "problem"),
    [
        (timedelta(hours=1), ""),
        (-timedelta(hours=1), "requested_time: had passed"),
        (timedelta(days=366), "requested_time: is more than a year"),
    ],
)
def test_a_row_without_a_time_asks_for_a_call_from_now_on(box: Toolbox, requested: timedelta, problem: str) -> None:
    result = take(box, ReadLeads(rows("1", at=None, requested_time=NOW + requested)))

    assert [bad.reason.startswith(problem) for bad in result.bad] == ([True] if problem else [])
    assert count(box, Lead) == (0 if problem else 1)


def test_old_leads_with_contact_times_of_their_day_go_in(box: Toolbox) -> None:
    old = NOW - timedelta(days=800)

    assert take(box, ReadLeads(rows("1", at=old, requested_time=old + timedelta(hours=3)))).new == 1


def test_the_trail_names_who_took_the_rows_in(box: Toolbox) -> None:
    take(box, many(1), actor="website")

    actors = box.read_now(lambda session, now: session.exec(select(Event.actor).where(Event.kind == "activity")).all())
    assert list(actors) == ["website"]


def test_held_rows_are_stored_and_start_nothing(box: Toolbox) -> None:
    take(box, many(3), hold=True)

    held = box.read_now(lambda session, now: session.exec(select(Handoff.held)).all())
    assert list(held) == [True] * 3
    assert count(box, Wake) == 0


@pytest.mark.parametrize(
    "error", [ValueError("no such thing"), IntegrityError("INSERT INTO leads VALUES ('Ann')", {}, ValueError("no such thing"))]
)
def test_a_row_that_raises_is_named_and_the_others_go_in(box: Toolbox, faulty: Callable[[str, Exception], None], error: Exception) -> None:
    faulty("57", error)

    result = take(box, many(120))

    assert result.new == 119
    (bad,) = result.bad
    assert bad.line == 59
    assert bad.reason == f"could not be stored ({type(error).__name__}: no such thing): correct it and take the file in again"


def test_a_row_that_raises_leaves_nothing_half_saved(box: Toolbox, faulty: Callable[[str, Exception], None]) -> None:
    faulty("1", RuntimeError())

    take(box, many(3))

    assert (count(box, Lead), count(box, Activity), count(box, Handoff)) == (2, 2, 2)


def test_a_database_that_fails_is_not_blamed_on_a_row(box: Toolbox, faulty: Callable[[str, Exception], None]) -> None:
    faulty("57", OperationalError("INSERT", {}, ValueError("disk is full")))

    with pytest.raises(OperationalError, match="disk is full"):
        take(box, many(120))

    assert count(box, Lead) == 57


@pytest.mark.parametrize(("ahead", "new"), [(timedelta(days=1), 1), (timedelta(days=1, seconds=1), 0)])
def test_a_lead_from_later_than_tomorrow_is_bad(box: Toolbox, ahead: timedelta, new: int) -> None:
    result = take(box, ReadLeads(rows("1", at=NOW + ahead)))

    assert result.new == new
    assert [bad.reason for bad in result.bad] == [
        "at: 2027-02-02 09:00 UTC has not come yet: correct the date, or the time zone it is meant in"
    ][new:]


def test_bad_rows_come_by_line(box: Toolbox, faulty: Callable[[str, Exception], None]) -> None:
    faulty("0", ValueError())

    result = take(box, ReadLeads(many(2).rows, [BadRow(9, "later"), BadRow(1, "sooner")]))

    assert [bad.line for bad in result.bad] == [1, 2, 9]


def test_hostile_text_is_stored_as_it_is(box: Toolbox) -> None:
    text = "=cmd|'/C calc'!A0"
    take(box, ReadLeads(rows("1", company=text, message="<script>{{ 7*7 }}</script>")))

    assert box.read_now(lambda session, now: session.exec(select(col(Lead.company))).one()) == text


def test_a_rep_who_brought_leads_in_is_kept_and_one_whom_nobody_knows_is_a_bad_row(box: Toolbox) -> None:
    read = ReadLeads([*rows("1", sales_sourced_by="ben"), *rows("2", start=3, sales_sourced_by="bne")])

    result = take(box, read)

    assert (result.new, [bad.line for bad in result.bad]) == (1, [3])
    assert result.bad[0].reason == "sales_sourced_by: no rep in the roster is called 'bne'; did you mean 'ben'?"
    assert box.read_now(lambda session, now: session.exec(select(Handoff.brought_by)).all()) == ["ben"]

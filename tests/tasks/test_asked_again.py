"""Asked again: what a person sends is a request of its own unless it is the same thing once more, and then it is kept and shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.words import Move
from app.csv_import.file import IncomingRow, ReadLeads
from app.csv_import.importing import import_leads
from storage import handoffs, roster
from storage.tables import Activity, Lead
from tasks.messages import lead_view
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.fakes import make_lead
from tests.present import the
from tests.stage import capture

PRESS: dict[str, Any] = {"source_id": "17", "activity": "demo_requested", "message": "Please call."}


def activities_of(box: Toolbox) -> list[Activity]:
    return box.read_now(lambda session, now: list(session.exec(select(Activity).order_by(col(Activity.id)))))


#: What comes, each with the minutes since the one before; what becomes of each; how many requests there are in the end.
SEQUENCES: list[tuple[str, list[tuple[float, dict[str, Any]]], list[str], int]] = [
    ("the same press twice", [(0, {}), (0, {})], ["new", "repeated"], 1),
    ("the same press within minutes", [(0, {}), (9, {})], ["new", "repeated"], 1),
    ("an impatient person", [(0, {}), (4, {}), (4, {}), (4, {}), (4, {})], ["new"] + ["repeated"] * 4, 1),
    ("the next day", [(0, {}), (24 * 60, {})], ["new", "activity"], 2),
    ("just after ten minutes", [(0, {}), (10, {})], ["new", "activity"], 2),
    ("another text at once", [(0, {}), (1, {"message": "Today, please!"})], ["new", "activity"], 2),
    ("another page at once", [(0, {}), (1, {"path": "/pricing"})], ["new", "activity"], 2),
    ("another thing at once", [(0, {}), (1, {"activity": "quote_requested"})], ["new", "activity"], 2),
    ("the day after, twice", [(0, {}), (24 * 60, {}), (2, {})], ["new", "activity", "repeated"], 2),
    ("the first text once more", [(0, {}), (1, {"message": "Today!"}), (1, {})], ["new", "activity", "repeated"], 2),
    ("a known id, years later", [(0, {"conversion_id": "a"}), (10**6, {"conversion_id": "a"})], ["new", "repeated"], 1),
    ("a known time, days later", [(0, {"at": MONDAY}), (9999, {"at": MONDAY})], ["new", "repeated"], 1),
    ("ids of their own", [(0, {"conversion_id": "a"}), (0, {"conversion_id": "b"})], ["new", "activity"], 2),
]


@pytest.mark.parametrize(("comes", "becomes", "requests"), [one[1:] for one in SEQUENCES], ids=[one[0] for one in SEQUENCES])
def test_what_comes_again(
    box: Toolbox, time: SteppedTime, comes: list[tuple[float, dict[str, Any]]], becomes: list[str], requests: int
) -> None:
    kinds = []
    for minutes, facts in comes:
        time.at += timedelta(minutes=minutes)
        kinds.append(capture(box, **{**PRESS, **facts}).kind)

    assert kinds == becomes
    rows = activities_of(box)
    assert (len(rows), sum(row.repeated for row in rows)) == (requests, becomes.count("repeated"))


@pytest.mark.parametrize("ended", ["disqualified", "withdrawn"])
def test_a_lead_that_had_ended_and_asks_again_without_an_id_comes_back(box: Toolbox, time: SteppedTime, ended: Move) -> None:
    first = capture(box, **PRESS)
    box.write_now(lambda session, now: handoffs.move(session, the(handoffs.latest_of(session, first.lead_id)), ended, now=now))
    time.at += timedelta(days=40)

    again = capture(box, **PRESS)

    assert (again.kind, again.lead_id) == ("new", first.lead_id)


def test_a_file_without_ids_and_times_is_a_repetition_whenever_it_comes_again(box: Toolbox, time: SteppedTime) -> None:
    def take() -> tuple[int, int, int]:
        lines = [("1", {}), ("2", {}), ("2", {"message": "Again."})]
        read = ReadLeads([IncomingRow(n, make_lead(source_id=one, **more)) for n, (one, more) in enumerate(lines, start=2)])
        done = import_leads(box, read, hold=False, actor="cli")
        return done.new, done.activity, done.repeated

    first = take()
    time.at += timedelta(days=30)
    again = take()

    assert (first, again) == ((2, 1, 0), (0, 0, 3))
    assert [(row.repeated, row.repeated_at) for row in activities_of(box)] == [(1, time.at)] * 3


def test_a_row_from_before_rows_had_their_content_as_id_is_known(box: Toolbox) -> None:
    read = ReadLeads([IncomingRow(2, make_lead(source_id="1"))])
    import_leads(box, read, hold=False, actor="cli")

    def as_it_was(session: Session, now: datetime) -> None:
        row = session.exec(select(Activity)).one()
        row.key = "test:1:demo_requested@unknown"
        session.add(row)

    box.write_now(as_it_was)

    assert import_leads(box, read, hold=False, actor="cli").repeated == 1


def test_what_a_repetition_says_otherwise_is_kept_beside_and_shown(box: Toolbox, time: SteppedTime) -> None:
    first = capture(box, **PRESS, conversion_id="a", phone="+44 1")
    time.at += timedelta(hours=3)
    capture(box, **{**PRESS, "message": "Call in the evening."}, conversion_id="a", phone="+44 2")

    def look(session: Session, now: datetime) -> tuple[list[tuple[str, str]], list[tuple[datetime, str]], str]:
        lead, people = session.get_one(Lead, first.lead_id), roster.current(session)
        return [one[:2] for one in lead_view.beside_of(lead)], lead_view.timeline(session, lead.id, people=people), lead.phone

    beside, lines, phone = box.read_now(look)
    assert sorted(beside) == [("message", "Call in the evening."), ("phone", "+44 2")]
    assert phone == "+44 1"
    assert lines[-1] == (time.at, "demo requested: the same came again, once")

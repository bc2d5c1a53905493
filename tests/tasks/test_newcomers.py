"""Many people at once: the rows are those that one after another would have stored, whatever else the file holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, SQLModel, select

from agreements.lead import IncomingLead
from storage import activities, identity, suppressions
from storage.tables import Activity, Event, Handoff, Lead, LeadSource, LeadValues, PersonalText, SharedSource, Wake
from tasks import intake, newcomers
from tasks.wiring.toolbox import Toolbox

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
TABLES: tuple[type[SQLModel], ...] = (Lead, LeadSource, SharedSource, LeadValues, PersonalText, Activity, Event, Handoff, Wake)
#: Made anew each time: real times, salts, and the marks made of them.
OF_THE_MOMENT = {"recorded_at", "salt", "mark", "text_digest"}


class Undo(Exception):
    """Takes back what a transaction did."""


def lead(number: int, **more: Any) -> IncomingLead:
    given = {
        "source": "csv",
        "source_id": str(number),
        "email": f"p{number}@firm{number}.example",
        "at": NOW - timedelta(days=number),
        **more,
    }
    return activities.as_row(IncomingLead.model_validate(given))


MANY = [
    lead(1, first_name="Ann", message="Please call.", fields={"industry": "software", "employees": 120}),
    lead(2, activity="demo_requested", phone="+44 20 7946 0000", country="GB"),
    lead(3, email="", conversion_id="c1", company="Harbour"),
    lead(4, email="info@firm4.example"),
    lead(5, at=None, message="No time."),
    lead(6, at=NOW + timedelta(hours=3), requested_time=NOW + timedelta(days=2), campaign="Spring", entry_channel="list"),
]


def one_by_one(session: Session, hold: bool) -> None:
    for one in MANY:
        assert intake.capture(session, one, now=NOW, actor="cli", hold=hold).kind == "new"


def together(session: Session, hold: bool) -> None:
    identity.reserve(session, MANY)
    assert all(newcomers.those(session, MANY))
    newcomers.take_in(session, MANY, now=NOW, actor="cli", hold=hold)


def stored(box: Toolbox, take: Callable[[Session, bool], None], hold: bool) -> dict[str, list[dict[str, Any]]]:
    """What this way to take them in stores; it is taken back at once."""
    found: dict[str, list[dict[str, Any]]] = {}

    def work(session: Session, now: datetime) -> None:
        if not box.database.is_sqlite:
            _count_anew(session)
        take(session, hold)
        session.flush()
        session.expire_all()
        for table in TABLES:
            rows = [
                row.model_dump(exclude=OF_THE_MOMENT | ({"created_at"} if table is Wake else set())) for row in session.exec(select(table))
            ]
            found[table.__name__] = [_without_order(table, row) for row in rows]
        raise Undo

    with pytest.raises(Undo):
        box.write_now(work)
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _count_anew(session: Session) -> None:
    """PostgreSQL does not take numbers back that it has given to rows, so both ways would get other ones."""
    for name in (table.__tablename__ for table in TABLES if "id" in table.model_fields):
        counter = session.execute(text(f"SELECT pg_get_serial_sequence('{name}', 'id')")).scalar()
        if counter:
            session.execute(text(f"SELECT setval('{counter}', coalesce(max(id), 0) + 1, false) FROM {name}"))


def _without_order(table: type[SQLModel], row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if table is Lead or name not in ("id", "text_id")}


@pytest.mark.parametrize("hold", [False, True])
def test_many_together_are_stored_as_one_by_one(box: Toolbox, hold: bool) -> None:
    singly, many = stored(box, one_by_one, hold), stored(box, together, hold)

    assert len(singly["Lead"]) == len(MANY)
    assert many == singly


@pytest.mark.parametrize("count", [1, 30])
def test_what_is_looked_up_does_not_grow_with_the_number_of_people(box: Toolbox, count: int) -> None:
    people, asked = [lead(number, message="Hello.") for number in range(count)], list[str]()

    def work(session: Session, now: datetime) -> None:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *told: asked.append(told[2]))
        assert all(newcomers.those(session, people))
        newcomers.take_in(session, people, now=now, actor="cli", hold=False)

    box.write_now(work)

    assert len([one for one in asked if one.startswith("SELECT")]) <= 7


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lead(1, email="new@firm.example"), "its id is known"),
        (lead(99, email="P1+x@firm1.example"), "its address is known"),
        (lead(99, do_not_contact=True), "it refuses"),
        (lead(99, activity="unsubscribed"), "it refuses by what it did"),
        (lead(99, sales_sourced_by="ben"), "a rep brought it in"),
        (lead(99, email="ann@listed.example"), "its domain is listed"),
        (lead(99, phone="+44 20 7946 0999"), "its number is listed"),
    ],
)
def test_somebody_of_whom_something_is_known_is_no_newcomer(box: Toolbox, other: IncomingLead, why: str) -> None:
    def work(session: Session, now: datetime) -> list[bool]:
        suppressions.suppress(session, "listed.example", reason="asked", now=now)
        suppressions.suppress(session, "+44 20 7946 0999", reason="asked", now=now)
        newcomers.take_in(session, [lead(1)], now=now, actor="cli", hold=False)
        return newcomers.those(session, [lead(50), other, lead(51)])

    assert box.write_now(work) == [True, False, True], why


def test_of_several_rows_of_one_person_only_the_first_is_a_newcomer(box: Toolbox) -> None:
    several = [lead(1), lead(1, conversion_id="again"), lead(2, email="P1@firm1.example"), lead(3, do_not_contact=True), lead(3)]

    assert box.read_now(lambda session, now: newcomers.those(session, several)) == [True, False, False, False, False]


def test_no_look_up_reads_a_table_from_end_to_end(box: Toolbox) -> None:
    """An import looks up again and again, beside ever more leads."""
    if not box.database.is_sqlite:
        pytest.skip("the plans are those of SQLite")
    asked: list[tuple[str, Any]] = []

    def work(session: Session, now: datetime) -> list[str]:
        keep = lambda *told: asked.append((told[2], told[3]))  # noqa: E731
        event.listen(session.get_bind(), "before_cursor_execute", keep)
        newcomers.those(session, [lead(1), lead(2, source="other")])
        event.remove(session.get_bind(), "before_cursor_execute", keep)
        raw: Any = session.connection().connection.dbapi_connection
        looked = [one for one in asked if one[0].startswith("SELECT")]
        return [row[3] for statement, told in looked for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", told)]

    plans = box.read_now(work)

    assert len(asked) == 6  # BEGIN, and five look-ups
    assert [plan for plan in plans if plan.startswith("SCAN")] == []

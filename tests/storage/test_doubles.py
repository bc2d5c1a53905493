"""A database from before the unique keys, in which a person has two leads and a lead two open handoffs, is brought into shape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, Table

from storage import schema
from storage.database import Database
from storage.tables import Assignment, Delivery, Event, Handoff, Lead, Wait, Wake
from tests.conftest import MONDAY
from tests.rows import Row, all_of

MAILS = ["lee@quay.example", "lee@quay.example", "info@quay.example", "info@quay.example", "kim@quay.example"]
#: The open handoffs of lead 1: how far each is, and with whom.
DOUBLES = [(1, "accepted", "ana"), (2, "assigned", "ben"), (3, "inquiry", "")]
EMPTY = {"VARCHAR": "", "TEXT": "", "INTEGER": 0, "BOOLEAN": False, "JSON": {}, "FLOAT": 0.0}


def put(connection: Connection, name: str, **own: Any) -> None:
    """A row of that table as it was then: what is not given is empty, no, zero, or on Monday."""
    table = Table(name, MetaData(), autoload_with=connection)
    columns = [column for column in table.columns if not column.nullable and column.name != "id"]
    given = {column.name: EMPTY.get(str(column.type), MONDAY) for column in columns}
    connection.execute(table.insert().values(**{**given, **own}))


@pytest.fixture
def upgraded(database_url: str) -> Iterator[Database]:
    """A database that had doubles, after the upgrade."""
    database = Database(database_url)
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        command.upgrade(schema._config(connection), "0005")
    with database.engine.begin() as connection:
        for number, mail in enumerate(MAILS, 1):
            put(connection, "leads", id=number, mail_key=mail, company="Quay", merged_into=1 if mail.startswith("kim") else None)
        for number, stage, rep in DOUBLES:
            put(connection, "handoffs", id=number, lead_id=1, stage=stage, rep=rep, flow_run_id=f"run-{number}" if rep else "", epoch=7)
        put(connection, "handoffs", id=4, lead_id=3, stage="disqualified")
        put(connection, "events", kind="disqualified", handoff_id=4, at=MONDAY + timedelta(days=3))
        put(connection, "waits", id="w2", handoff_id=2, kind="acceptance", holder="ben")
        for number, rep in ((1, "ana"), (2, "ben")):
            put(connection, "assignments", id=f"t{number}", handoff_id=number, lead_id=1, rep=rep)
        put(connection, "deliveries", key="d", handoff_id=2, state="queued")
        put(connection, "wakes", key="k", handoff_id=3, kind="capture")
    schema.upgrade(database)
    yield database
    database.close()


def rows(database: Database, table: type[Row]) -> list[Row]:
    with database.read() as session:
        return all_of(session, table)


def test_it_comes_into_shape(upgraded: Database) -> None:
    assert schema.differences(upgraded) == []


def test_of_several_leads_of_a_person_the_newest_has_the_key_and_a_role_mailbox_gives_none(upgraded: Database) -> None:
    assert [lead.person_key for lead in rows(upgraded, Lead)] == ["", "lee@quay.example", "", "", ""]


def test_of_several_open_handoffs_the_one_that_is_furthest_along_stays(upgraded: Database) -> None:
    *doubles, _ = rows(upgraded, Handoff)

    assert [(one.stage, one.outcome, one.ended_at is None) for one in doubles] == [
        ("accepted", "", True),
        ("merged", "merged", False),
        ("merged", "merged", False),
    ]
    assert [one.epoch for one in doubles] == [7, 8, 8], "an attempt at one that ended has lost its lease"


def test_nothing_of_the_others_stays_open_and_the_trail_says_why(upgraded: Database) -> None:
    assert [wait.closed_because for wait in rows(upgraded, Wait)] == ["merged"]
    assert [tenure.ended_because for tenure in rows(upgraded, Assignment)] == ["", "merged"]
    assert [(line.handoff_id, line.data["stays"]) for line in rows(upgraded, Event) if line.kind == "merged"] == [(2, 1), (3, 1)]


def test_the_rep_of_one_that_ended_is_told_and_its_run_comes_to_its_end(upgraded: Database) -> None:
    """What was queued for it is not sent any more. One that never had a run needs none."""
    told = [(row.message, row.person, row.state) for row in rows(upgraded, Delivery)]

    assert told == [("", "", "cancelled"), ("withdrawn", "ben", "queued")]
    assert [(wake.key, wake.handoff_id) for wake in rows(upgraded, Wake)] == [("merged:2", 2)]


def test_an_end_without_a_time_has_the_time_of_its_last_event(upgraded: Database) -> None:
    *_, ended = rows(upgraded, Handoff)

    assert (ended.stage, ended.ended_at) == ("disqualified", MONDAY + timedelta(days=3))

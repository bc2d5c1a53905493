"""A database comes into the shape that the code needs, however often and by whomever it is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import MetaData, Table, inspect, text
from sqlmodel import SQLModel, col, func, select

from agreements.words import OpportunityState
from storage import opportunities, schema, trail, trail_lines
from storage.database import Database
from storage.tables import AgreementVersion, Event, Lead, LeadSource, Opportunity, Seal, Signature
from tests.conftest import MONDAY
from tests.present import the
from tests.processes import side_by_side
from tests.rows import a_handoff


def test_a_new_database_gets_every_table_as_the_code_has_it(database: Database) -> None:
    assert schema.differences(database) == []
    assert set(inspect(database.engine).get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}


def test_a_database_in_shape_is_left_alone(database: Database) -> None:
    with database.write() as session:
        session.add(Lead(company="Harbour", created_at=MONDAY))

    schema.upgrade(database)

    assert schema.differences(database) == []
    with database.read() as session:
        assert the(session.get(Lead, 1)).company == "Harbour"


def test_what_differs_from_the_code_is_named(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE leads ADD COLUMN shoe_size INTEGER"))

    assert any("shoe_size" in str(one) for one in schema.differences(database))


def upgrade(side: int, together: Callable[[], None], url: str) -> int:
    database = Database(url)
    together()
    schema.upgrade(database)
    left = len(schema.differences(database))
    database.close()
    return left


@pytest.mark.long
def test_two_processes_at_once_leave_one_whole_database(database_url: str) -> None:
    assert side_by_side(upgrade, database_url) == [0, 0]


def test_a_step_that_fails_half_way_leaves_nothing(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE waits (is_in_the_way INTEGER)"))

    with pytest.raises(Exception, match="waits"):
        schema.upgrade(database)

    assert inspect(database.engine).get_table_names() == ["waits"]
    database.close()


def test_a_database_of_the_first_release_keeps_its_rows_and_learns_where_its_leads_came_from(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        command.upgrade(schema._config(connection), "0001")
    with database.engine.begin() as connection:
        kept = {name: Table(name, MetaData(), autoload_with=connection) for name in ("leads", "agreement_versions", "signatures")}
        for number, company in ((1, "Harbour"), (2, "Quay")):
            mail = f"lee@{'mail.harbour.co.uk' if number == 1 else 'gmail.com'}"
            own = {"id": number, "company": company, "email": mail, "values": "{}", "do_not_contact": False, "created_at": MONDAY}
            connection.execute(kept["leads"].insert().values(**{**blank(kept["leads"]), **own}))
        connection.execute(text("INSERT INTO lead_sources (source, source_id, lead_id) VALUES ('csv', '17', 1)"))
        version = {"name": "b2b-saas", "version": 1, "effective_at": MONDAY, "published_at": MONDAY, "closed": False, "text": ""}
        connection.execute(kept["agreement_versions"].insert().values(**{**blank(kept["agreement_versions"]), **version}))
        connection.execute(kept["signatures"].insert().values(**{**blank(kept["signatures"]), "id": 1, "signed_at": MONDAY}))

    schema.upgrade(database)

    assert schema.differences(database) == []
    with database.read() as session:
        leads = [the(session.get(Lead, number)) for number in (1, 2)]
        assert [(one.company, one.source, one.linked_to) for one in leads] == [("Harbour", "csv", None), ("Quay", "", None)]
        assert [one.company_key for one in leads] == ["harbour.co.uk", ""]
        assert the(session.get(LeadSource, ("csv", "17"))).lead_id == 1
        assert the(session.get(AgreementVersion, ("b2b-saas", 1))).holidays == {}
        assert the(session.get(Signature, 1)).address == ""
    database.close()


def test_opportunities_that_are_open_already_are_watched_too(database: Database) -> None:
    with database.write() as session:
        handoff = a_handoff(session, MONDAY)
        for name, known in (("open", handoff), ("won", handoff), ("of nobody", None)):
            opportunities.begin(session, name, lead_id=handoff.lead_id if known else None, handoff=known, owner="ana", at=MONDAY)
        the(opportunities.named(session, "won")).state = OpportunityState.WON
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        command.downgrade(schema._config(connection), "0046")

    schema.upgrade(database)

    with database.read() as session:
        due = session.exec(select(Opportunity.stalls_at).order_by(col(Opportunity.id))).all()
    assert due == [MONDAY + timedelta(days=30), None, None]


def blank(table: Table) -> dict[str, str]:
    """Empty texts for a row of that table as it was."""
    return {column.name: "" for column in table.columns if str(column.type) == "VARCHAR"}


def test_a_trail_from_before_there_were_marks_is_counted_and_stays_provable(database_url: str) -> None:
    database, key = Database(database_url), b"a-key-for-tests-only"
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        command.upgrade(schema._config(connection), "0008")
    previous = ""
    with database.engine.begin() as connection:
        events, seals = (Table(name, MetaData(), autoload_with=connection) for name in ("events", "seals"))
        for number, count in enumerate((2, 3, 1), start=1):
            made = [Event(id=10 * number + one, at=MONDAY, recorded_at=MONDAY, kind="captured", data={"n": one}) for one in range(count)]
            digest = trail_lines.first_digest(key, previous, [trail_lines.first_line(event) for event in made])
            for event in made:
                kept = {name: value for name, value in event.model_dump().items() if name != "mark"}
                connection.execute(events.insert().values(**{**kept, "seal_id": number}))
            connection.execute(seals.insert().values(id=number, events=count, previous=previous, digest=digest, sealed_at=MONDAY))
            previous = digest

    schema.upgrade(database)

    assert schema.differences(database) == []
    with database.read() as session:
        assert [(row.format, row.total, row.pruned) for row in session.exec(select(Seal).order_by(col(Seal.id)))] == [
            (1, 2, False),
            (1, 5, False),
            (1, 6, False),
        ]
        found = trail.check(session, key=key, now=MONDAY)
    assert (found.whole, found.sealed, found.head) == (True, 6, previous)
    database.close()


@pytest.mark.parametrize("table", ["events", "personal_texts"])
def test_no_number_of_an_event_or_a_text_is_given_twice(database: Database, table: str) -> None:
    """A number that is given again would let a text stand behind somebody else's event, and hide that an event was deleted."""

    def another() -> int:
        with database.write() as session:
            if table == "personal_texts":
                return the(trail.keep_text(session, "Call me", lead_id=None)).id
            trail.record(session, "captured", now=MONDAY, lead_id=None)
            session.flush()
            return session.exec(select(func.max(Event.id))).one()

    first = another()
    with database.engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {table}"))

    assert another() > first

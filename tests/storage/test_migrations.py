"""A database comes into the shape that the code needs, however often and by whomever it is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic import command
from sqlalchemy import MetaData, Table, inspect, text
from sqlmodel import SQLModel

from storage import schema
from storage.database import Database
from storage.tables import AgreementVersion, Lead, LeadSource, Signature
from tests.conftest import MONDAY
from tests.processes import side_by_side


def test_a_new_database_gets_every_table_as_the_code_has_it(database: Database) -> None:
    assert schema.differences(database) == []
    assert set(inspect(database.engine).get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}


def test_a_database_in_shape_is_left_alone(database: Database) -> None:
    with database.write() as session:
        session.add(Lead(company="Harbour", created_at=MONDAY))

    schema.upgrade(database)

    assert schema.differences(database) == []
    with database.read() as session:
        assert session.get(Lead, 1).company == "Harbour"


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
            own = {"id": number, "company": company, "values": "{}", "do_not_contact": False, "created_at": MONDAY}
            connection.execute(kept["leads"].insert().values(**{**blank(kept["leads"]), **own}))
        connection.execute(text("INSERT INTO lead_sources (source, source_id, lead_id) VALUES ('csv', '17', 1)"))
        version = {"name": "b2b-saas", "version": 1, "effective_at": MONDAY, "published_at": MONDAY, "closed": False, "text": ""}
        connection.execute(kept["agreement_versions"].insert().values(**{**blank(kept["agreement_versions"]), **version}))
        connection.execute(kept["signatures"].insert().values(**{**blank(kept["signatures"]), "id": 1, "signed_at": MONDAY}))

    schema.upgrade(database)

    assert schema.differences(database) == []
    with database.read() as session:
        leads = [session.get(Lead, number) for number in (1, 2)]
        assert [(one.company, one.source, one.linked_to) for one in leads] == [("Harbour", "csv", None), ("Quay", "", None)]
        assert session.get(LeadSource, ("csv", "17")).lead_id == 1
        assert session.get(AgreementVersion, ("b2b-saas", 1)).holidays == {}
        assert session.get(Signature, 1).address == ""
    database.close()


def blank(table: Table) -> dict[str, str]:
    """Empty texts for a row of that table as it was."""
    return {column.name: "" for column in table.columns if str(column.type) == "VARCHAR"}

"""Copies of a waiting lead: other ids and names wherever they stand, all else as it was."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import JSON, Column, Connection, Integer, MetaData, String, Table, create_engine, select

from benchmarks.copies import Exchange, copied, insert_copies, touched_columns

OLD, NEW = "0" * 32, "1" * 32
RUN, OTHER_RUN = UUID(int=7), UUID(int=8)
ROW = {"id": 3, "lead_id": 17, "key": f"{OLD}:assigned:email", "run": RUN, "tags": ["lead:17", "rep:ana"], "note": "lead", "score": 60}


def test_ids_are_exchanged_wherever_they_stand() -> None:
    exchange = Exchange({OLD: NEW, str(RUN): str(OTHER_RUN), "lead:17": "lead:170"}, {"lead_id": 170, "handoff_id": 5})

    made = copied(ROW, exchange, touched=touched_columns(ROW, exchange.words))

    assert made == {**ROW, "lead_id": 170, "key": f"{NEW}:assigned:email", "run": OTHER_RUN, "tags": ["lead:170", "rep:ana"]}


def test_only_columns_in_which_something_is_exchanged_are_looked_at() -> None:
    assert touched_columns(ROW, [OLD, str(RUN)]) == ["key", "run"]


def test_an_id_of_its_own_is_of_the_same_kind() -> None:
    first, second = (copied({"id": RUN, "name": str(RUN)}, Exchange({}), touched=[], fresh=["id", "name"]) for _ in range(2))

    assert isinstance(first["id"], UUID)
    assert isinstance(first["name"], str)
    assert len({RUN, first["id"], second["id"]}) == 3


@pytest.fixture
def connection() -> Iterator[Connection]:
    with create_engine("sqlite://").begin() as made:
        yield made


def test_each_row_is_inserted_once_for_each_copy(connection: Connection) -> None:
    table = Table("waits", MetaData(), Column("id", Integer, primary_key=True), Column("key", String, unique=True), Column("tags", JSON))
    table.create(connection)
    rows = [{"key": "a-x", "tags": ["a"]}, {"key": "b-x", "tags": []}]

    count = insert_copies(connection, table, rows, [Exchange({"x": name}) for name in ("y", "z")])

    assert count == 4
    assert [row.key for row in connection.execute(select(table).order_by(table.c.id))] == ["a-y", "b-y", "a-z", "b-z"]

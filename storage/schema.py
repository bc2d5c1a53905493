"""Brings a database to the schema that this version of Baton needs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from storage import tables
from storage.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["differences", "new_step", "upgrade"]
_LOCK = 8112022
_FOLLOWS = re.compile(r'^down_revision = "(\d{4})"', re.MULTILINE)
_STEPS = Path(__file__).parent / "migrations"


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_STEPS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def newest() -> str:
    """The number of the newest migration: no other one follows it. The numbers need not be in order."""
    steps = {file.name[:4]: file.read_text(encoding="utf-8") for file in (_STEPS / "versions").glob("[0-9]*.py")}
    followed = {found[1] for step in steps.values() if (found := _FOLLOWS.search(step))}
    return max(steps.keys() - followed)


def is_current(database: Database) -> bool:
    """Whether every migration has been applied: one query, without Alembic. False also where the database cannot be asked."""
    try:
        with database.engine.connect() as connection:
            return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars()) == [newest()]
    except DBAPIError:  # the database is new, or does not answer: applying the migrations tells which
        return False


def upgrade(database: Database) -> None:
    """Applies every missing migration, all or none. Several processes may call it at once: one does the work."""
    if is_current(database):
        return
    from alembic import command  # reading and compiling every migration would slow down each start

    assert tables.Lead.__tablename__, "the tables must be known before they are compared"
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        command.upgrade(_config(connection), "head")


def differences(database: Database) -> list[object]:
    """The differences between the tables in the code and those in the database; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


def new_step(database: Database, message: str) -> None:
    """Writes a migration from the differences; the engineer then reviews it."""
    from alembic import command

    with database.engine.connect() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)

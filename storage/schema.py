"""Bringing a database to the shape that this version of Baton needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from storage import tables
from storage.database import Database

__all__ = ["differences", "new_step", "upgrade"]
_LOCK = 8112022


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> None:
    """Takes every step that is still missing, all or none. Several processes may call it at once: one does it."""
    assert tables.Lead.__tablename__, "the tables must be known before they are compared"
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        command.upgrade(_config(connection), "head")


def differences(database: Database) -> list[object]:
    """What the tables in the code have and the database has not, or the other way round; empty when they agree."""
    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


def new_step(database: Database, message: str) -> None:
    """Writes a migration from what differs; for the engineer, who then reads it."""
    with database.engine.connect() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)

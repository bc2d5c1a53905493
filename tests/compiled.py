"""Statements are compiled once a process instead of once a test: SQLAlchemy keeps them by engine, and each test opens its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite


def share_compiled_statements() -> None:
    """Lets each SQLite engine that is made from now on use the same compiled statements.

    SQLAlchemy looks a compiled statement up by its dialect, so the engines share their dialect too.
    """
    first = create_engine("sqlite://")
    with first.connect():  # the dialect asks the first connection what this SQLite can do
        dialect = first.dialect
    first.dispose()
    compiled: dict[Any, Any] = {}

    def share(engine: Engine) -> None:
        engine.dialect = dialect
        engine.update_execution_options(compiled_cache=compiled)

    SQLiteDialect_pysqlite.engine_created = share  # type: ignore[method-assign,assignment]

"""Compile SQL statements once per process, not once per test: SQLAlchemy caches them by engine, and each test opens its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite


def share_compiled_statements() -> None:
    """Let every SQLite engine created from now on share its compiled statements.

    SQLAlchemy looks a compiled statement up by its dialect, so the engines share their dialect too.
    """
    first = create_engine("sqlite://")
    with first.connect():  # the dialect asks the first connection what this SQLite supports
        dialect = first.dialect
    first.dispose()
    compiled: dict[Any, Any] = {}

    def share(engine: Engine) -> None:
        engine.dialect = dialect
        engine.update_execution_options(compiled_cache=compiled)

    # SQLAlchemy calls this for each new engine and offers no other way to be told.
    SQLiteDialect_pysqlite.engine_created = share  # type: ignore[method-assign]

"""Runs the migrations on the connection that storage.schema gives."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import storage.tables  # noqa: F401  (fills the metadata)
from storage.database import UtcDateTime


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Writes a column's type into a migration."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "storage.database.UtcDateTime()"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=render,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

"""The trail: an event keeps the mark of the process that wrote it, a seal keeps what it covers, and no number is given twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: Numbers of rows that SQLite would give again after the newest row was deleted.
_NUMBERED = ("events", "personal_texts")
_ADDED = ("format", "total", "first_id", "last_id", "content", "pruned")
_COUNT_UP = """
UPDATE seals SET total = counted.total
FROM (SELECT id, SUM(events) OVER (ORDER BY id) AS total FROM seals) AS counted WHERE counted.id = seals.id
"""


def upgrade() -> None:
    """Adds the columns. Seals that are there are of format 1 and stay provable as they were made."""
    op.add_column("events", sa.Column("mark", sa.String(), nullable=False, server_default=""))
    op.add_column("seals", sa.Column("format", sa.Integer(), nullable=False, server_default="1"))
    for name in ("total", "first_id", "last_id"):
        op.add_column("seals", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("seals", sa.Column("content", sa.String(), nullable=False, server_default=""))
    op.add_column("seals", sa.Column("pruned", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(_COUNT_UP)
    op.create_index("seals_to_prune", "seals", ["id"], sqlite_where=sa.text("pruned IS 0"), postgresql_where=sa.text("pruned IS false"))
    _number(again=False)


def downgrade() -> None:
    """Takes it back. Seals of format 2 cannot be checked by what was there before."""
    _number(again=True)
    op.drop_index("seals_to_prune", "seals")
    for name in _ADDED:
        op.drop_column("seals", name)
    op.drop_column("events", "mark")


def _number(*, again: bool) -> None:
    """Whether SQLite gives the number of a deleted row again; PostgreSQL never does."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in _NUMBERED:
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": not again}):
            pass
    # Of indexes that are as good as each other SQLite takes the newest one.
    op.drop_index("events_to_seal", "events")
    op.create_index("events_to_seal", "events", ["id"], sqlite_where=sa.text("seal_id IS NULL"))

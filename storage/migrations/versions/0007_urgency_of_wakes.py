"""Urgency of wakes: hot leads come before lists.

On PostgreSQL a trigger tells those who listen that there is a new wake, so that no worker has to ask again and again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

RING = """
CREATE FUNCTION baton_ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('baton_wakes', '');
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Adds the column and its index; every wake that is there is of the ordinary kind."""
    op.add_column("wakes", sa.Column("urgency", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("wakes_by_urgency", "wakes", ["urgency", "not_before", "id"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index("handoffs_open", "handoffs", ["id"], sqlite_where=still_open, postgresql_where=still_open)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(RING)
        op.execute("CREATE TRIGGER ring_for_wakes AFTER INSERT ON wakes FOR EACH STATEMENT EXECUTE FUNCTION baton_ring()")


def downgrade() -> None:
    """Takes it back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER ring_for_wakes ON wakes")
        op.execute("DROP FUNCTION baton_ring()")
    op.drop_index("handoffs_open", "handoffs")
    op.drop_index("wakes_by_urgency", "wakes")
    op.drop_column("wakes", "urgency")

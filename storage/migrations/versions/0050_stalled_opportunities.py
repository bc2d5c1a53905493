"""Stalled opportunities: since when an open one has not changed in the CRM, and when that is too long."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0050"
down_revision = "0046"
branch_labels = None
depends_on = None

#: What is agreed where nothing is. The next news of the CRM set the time that the lead's own version has.
_AFTER = timedelta(days=30)
_ROWS = sa.table(
    "opportunities",
    sa.column("id", sa.Integer()),
    sa.column("state", sa.String()),
    sa.column("handoff_id", sa.Integer()),
    sa.column("updated_at", UtcDateTime()),
    sa.column("stalls_at", UtcDateTime()),
)


def upgrade() -> None:
    """Adds the columns and the index, and watches the opportunities that are open."""
    for name in ("stalls_at", "stalled_at"):
        op.add_column("opportunities", sa.Column(name, UtcDateTime(), nullable=True))
    where = sa.text("stalls_at IS NOT NULL")
    op.create_index("opportunities_stalling", "opportunities", ["stalls_at"], sqlite_where=where, postgresql_where=where)
    at = op.get_bind()
    watched = sa.select(_ROWS.c.id, _ROWS.c.updated_at).where(_ROWS.c.state == "open", _ROWS.c.handoff_id.is_not(None))
    due = [{"row": ident, "due": updated + _AFTER} for ident, updated in at.execute(watched)]
    if due:
        at.execute(sa.update(_ROWS).where(_ROWS.c.id == sa.bindparam("row")).values(stalls_at=sa.bindparam("due")), due)


def downgrade() -> None:
    """Takes them back."""
    op.drop_index("opportunities_stalling", "opportunities")
    for name in ("stalled_at", "stalls_at"):
        op.drop_column("opportunities", name)

"""An index over merged leads: who was merged into a lead is asked by erasing and by merging."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the index."""
    where = sa.text("merged_into IS NOT NULL")
    op.create_index("merged_leads", "leads", ["merged_into"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Takes it back."""
    op.drop_index("merged_leads", "leads")

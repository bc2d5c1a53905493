"""A message that went over a channel that nobody reads says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column. What was sent before counts as read, as it did until now."""
    op.add_column("deliveries", sa.Column("unread", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("deliveries", "unread")

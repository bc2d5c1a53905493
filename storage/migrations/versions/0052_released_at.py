"""Handoffs know until when they were held, so that this time is on nobody else's account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0052"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column. Of handoffs that were released before, nobody knows when."""
    op.add_column("handoffs", sa.Column("released_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("handoffs", "released_at")

"""Doors: an answer keeps the browser in which it was given, so that no other one takes it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; of answers that are there nobody knows the browser."""
    op.add_column("answers", sa.Column("device", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("answers", "device")

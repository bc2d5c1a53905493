"""Handoffs know up to which event the run's log in Prefect tells their story, so that each line is told once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column. Nothing is told yet: the next attempt at an open handoff tells its whole story."""
    op.add_column("handoffs", sa.Column("told_event", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("handoffs", "told_event")

"""Raised tiers: when a request of a lead in hand raised its tier, and from which one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0039"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns. No tier was raised before."""
    op.add_column("handoffs", sa.Column("raised_at", UtcDateTime(), nullable=True))
    op.add_column("handoffs", sa.Column("raised_from", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Takes them back."""
    op.drop_column("handoffs", "raised_from")
    op.drop_column("handoffs", "raised_at")

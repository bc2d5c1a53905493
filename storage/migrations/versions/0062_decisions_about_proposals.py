"""Decisions of a review say which proposal they are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column("review_decisions", sa.Column("proposal", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("review_decisions", "proposal")

"""The figures of the week so far, counted now and then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0058"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "week_counts",
        sa.Column("agreement", sa.String(), primary_key=True),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("week_counts")

"""What marketing and sales decided in their reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0049"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table and its index."""
    op.create_table(
        "review_decisions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("agreement", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by", sa.String(), nullable=False),
    )
    op.create_index("ix_review_decisions_agreement", "review_decisions", ["agreement"])


def downgrade() -> None:
    """Takes them back."""
    op.drop_table("review_decisions")

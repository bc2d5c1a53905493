"""Offers: several reps are asked at once about one lead, and the first to accept has it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0016"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the offers: one for each rep who is asked, with the assignment that the first of them gets."""
    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("assignment_id", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rep", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("offered_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_offers_assignment_id", "offers", ["assignment_id"])
    op.create_index("offers_of_day", "offers", ["offered_at"])
    open_ones = sa.text("ended_at IS NULL")
    op.create_index("offers_open", "offers", ["rep"], sqlite_where=open_ones, postgresql_where=open_ones)


def downgrade() -> None:
    """Takes them back."""
    op.drop_table("offers")

"""Keeping and deleting: consents, erasures, keyed hashes of erased people, and what is still to be deleted at Prefect."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables. Leads that are there have not been cleared."""
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lead_id", sa.Integer(), sa.ForeignKey("leads.id"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("lead_id", "channel", "purpose", "basis", "source", "at"),
    )
    op.create_index("ix_consents_lead_id", "consents", ["lead_id"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lead_id", sa.Integer(), sa.ForeignKey("leads.id"), nullable=False, unique=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("deleted", sa.JSON(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
    )
    condition = sa.text("done_at IS NULL")
    op.create_index("erasures_under_way", "erasures", ["id"], sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "erased_people",
        sa.Column("hash", sa.String(), primary_key=True),
        sa.Column("since", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "prefect_chores",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
    )
    op.add_column("leads", sa.Column("erased_at", UtcDateTime(), nullable=True))
    condition = sa.text("erased_at IS NULL")
    op.create_index("leads_kept", "leads", ["created_at"], sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Takes them back. What was deleted stays deleted."""
    op.drop_index("leads_kept", "leads")
    op.drop_column("leads", "erased_at")
    for table in ("prefect_chores", "erased_people", "erasures", "consents"):
        op.drop_table(table)

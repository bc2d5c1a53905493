"""Twin pairs: leads that look like one person, until somebody of marketing has said whether they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table and its indexes."""
    op.create_table(
        "twin_pairs",
        sa.Column("lead_id", sa.Integer(), sa.ForeignKey("leads.id"), nullable=False),
        sa.Column("other_id", sa.Integer(), sa.ForeignKey("leads.id"), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("settled", sa.String(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lead_id", "other_id"),
    )
    where = sa.text("settled = ''")
    op.create_index("twin_pairs_open", "twin_pairs", ["lead_id"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_twin_pairs_other_id", "twin_pairs", ["other_id"])


def downgrade() -> None:
    """Takes them back."""
    op.drop_table("twin_pairs")

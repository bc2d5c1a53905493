"""Mail findings: complaints and unexplained mail about a delivery, until somebody has looked at them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table and its indexes."""
    op.create_table(
        "mail_findings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=False),
    )
    op.create_index("ix_mail_findings_delivery_id", "mail_findings", ["delivery_id"])
    where = sa.text("settled_at IS NULL")
    op.create_index("mail_findings_open", "mail_findings", ["person"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Takes them back."""
    op.drop_table("mail_findings")

"""What the CRM says: its changes, the values of its fields, and opportunities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0043"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables and their indexes."""
    _changes()
    _values()
    _opportunities()


def _changes() -> None:
    op.create_table(
        "crm_changes",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=True),
    )
    where = sa.text("taken_at IS NULL")
    op.create_index("crm_changes_waiting", "crm_changes", ["at", "id"], sqlite_where=where, postgresql_where=where)
    op.create_index("crm_changes_of_lead", "crm_changes", ["lead_id"])
    op.create_index("crm_changes_taken", "crm_changes", ["taken_at"])


def _values() -> None:
    op.create_table(
        "crm_values",
        sa.Column("lead_id", sa.Integer(), sa.ForeignKey("leads.id"), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by_baton", sa.Boolean(), nullable=False),
        sa.Column("person_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lead_id", "field"),
    )


def _opportunities() -> None:
    op.create_table(
        "opportunities",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("crm_id", sa.String(), nullable=False, unique=True),
        sa.Column("lead_id", sa.Integer(), sa.ForeignKey("leads.id"), nullable=True),
        sa.Column("handoff_id", sa.Integer(), sa.ForeignKey("handoffs.id"), nullable=True),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("by_baton", sa.Boolean(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_opportunities_lead_id", "opportunities", ["lead_id"])
    op.create_index("ix_opportunities_handoff_id", "opportunities", ["handoff_id"])
    op.create_index("opportunities_opened", "opportunities", ["opened_at"])
    op.create_index("opportunities_settled", "opportunities", ["settled_at"])


def downgrade() -> None:
    """Takes them back."""
    for table in ("opportunities", "crm_values", "crm_changes"):
        op.drop_table(table)

"""Intake doors: kept payloads, counts by door and day, and deliveries that were seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0044"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables, empty at first."""
    op.create_table(
        "kept_payloads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("is_base64", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_kept_payloads_door", "kept_payloads", ["door"])
    op.create_index("ix_kept_payloads_at", "kept_payloads", ["at"])
    to_fetch = sa.text("next_at IS NOT NULL")
    op.create_index("kept_payloads_to_fetch", "kept_payloads", ["next_at"], sqlite_where=to_fetch, postgresql_where=to_fetch)
    op.create_table(
        "kept_addresses",
        sa.Column("payload_id", sa.Integer(), sa.ForeignKey("kept_payloads.id"), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("payload_id", "address"),
    )
    op.create_index("kept_addresses_by_address", "kept_addresses", ["address"])
    op.create_table(
        "door_days",
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("taken", "known", "queued", "kept", "passed_over", "refused")),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("door", "day"),
    )
    op.create_table(
        "seen_deliveries",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index("ix_seen_deliveries_at", "seen_deliveries", ["at"])


def downgrade() -> None:
    """Takes them away, with what was kept."""
    for name in ("kept_addresses", "kept_payloads", "door_days", "seen_deliveries"):
        op.drop_table(name)

"""Alarms, signs of life of the workers, the source of each activity, and when a message last failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0048"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables, columns and indexes. An activity that is there gets the source that its lead came from last."""
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("telling", sa.String(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
    )
    is_open, to_tell = sa.text("ended_at IS NULL"), sa.text("telling <> ''")
    op.create_index("one_open_alarm", "alarms", ["kind", "subject"], unique=True, sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("alarms_to_tell", "alarms", ["telling"], sqlite_where=to_tell, postgresql_where=to_tell)
    op.create_table(
        "worker_beats",
        sa.Column("by", sa.String(), primary_key=True),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.Column("ticked_at", UtcDateTime(), nullable=False),
        sa.Column("prefect_away_since", UtcDateTime(), nullable=True),
    )
    op.add_column("activities", sa.Column("source", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE activities SET source = (SELECT leads.source FROM leads WHERE leads.id = activities.lead_id)")
    op.create_index("activities_of_source", "activities", ["source", "received_at"])
    op.add_column("deliveries", sa.Column("failed_at", UtcDateTime(), nullable=True))
    sent, failed = sa.text("sent_at IS NOT NULL"), sa.text("failed_at IS NOT NULL")
    op.create_index("deliveries_sent", "deliveries", ["channel", "sent_at"], sqlite_where=sent, postgresql_where=sent)
    op.create_index("deliveries_failed", "deliveries", ["failed_at"], sqlite_where=failed, postgresql_where=failed)


def downgrade() -> None:
    """Takes them back."""
    op.drop_index("deliveries_failed", "deliveries")
    op.drop_index("deliveries_sent", "deliveries")
    op.drop_column("deliveries", "failed_at")
    op.drop_index("activities_of_source", "activities")
    op.drop_column("activities", "source")
    op.drop_table("worker_beats")
    op.drop_table("alarms")

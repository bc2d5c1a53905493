"""several agreements side by side, deployed by one at a time, signed by link."""

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("since", storage.database.UtcDateTime(), nullable=False),
        sa.Column("until", storage.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "signature_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("asked_at", storage.database.UtcDateTime(), nullable=False),
        sa.Column("sent_at", storage.database.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("signature_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signature_requests_hash"), ["hash"], unique=False)
    with op.batch_alter_table("agreement_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("holidays", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("signatures", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(), nullable=False, server_default=""))
    known = "SELECT MIN(lead_sources.source) FROM lead_sources WHERE lead_sources.lead_id = leads.id"
    op.execute(f"UPDATE leads SET source = COALESCE(({known}), '')")


def downgrade() -> None:
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_column("source")
    with op.batch_alter_table("signatures", schema=None) as batch_op:
        batch_op.drop_column("address")
    with op.batch_alter_table("agreement_versions", schema=None) as batch_op:
        batch_op.drop_column("holidays")
    op.drop_table("signature_requests")
    op.drop_table("claims")

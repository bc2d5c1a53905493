"""linked leads, leads that a rep brought in, touches by channel, the line of a tier that is released day by day."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In plain SQL, as SQLite would otherwise have the table copied, and what refers to its rows refused.
    op.execute("ALTER TABLE leads ADD COLUMN linked_to INTEGER REFERENCES leads (id)")
    op.create_index("ix_leads_linked_to", "leads", ["linked_to"])
    for table, column in (("activities", "brought_by"), ("handoffs", "brought_by"), ("assignments", "tier"), ("touches", "channel")):
        op.add_column(table, sa.Column(column, sa.String(), nullable=False, server_default=""))
    op.add_column("handoffs", sa.Column("routed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("handoffs", sa.Column("account", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("handoffs", sa.Column("queue", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_handoffs_queue", "handoffs", ["queue"])

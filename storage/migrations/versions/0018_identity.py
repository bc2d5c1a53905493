"""Identity: one id of a source for several people, leads merged by hand, and what came again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agreements.role_mailboxes import is_role_address
from storage.database import UtcDateTime

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None

_leads = sa.table("leads", sa.column("person_key", sa.String))
#: Read and written at once.
_ROWS = 500


def upgrade() -> None:
    """Adds the table and the columns. An address that several people read, by the longer list, identifies nobody any more."""
    op.create_table(
        "shared_sources",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"]),
        sa.PrimaryKeyConstraint("source", "source_id", "lead_id"),
    )
    op.create_index("ix_shared_sources_lead_id", "shared_sources", ["lead_id"])
    op.add_column("leads", sa.Column("merged_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("activities", sa.Column("of_lead", sa.Integer(), nullable=True))
    op.add_column("activities", sa.Column("repeated", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("activities", sa.Column("repeated_at", UtcDateTime(), nullable=True))
    _free_role_addresses()


def _free_role_addresses() -> None:
    bind, last = op.get_bind(), ""
    query = sa.select(_leads.c.person_key).where(_leads.c.person_key != "").order_by(_leads.c.person_key).limit(_ROWS)
    while keys := list(bind.execute(query.where(_leads.c.person_key > last)).scalars()):
        last = keys[-1]
        if of_role := [one for one in keys if is_role_address(one)]:
            bind.execute(_leads.update().where(_leads.c.person_key.in_(of_role), _leads.c.person_key != "").values(person_key=""))


def downgrade() -> None:
    """Takes them back."""
    for name in ("repeated_at", "repeated", "of_lead"):
        op.drop_column("activities", name)
    op.drop_column("leads", "merged_by_hand")
    op.drop_table("shared_sources")

"""Turns: a pool's turns are kept day by day, and a published agreement names the generation of its defaults."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the sheets, which turn an assignment was, and the generation. Every pool starts level; what is published is of the first."""
    op.create_table(
        "turn_sheets",
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("balance", sa.JSON(), nullable=False),
        sa.Column("last", sa.JSON(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due", sa.JSON(), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("credited", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pool", "day"),
    )
    op.add_column("assignments", sa.Column("pool", sa.String(), nullable=False, server_default=""))
    op.add_column("assignments", sa.Column("shared_by", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("assignments", sa.Column("credited", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("agreement_versions", sa.Column("generation", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Takes them back."""
    op.drop_column("agreement_versions", "generation")
    op.drop_column("assignments", "credited")
    op.drop_column("assignments", "shared_by")
    op.drop_column("assignments", "pool")
    op.drop_table("turn_sheets")

"""Facts beside: what another source tells of a known person stands beside what was known, and replaces nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column("leads", sa.Column("beside", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("leads", "beside")

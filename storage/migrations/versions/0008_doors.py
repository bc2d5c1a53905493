"""Doors: an answer keeps the browser in which it was given, so that no other one takes it back, and wrong numbers are counted by
person over all browsers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; of answers that are there nobody knows the browser."""
    op.add_column("answers", sa.Column("device", sa.String(), nullable=False, server_default=""))
    op.create_index("wrong_numbers_of_person", "wrong_numbers", ["person", "at"])


def downgrade() -> None:
    """Takes it back."""
    op.drop_index("wrong_numbers_of_person", "wrong_numbers")
    op.drop_column("answers", "device")

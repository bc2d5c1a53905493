"""Doors: an answer keeps the browser in which it was given, so that no other one takes it back, wrong numbers are counted by
person over all browsers, and a key opens only the doors of its scopes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import storage.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; of answers that are there nobody knows the browser."""
    op.add_column("answers", sa.Column("device", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "link_ends", sa.Column("person", sa.String(), primary_key=True), sa.Column("at", storage.database.UtcDateTime(), nullable=False)
    )
    here = sa.text("device <> ''")
    op.create_index("answers_of_device", "answers", ["device"], sqlite_where=here, postgresql_where=here)
    op.add_column("devices", sa.Column("before", sa.String(), nullable=False, server_default=""))
    op.add_column("api_keys", sa.Column("scopes", sa.String(), nullable=False, server_default="intake"))
    op.create_index("wrong_numbers_of_person", "wrong_numbers", ["person", "at"])


def downgrade() -> None:
    """Takes it back."""
    op.drop_index("wrong_numbers_of_person", "wrong_numbers")
    op.drop_column("api_keys", "scopes")
    op.drop_column("devices", "before")
    op.drop_table("link_ends")
    op.drop_index("answers_of_device", "answers")
    op.drop_column("answers", "device")

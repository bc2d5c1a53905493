"""Bounds: how many answers one browser has held is asked with each answer that is to be held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_HELD = sa.text("state = 'held'")


def upgrade() -> None:
    """Adds the index."""
    op.create_index("answers_held", "answers", ["device"], sqlite_where=_HELD, postgresql_where=_HELD)


def downgrade() -> None:
    """Takes it back."""
    op.drop_index("answers_held", "answers")

"""Opt-out: the do-not-contact list knows channels, sources and who added an entry; a lead knows which channels are refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns. What is listed is refused altogether; a phone number is listed by its digits."""
    op.add_column("leads", sa.Column("not_by", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "suppressions_by_channel",
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("value", "channel"),
    )
    op.execute(
        "INSERT INTO suppressions_by_channel (value, channel, reason, source, added_by, since) "
        "SELECT value, 'all', reason, '', '', since FROM suppressions"
    )
    op.drop_table("suppressions")
    op.rename_table("suppressions_by_channel", "suppressions")
    _phones_to_digits()


def _phones_to_digits() -> None:
    connection = op.get_bind()
    for (value,) in connection.execute(sa.text("SELECT value FROM suppressions")).fetchall():
        digits = "".join(ch for ch in value if ch.isdecimal())
        digits = digits[2:] if digits.startswith("00") else digits
        if len(digits) < 6 or digits == value or any(ch.isalpha() for ch in value):
            continue
        known = connection.execute(sa.text("SELECT 1 FROM suppressions WHERE value = :digits"), {"digits": digits}).first()
        if known:
            connection.execute(sa.text("DELETE FROM suppressions WHERE value = :value"), {"value": value})
        else:
            change = sa.text("UPDATE suppressions SET value = :digits WHERE value = :value")
            connection.execute(change, {"value": value, "digits": digits})


def downgrade() -> None:
    """Takes them back. Entries for one channel are lost: the list of before refused everything."""
    op.execute("DELETE FROM suppressions WHERE channel <> 'all'")
    op.create_table(
        "suppressions_of_before",
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("value"),
    )
    op.execute("INSERT INTO suppressions_of_before (value, reason, since) SELECT value, reason, since FROM suppressions")
    op.drop_table("suppressions")
    op.rename_table("suppressions_of_before", "suppressions")
    op.drop_column("leads", "not_by")

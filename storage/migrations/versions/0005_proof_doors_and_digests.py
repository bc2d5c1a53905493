"""post without a handoff, when a message counts as arrived, known devices, looks at pages, digests, disputes."""

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("deliveries") as deliveries:
        deliveries.alter_column("handoff_id", existing_type=sa.Integer(), nullable=True)
        deliveries.add_column(sa.Column("claimed_at", UtcDateTime(), nullable=True))
        deliveries.add_column(sa.Column("confirm_at", UtcDateTime(), nullable=True))
    op.create_index("ix_deliveries_confirm_at", "deliveries", ["confirm_at"])
    _digests()
    _doors()
    op.create_table(
        "disputes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("answer_id", sa.Integer(), sa.ForeignKey("answers.id"), nullable=False, unique=True),
        sa.Column("handoff_id", sa.Integer(), sa.ForeignKey("handoffs.id"), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        *_texts("raised_by", "via"),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        *_texts("holder"),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        *_texts("ruling", "decided_by"),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("ruling_text_id", sa.Integer(), nullable=True),
        sa.Column("again_id", sa.Integer(), nullable=True),
    )
    _index("disputes", "handoff_id", "lead_id", "due_at")


def _digests() -> None:
    op.create_table(
        "digest_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        *_texts("person"),
        sa.Column("handoff_id", sa.Integer(), sa.ForeignKey("handoffs.id"), nullable=False),
        *_texts("wait_id", "kind", "what"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=True),
    )
    _index("digest_items", "person", "handoff_id", "digest_id")
    op.create_table(
        "digests",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        *_texts("person"),
        sa.Column("made_at", UtcDateTime(), nullable=False),
    )
    _index("digests", "person", "made_at")


def _doors() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_texts("hash", "person", "level"),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("hash", "person"),
    )
    _index("devices", "person")
    op.create_table(
        "mailed_codes",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_texts("person", "device_hash"),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
    )
    _index("mailed_codes", "person")
    op.create_table(
        "wrong_numbers",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_texts("device_hash", "person"),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    _index("wrong_numbers", "device_hash")
    op.create_table(
        "sights",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), sa.ForeignKey("handoffs.id"), nullable=False),
        *_texts("assignment_id", "wait_id", "person", "method", "what", "device", "agent"),
        sa.Column("age_seconds", sa.Float(), nullable=False),
    )
    _index("sights", "at", "handoff_id", "assignment_id")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])

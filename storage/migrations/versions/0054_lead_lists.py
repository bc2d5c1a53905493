"""Lists of open leads go by due time, and counts by stage, campaign and source, without reading all leads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_UNANSWERED = sa.text("closed_at IS NULL AND answer_id IS NULL")
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Adds the indexes; the one of due times also has the handoff, so that a list can go on after any row."""
    op.drop_index("waits_due", "waits")
    op.create_index("waits_due", "waits", ["due_at", "handoff_id"], postgresql_where=_UNANSWERED, sqlite_where=_UNANSWERED)
    op.create_index("handoffs_by_stage", "handoffs", ["stage", "rep", "created_at", "lead_id"], postgresql_where=_OPEN, sqlite_where=_OPEN)
    op.create_index("ix_leads_campaign", "leads", ["campaign"])
    op.create_index("ix_leads_source", "leads", ["source"])


def downgrade() -> None:
    """Takes them back."""
    op.drop_index("ix_leads_source", "leads")
    op.drop_index("ix_leads_campaign", "leads")
    op.drop_index("handoffs_by_stage", "handoffs")
    op.drop_index("waits_due", "waits")
    op.create_index("waits_due", "waits", ["due_at"], postgresql_where=_UNANSWERED, sqlite_where=_UNANSWERED)

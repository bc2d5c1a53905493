"""one lead a person, one open handoff a lead, and an index for every query that is asked all the time.

A database that has two leads of one person or two open handoffs of one lead is taken as it is:

- Of several leads with one address the newest gets the person key, as it is the one that was found until now. The others
  stay as they are, and nothing more is added to them by that address.
- Of several open handoffs of one lead the one that is furthest along stays open, of two equally far the newer one. Each
  other one ends as merged: its wait and its assignment are closed, its queued messages are cancelled, an attempt under way
  loses its lease, and the trail says so. A rep who had it is told, unless the same rep has the one that stays.
- A handoff at an end that lacks the time of it gets the time of its last event.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: As they were when this was written: a migration does not change with the code.
_ROLE_MAILBOXES = "info sales contact office admin hello mail enquiries support team service marketing hr accounts".split()
_ENDS = ["nurturing", "opportunity", "disqualified", "merged", "suppressed", "attached", "withdrawn", "erased"]
_FURTHEST_FIRST = ["working", "accepted", "assigned", "mql", "inquiry", "stuck"]
_TOLD = "It was begun twice by mistake, and it goes on without this one."


def upgrade() -> None:
    op.add_column("leads", sa.Column("person_key", sa.String(), nullable=False, server_default=""))
    _name_persons()
    op.create_index("one_lead_a_person", "leads", ["person_key"], unique=True, **_where("person_key <> ''"))
    _date_ends()
    _end_second_handoffs()
    op.create_index("one_open_handoff", "handoffs", ["lead_id"], unique=True, **_where("ended_at IS NULL"))
    _indexes()


def _indexes() -> None:
    for table, columns in _REPLACED.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table)
    for name, table, columns in _FULL:
        op.create_index(name, table, columns)
    for name, table, columns, condition in _PARTIAL:
        op.create_index(name, table, columns, **_where(condition))
    op.create_index("handoffs_held", "handoffs", ["id"], **_where("held IS true", on_sqlite="held IS 1"))


_FULL = [
    ("handoffs_of_rep", "handoffs", ["rep", "stage"]),
    ("assignments_of_rep", "assignments", ["rep", "assigned_at"]),
    ("ix_waits_assignment_id", "waits", ["assignment_id"]),
    ("answers_of_kind", "answers", ["kind", "effective_at"]),
    ("deliveries_of_handoff", "deliveries", ["handoff_id", "state", "send_at"]),
    ("deliveries_to_confirm", "deliveries", ["state", "confirm_at"]),
    ("digest_items_of_person", "digest_items", ["person", "at"]),
    ("disputes_due", "disputes", ["ruling", "due_at"]),
]
_PARTIAL = [
    ("handoffs_leased", "handoffs", ["lease_until"], "lease_until IS NOT NULL"),
    ("assignments_with_rep", "assignments", ["rep", "assigned_at"], "ended_at IS NULL"),
    ("waits_due", "waits", ["due_at"], "closed_at IS NULL AND answer_id IS NULL"),
    ("waits_of_holder", "waits", ["holder", "due_at"], "closed_at IS NULL"),
    ("disputes_assigned_again", "disputes", ["again_id"], "again_id IS NOT NULL"),
    ("wakes_delivered", "wakes", ["delivered_at"], "delivered_at IS NOT NULL"),
    ("events_to_seal", "events", ["id"], "seal_id IS NULL"),
]
#: By table, what an index above takes the place of.
_REPLACED = {
    "assignments": ["rep"],
    "deliveries": ["handoff_id", "state", "send_at", "confirm_at"],
    "digest_items": ["person"],
    "disputes": ["due_at"],
}


def _where(condition: str, on_sqlite: str = "") -> dict[str, Any]:
    return {"sqlite_where": sa.text(on_sqlite or condition), "postgresql_where": sa.text(condition)}


def _table(name: str, *, texts: str = "", numbers: str = "", instants: str = "", **others: Any) -> sa.TableClause:
    kinds = {**dict.fromkeys(texts.split(), sa.String()), **dict.fromkeys(numbers.split(), sa.Integer()), **others}
    kinds |= dict.fromkeys(instants.split(), UtcDateTime())
    return sa.table(name, *(sa.column(column, kind) for column, kind in kinds.items()))


_leads = _table("leads", numbers="id merged_into", texts="mail_key person_key")
_handoffs = _table(
    "handoffs",
    numbers="id lead_id epoch",
    texts="stage step owner rep flow_run_id lease_by outcome reason",
    instants="created_at ended_at lease_until retry_at",
    held=sa.Boolean(),
)
_waits = _table("waits", numbers="handoff_id", texts="closed_because", instants="closed_at")
_tenures = _table("assignments", numbers="handoff_id", texts="id rep ended_because", instants="ended_at")
_wakes = _table("wakes", numbers="handoff_id tries", texts="key kind", instants="not_before created_at")
_events = _table("events", numbers="lead_id handoff_id", texts="kind stage actor text_digest", instants="at recorded_at", data=sa.JSON())
_deliveries = _table(
    "deliveries",
    numbers="handoff_id tries",
    texts="key assignment_id channel message person state error proof",
    instants="send_at",
    context=sa.JSON(),
    permanent=sa.Boolean(),
)


def _name_persons() -> None:
    newest = sa.select(sa.func.max(_leads.c.id)).where(_leads.c.merged_into.is_(None)).group_by(_leads.c.mail_key)
    of_one_person = [_leads.c.mail_key.not_like(f"{name}@%") for name in _ROLE_MAILBOXES]
    these = sa.and_(_leads.c.mail_key != "", _leads.c.id.in_(newest), *of_one_person)
    op.execute(_leads.update().where(these).values(person_key=_leads.c.mail_key))


def _date_ends() -> None:
    last = sa.select(sa.func.max(_events.c.at)).where(_events.c.handoff_id == _handoffs.c.id).scalar_subquery()
    undated = _handoffs.c.ended_at.is_(None) & _handoffs.c.stage.in_(_ENDS)
    op.execute(_handoffs.update().where(undated).values(ended_at=sa.func.coalesce(last, _handoffs.c.created_at)))


def _end_second_handoffs() -> None:
    is_open = _handoffs.c.ended_at.is_(None)
    several = sa.select(_handoffs.c.lead_id).where(is_open).group_by(_handoffs.c.lead_id).having(sa.func.count() > 1)
    found = op.get_bind().execute(sa.select(_handoffs).where(is_open, _handoffs.c.lead_id.in_(several))).all()
    by_lead: dict[int, list[Any]] = {}
    for row in sorted(found, key=lambda row: (_FURTHEST_FIRST.index(row.stage), -row.id)):
        by_lead.setdefault(row.lead_id, []).append(row)
    for stays, *others in by_lead.values():
        for row in others:
            _end(row, stays, datetime.now(UTC))


def _end(row: Any, stays: Any, now: datetime) -> None:
    mine = {"handoff_id": row.id}
    ended = {"stage": "merged", "step": "", "outcome": "merged", "reason": "duplicate", "owner": "marketing", "held": False}
    free = {"epoch": row.epoch + 1, "lease_by": "", "lease_until": None, "retry_at": None}
    had = op.get_bind().execute(sa.select(_tenures).where(_tenures.c.handoff_id == row.id, _tenures.c.ended_at.is_(None))).all()
    op.execute(_handoffs.update().where(_handoffs.c.id == row.id).values(ended_at=now, **ended, **free))
    op.execute(_of(_waits, row, _waits.c.closed_at.is_(None)).values(closed_at=now, closed_because="merged"))
    op.execute(_of(_tenures, row, _tenures.c.ended_at.is_(None)).values(ended_at=now, ended_because="merged"))
    op.execute(_of(_deliveries, row, _deliveries.c.state == "queued").values(state="cancelled"))
    op.execute(_wakes.delete().where(_wakes.c.handoff_id == row.id))
    said = {"was": row.stage, "into": row.lead_id, "stays": stays.id}
    line = {"at": now, "recorded_at": now, "kind": "merged", "lead_id": row.lead_id, "stage": "merged", "actor": "baton", "data": said}
    op.execute(_events.insert().values(**mine, **line, text_digest=""))
    for tenure in had:
        if tenure.rep != stays.rep:
            _tell(tenure, now)
    if row.flow_run_id:
        wake = {"key": f"merged:{row.id}", "kind": "withdrawn", "not_before": now, "created_at": now, "tries": 0}
        op.execute(_wakes.insert().values(**mine, **wake))


def _of(table: sa.TableClause, row: Any, condition: sa.ColumnElement[bool]) -> sa.Update:
    return table.update().where(table.c.handoff_id == row.id, condition)


def _tell(tenure: Any, now: datetime) -> None:
    named = {"key": f"{tenure.id}:withdrawn:email", "channel": "email", "message": "withdrawn", "person": tenure.rep}
    sending = {"state": "queued", "send_at": now, "tries": 0, "error": "", "permanent": False, "proof": ""}
    context = {"what": _TOLD, "tenure": tenure.id}
    to = {"handoff_id": tenure.handoff_id, "assignment_id": ""}
    op.execute(_deliveries.insert().values(**named, **sending, **to, context=context))

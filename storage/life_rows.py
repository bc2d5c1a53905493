"""The rows of which lives are made, for many leads at once: columns instead of objects, since a report reads millions of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, SQLModel, col, select

from agreements.words import SEVERAL, Closed, EventKind
from storage.tables import Activity, Answer, Assignment, Dispute, Event, Handoff, Offer, Wait

Rows = Mapping[Any, list[Any]]
#: The line of the trail that says that Baton cannot go on with a lead, and those that say that it goes on.
STUCK: Final[EventKind] = "got-stuck"
ON: tuple[EventKind, ...] = ("inquiry-again", "mql-again", "assigned-again", "accepted-again", "working-again")
AWAY: Final[Closed] = "away"


@dataclass(frozen=True, slots=True)
class LifeRows:
    """The rows of some leads, each group in its order, without personal data.

    handoffs, acts: by lead. waits (with `answered_at` of the answer that counts), tenures, disputes, stuck: by handoff.
    asked: the reps who were asked at once, by tenure. away: what an answer says about an absence, by the answer's number.
    """

    handoffs: Rows
    acts: Rows
    waits: Rows
    tenures: Rows
    disputes: Rows
    stuck: Rows
    asked: Rows
    away: Mapping[int, Mapping[str, Any]]


def read(session: Session, lead_ids: Collection[int]) -> LifeRows:
    """Read the rows of these leads, in nine statements at most."""
    names = "lead_id id agreement version hash tier leg held created_at released_at mql_at first_assigned_at ended_at"
    handoffs = _grouped(session, _of(Handoff, names, by=Handoff.lead_id, ids=lead_ids).order_by(col(Handoff.id)))
    acts = _of(Activity, "lead_id at received_at", by=Activity.lead_id, ids=lead_ids)
    ids = [row.id for rows in handoffs.values() for row in rows]
    waits = _grouped(session, _waits(ids))
    tenures = _of(Assignment, "handoff_id id leg assigned_at ended_at ended_because", by=Assignment.handoff_id, ids=ids)
    disputes = _of(Dispute, "handoff_id holder raised_at decided_at", by=Dispute.handoff_id, ids=ids)
    stuck = _of(Event, "handoff_id at kind", by=Event.handoff_id, ids=ids).where(col(Event.kind).in_((STUCK, *ON)))
    several = {row.assignment_id for rows in waits.values() for row in rows if row.holder == SEVERAL}
    away = [row.answer_id for rows in waits.values() for row in rows if row.closed_because == AWAY]
    return LifeRows(
        handoffs,
        _grouped(session, acts.order_by(col(Activity.received_at), col(Activity.id))),
        waits,
        _grouped(session, tenures.order_by(col(Assignment.number))),
        _grouped(session, disputes.order_by(col(Dispute.id))),
        _grouped(session, stuck.order_by(col(Event.id))),
        _grouped(session, _of(Offer, "assignment_id rep", by=Offer.assignment_id, ids=several)) if several else {},
        dict(session.execute(select(Answer.id, Answer.data).where(col(Answer.id).in_(away))).tuples().all()) if away else {},
    )


def _waits(handoff_ids: Collection[int]) -> Any:
    names = "handoff_id assignment_id kind about holder opened_at due_at next_at answer_id closed_at closed_because"
    query = _of(Wait, names, by=Wait.handoff_id, ids=handoff_ids).add_columns(col(Answer.answered_at))
    return query.join(Answer, col(Answer.id) == col(Wait.answer_id), isouter=True).order_by(col(Wait.opened_at))


def _of(table: type[SQLModel], names: str, *, by: Any, ids: Collection[Any]) -> Any:
    """A query for these columns of the rows that belong to these ids. The first column is the id."""
    columns: list[Any] = [getattr(table, name) for name in names.split()]
    return select(*columns).where(by.in_(ids))


def _grouped(session: Session, query: Any) -> Rows:
    """The rows of the query in its order, by their first column."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        found[row[0]].append(row)
    return found

"""Lists of open leads for the people who oversee them: how many are in each stage, which are late, and each page by what is due first.

Nothing here reads the leads one by one: each list is bounded, and goes on after the last row of the page before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select, tuple_
from sqlmodel import Session, col

from agreements.lifecycle import Stage
from agreements.words import About, NoWord, WaitKind
from storage.tables import Event, Handoff, Lead, Wait

#: Late leads are counted up to this many: beyond it nobody needs the very number.
COUNTED_AT_MOST = 1_000
#: So few leads are sorted at once.
FEW = 5_000
#: So many campaigns or sources are offered as a filter.
NAMES_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which open leads are meant. reps: ids of people, None for everybody. since, until: when the pass began, aware, until is excluded."""

    stage: Stage | NoWord = ""
    campaign: str = ""
    source: str = ""
    rep: str = ""
    reps: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


class DueLead(NamedTuple):
    """An open lead with what is due. due_at: when; about: `no-clock` where nothing is promised."""

    handoff_id: int
    lead_id: int
    stage: Stage
    rep: str
    begun_at: datetime
    first_name: str
    last_name: str
    company: str
    campaign: str
    source: str
    kind: WaitKind | NoWord = ""
    about: About | NoWord = ""
    holder: str = ""
    due_at: datetime | None = None


#: After which row a page begins: when that lead is due, and its handoff.
After = tuple[datetime, int]

_LEAD = (
    Handoff.id, Handoff.lead_id, Handoff.stage, Handoff.rep, Handoff.created_at,
    Lead.first_name, Lead.last_name, Lead.company, Lead.campaign, Lead.source,
)  # fmt: skip


def by_stage(session: Session, which: LeadFilter) -> dict[Stage, int]:
    """How many open leads are in each stage. The stage of the filter is left out of account."""
    query: Any = select(col(Handoff.stage), func.count()).where(*_conditions(which)).group_by(col(Handoff.stage))
    if which.campaign or which.source:
        query = query.join(Lead, col(Lead.id) == col(Handoff.lead_id))
    return {Stage(stage): count for stage, count in session.execute(query)}


def late(session: Session, which: LeadFilter, *, few: bool, now: datetime) -> int:
    """How many open leads are late, COUNTED_AT_MOST at the most. few: see first_due. now: aware."""
    query = _due(which, Handoff.id, few=few).where((_as_read(Wait.due_at) if few else col(Wait.due_at)) < now, Wait.about != _NO_CLOCK)
    count: int = session.execute(select(func.count()).select_from(query.limit(COUNTED_AT_MOST).subquery())).scalar_one()
    return count


def first_due(session: Session, which: LeadFilter, *, few: bool, after: After | None = None, limit: int) -> list[DueLead]:
    """The open leads for which an answer is due, the one due first first. after: the key of the last row of the page before.

    few: whether at most FEW leads are meant, as by_stage says: those are read and sorted, where otherwise all are gone through by due
    time until there are enough.
    """
    query = _due(which, *_LEAD, Wait.kind, Wait.about, Wait.holder, Wait.due_at, few=few)
    due = _as_read(Wait.due_at) if few else col(Wait.due_at)
    if after is not None:
        query = query.where(tuple_(due, col(Wait.handoff_id)) > after)
    return [DueLead(*row) for row in session.execute(query.order_by(due, col(Wait.handoff_id)).limit(limit))]


def standing_still(session: Session, which: LeadFilter, *, limit: int) -> list[DueLead]:
    """The open leads that go no further by themselves: those that are stuck before those that are held, each the oldest first."""
    found: dict[int, DueLead] = {}
    conditions = [*_conditions(which), *([_as_read(Handoff.stage) == which.stage] if which.stage else [])]
    for stands in (col(Handoff.stage) == Stage.STUCK, col(Handoff.held).is_(True)):
        query = _columns(*_LEAD).join(Lead, col(Lead.id) == col(Handoff.lead_id)).where(*conditions, stands)
        for row in session.execute(query.order_by(_as_read(Handoff.id)).limit(limit)):
            found.setdefault(row.id, DueLead(*row))
    return list(found.values())[:limit]


def stages_of(session: Session, handoff_ids: Sequence[int]) -> dict[int, list[tuple[Stage | NoWord, datetime]]]:
    """The stage after each event of each of these handoffs, and when that was, oldest first."""
    query: Any = select(col(Event.handoff_id), col(Event.stage), col(Event.at))
    found: dict[int, list[tuple[Stage | NoWord, datetime]]] = {ident: [] for ident in handoff_ids}
    for ident, stage, at in session.execute(query.where(col(Event.handoff_id).in_(handoff_ids)).order_by(col(Event.id))):
        found[ident].append((stage, at))
    return found


def owed_by(session: Session, person: str, *, now: datetime) -> tuple[int, int]:
    """How many answers this person owes, and how many of them are late. now: aware."""
    is_late = case((col(Wait.due_at) < now, 1), else_=0)
    query = select(func.count(), func.coalesce(func.sum(is_late), 0)).select_from(Wait)
    query = query.where(col(Wait.holder) == person, col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    count, late_ones = session.execute(query.where(col(Wait.about) != _NO_CLOCK)).one()
    return count, late_ones


def campaigns(session: Session) -> list[str]:
    """The campaigns of the leads by name, NAMES_AT_MOST at the most."""
    return _names(session, col(Lead.campaign))


def sources(session: Session) -> list[str]:
    """The sources of the leads by name, NAMES_AT_MOST at the most."""
    return _names(session, col(Lead.source))


def _names(session: Session, column: Any) -> list[str]:
    """Goes from each value to the next one in the index, so that not all leads are read."""
    known = select(func.min(column).label("name")).where(column > "").cte("known", recursive=True)
    following = select(func.min(column)).where(column > known.c.name).scalar_subquery()
    known = known.union_all(select(following).where(known.c.name.is_not(None)))
    query = select(known.c.name).where(known.c.name.is_not(None)).limit(NAMES_AT_MOST)
    return list(session.execute(query).scalars())


_Read = Callable[[Any], Any]
_NO_CLOCK: About = "no-clock"


def _columns(*columns: Any) -> Any:
    return select(*columns)


def _due(which: LeadFilter, *columns: Any, few: bool) -> Any:
    query = _columns(*columns).select_from(Wait).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    query = query.join(Lead, col(Lead.id) == col(Handoff.lead_id))
    read = col if few and not (which.campaign or which.source) else _as_read
    found = _conditions(which, read=read, read_lead=col if few else _as_read)
    if which.stage:
        found.append(read(Handoff.stage) == which.stage)
    return query.where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), *found)


def _conditions(which: LeadFilter, *, read: _Read | None = None, read_lead: _Read = col) -> list[Any]:
    """read, read_lead: how columns of handoffs and of leads are read, so that the right index is taken."""
    own = read or _as_read
    found: list[Any] = [col(Handoff.ended_at).is_(None)]
    if which.reps is not None:
        found.append(own(Handoff.rep).in_(which.reps))
    if which.rep:
        found.append(own(Handoff.rep) == which.rep)
    for column, value in ((Lead.campaign, which.campaign), (Lead.source, which.source)):
        if value:
            found.append(read_lead(column) == value)
    if which.since is not None:
        found.append(own(Handoff.created_at) >= which.since)
    if which.until is not None:
        found.append(own(Handoff.created_at) < which.until)
    return found


def _as_read(column: Any) -> Any:
    """The column as no index knows it, where the wrong index would be taken: where many leads are in one stage, it is slower to sort
    them by due time than to go by due time."""
    return func.coalesce(col(column), col(column))

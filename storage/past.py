"""Past handoffs, as they were when they were judged: for trying agreements out. Read only."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from agreements.lead import ACCOUNT
from agreements.lifecycle import Stage
from agreements.words import AnswerKind, EventKind
from storage import handoffs
from storage.history import told_by
from storage.tables import Activity, Answer, AnswerState, Event, Handoff, Lead, LeadSource, LeadValues, Touch

#: The events that show when a handoff was judged for the first time.
_JUDGED: tuple[EventKind, ...] = ("screened", "routed", "disqualified", "attached", "suppressed", "taken", "taken-at-work")
_SALES_SAID: tuple[AnswerKind, ...] = ("accepted", "opportunity")
#: Stages with no pass of their own, or with nothing left to judge by. A withdrawn handoff continued in another one.
_NOT_JUDGED = (Stage.MERGED, Stage.WITHDRAWN, Stage.ERASED)


@dataclass(frozen=True, slots=True)
class PastHandoff:
    """One pass of a lead through an agreement.

    judged_at: when it was qualified, else when it was screened. values: the facts at that time, account facts included; as_of_then: False
    where only today's values are known. last_touch: before then. since: the end of the handoff before. assigned_at, ended_at: None where
    that has not happened. accepted, contacted: a rep accepted the lead, tried to reach it. made_opportunity: it ended as an opportunity,
    also as one that was lost since and sent the lead to nurture.
    """

    id: int
    lead_id: int
    judged_at: datetime
    values: dict[str, Any]
    as_of_then: bool
    last_touch: datetime | None
    since: datetime | None
    assigned_at: datetime | None
    ended_at: datetime | None
    accepted: bool
    contacted: bool
    made_opportunity: bool


@dataclass(frozen=True, slots=True)
class PastActivity:
    """Something that a lead did. received_at: when Baton received it."""

    lead_id: int
    kind: str
    path: str
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Which:
    """Which handoffs: the newest so many, None for all; those under a version of this agreement, empty for every agreement."""

    limit: int | None = None
    agreement: str = ""


def past_handoffs(session: Session, which: Which = Which()) -> list[PastHandoff]:
    """The handoffs that were judged, oldest first. Of only the newest ones, nothing is read of leads that have none of these."""
    judged = _first_judged(session)
    query = select(Handoff.id, Handoff.mql_at).where(col(Handoff.stage).not_in(_NOT_JUDGED)).order_by(col(Handoff.id))
    query = query.where(Handoff.agreement == which.agreement) if which.agreement else query
    chosen = [ident for ident, mql_at in session.exec(query) if mql_at or ident in judged][-which.limit if which.limit else None :]
    if not chosen:
        return []
    whose = _leads_since(chosen[0])
    # Also the earlier passes of these leads, which the session then knows.
    rows = {row.id: row for row in session.exec(select(Handoff).where(col(Handoff.lead_id).in_(whose)))}
    known = _Known(session, whose)
    return [_past(session, rows[ident], known, rows[ident].mql_at or judged[ident]) for ident in chosen]


def past_activities(session: Session, *, since: int = 0) -> list[PastActivity]:
    """All activities of leads, in order of lead and time. since: only of leads with this handoff or a newer one."""
    query = select(Activity).where(col(Activity.lead_id).in_(_leads_since(since)))
    rows = session.exec(query.order_by(col(Activity.lead_id), col(Activity.at), col(Activity.id)))
    return [PastActivity(row.lead_id, row.kind, row.path, row.at, row.received_at) for row in rows]


def _leads_since(handoff: int) -> SelectOfScalar[int]:
    return select(Handoff.lead_id).where(col(Handoff.id) >= handoff)


def leads_by_source(session: Session, source: str) -> dict[str, int]:
    """The leads that this source knows, by its ids; with an empty source those of every source."""
    query = select(LeadSource.source_id, LeadSource.lead_id)
    return dict(session.exec(query.where(LeadSource.source == source) if source else query).all())


def _first_judged(session: Session) -> dict[int, datetime]:
    query = select(Event.handoff_id, func.min(Event.at)).where(col(Event.kind).in_(_JUDGED), col(Event.handoff_id).is_not(None))
    return {ident: at for ident, at in session.exec(query.group_by(col(Event.handoff_id))) if ident is not None}


class _Known:
    """What was known about these leads at which time."""

    def __init__(self, session: Session, whose: SelectOfScalar[int]) -> None:
        self.leads = {lead.id: lead for lead in session.exec(select(Lead).where(col(Lead.id).in_(whose)))}
        self.values: dict[int, list[tuple[datetime, dict[str, Any]]]] = defaultdict(list)
        told = select(LeadValues).where(col(LeadValues.lead_id).in_(whose))
        for row in session.exec(told.order_by(col(LeadValues.lead_id), col(LeadValues.id))):
            self.values[row.lead_id].append((row.at, row.values))
        self.touches: dict[int, list[datetime]] = defaultdict(list)
        self.contacted: set[int] = set()
        touches = select(Touch.lead_id, Touch.at, Touch.handoff_id).where(col(Touch.lead_id).in_(whose))
        for lead_id, at, handoff_id in session.exec(touches.order_by(col(Touch.lead_id), col(Touch.at))):
            self.touches[lead_id].append(at)
            self.contacted.add(handoff_id)
        counted = (col(Answer.kind).in_(_SALES_SAID), col(Answer.state) == AnswerState.COUNTED.value)
        said = select(Answer.kind, Answer.handoff_id).join(Handoff, col(Handoff.id) == col(Answer.handoff_id))
        self.said = set(session.exec(said.where(col(Handoff.lead_id).in_(whose), *counted)))

    def told(self, lead_id: int, at: datetime) -> tuple[dict[str, Any], bool]:
        """What the lead had said by then, and True; else what it says today, and False."""
        history = self.values[lead_id]
        place = bisect_right([since for since, _ in history], at)
        return (history[place - 1][1], True) if place else (told_by(self.leads[lead_id]), False)

    def last_touch(self, lead_id: int, at: datetime) -> datetime | None:
        """The last time by then that somebody had tried to reach the lead."""
        touches = self.touches[lead_id]
        place = bisect_right(touches, at)
        return touches[place - 1] if place else None


def _past(session: Session, row: Handoff, known: _Known, at: datetime) -> PastHandoff:
    before = handoffs.before(session, row) if row.previous_id else None
    told, as_of_then = known.told(row.lead_id, at)
    return PastHandoff(
        id=row.id,
        lead_id=row.lead_id,
        judged_at=at,
        values={
            **told,
            # The screen asks for this first, so nobody on the list got past it.
            "suppressed": row.mql_at is None and row.stage == Stage.SUPPRESSED,
            "sales_sourced": bool(row.brought_by),
            **{f"{ACCOUNT}{name}": value for name, value in row.account.items()},
        },
        as_of_then=as_of_then,
        last_touch=known.last_touch(row.lead_id, at),
        since=before.ended_at if before else None,
        assigned_at=row.first_assigned_at,
        ended_at=row.ended_at,
        accepted=("accepted", row.id) in known.said,
        contacted=row.id in known.contacted,
        made_opportunity=row.stage == Stage.OPPORTUNITY or (row.ended_at is not None and ("opportunity", row.id) in known.said),
    )

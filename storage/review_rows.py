"""What a review counts, as narrow rows: a fixed number of statements, however many leads there are, and no row of a table is loaded whole.

Each query covers one agreement by name and facts from `since` on, known by `as_of`; both are aware. Facts that come later are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.words import CLOCK_NAMES, GIVEN_BACK, About, AnswerKind, ClockName, Closed, NoWord, OpportunityState
from storage.tables import Activity, Answer, AnswerState, Assignment, Dispute, GivenRuling, Handoff, Lead, Opportunity, Touch, Wait

#: The answers by which a pass goes on or comes back.
STEPS: tuple[AnswerKind, ...] = ("accepted", "sql", "opportunity", *GIVEN_BACK)
#: The answers that say how an acceptance ended: with a yes, or with the lead given back.
_DECIDED: tuple[AnswerKind, ...] = ("accepted", *GIVEN_BACK)
_NOBODY: tuple[AnswerKind, ...] = ("deadline",)
#: By how much a day in some zone and the same day in UTC may differ, at most.
_A_DAY = timedelta(days=1)
_IS_OPEN: ColumnElement[bool] = col(Opportunity.state).in_([OpportunityState.OPEN.value])


@dataclass(frozen=True, slots=True)
class Span:
    """Of which agreement, and of when: from `since` up to `as_of`. Both are aware."""

    agreement: str
    since: datetime
    as_of: datetime

    def holds(self, column: Any) -> ColumnElement[bool]:
        """The condition that an instant lies in it."""
        found: ColumnElement[bool] = (col(column) >= self.since) & (col(column) < self.as_of)
        return found


class HandoffRow(NamedTuple):
    """One handoff with its lead. Instants as they are stored, also those after `as_of`."""

    id: int
    lead_id: int
    previous_id: int | None
    version: int
    tier: str
    stage: Stage
    rep: str
    brought_by: str
    created_at: datetime
    mql_at: datetime | None
    first_assigned_at: datetime | None
    ended_at: datetime | None
    source: str
    company: str
    merged_into: int | None
    lead_created_at: datetime


class WaitRow(NamedTuple):
    """One promise: a wait on the first rung, with the answer that counts."""

    handoff_id: int
    assignment_id: str
    kind: ClockName
    about: About | NoWord
    holder: str
    promised_at: datetime
    closed_at: datetime | None
    closed_because: Closed | NoWord
    given: AnswerKind | None
    answered_at: datetime | None
    opened_at: datetime


class AnswerRow(NamedTuple):
    """An acceptance, rejection or return that counts. disputed: marketing objected; ruling: empty while open."""

    id: int
    handoff_id: int
    assignment_id: str
    kind: AnswerKind
    data: dict[str, Any]
    answered_at: datetime
    disputed: int | None
    ruling: GivenRuling | NoWord | None


class OpportunityRow(NamedTuple):
    """One opportunity with the agreement of its handoff, where the CRM named one. stalled_at: since when, None while it is not stalled."""

    crm_id: str
    lead_id: int | None
    handoff_id: int | None
    agreement: str | None
    opened_at: datetime
    settled_at: datetime | None
    closed_on: date | None
    state: OpportunityState
    amount: int | None
    currency: str
    faults: dict[str, str]
    stalled_at: datetime | None


def _columns(*columns: Any) -> Select[Any]:
    """Selects single columns, of any type and number."""
    return select_columns(*columns)


def _open_in(span: Span) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a handoff of the agreement was open at some time of the span."""
    not_over = col(Handoff.ended_at).is_(None) | (col(Handoff.ended_at) >= span.since)
    return col(Handoff.agreement) == span.agreement, col(Handoff.created_at) < span.as_of, not_over


def handoffs(session: Session, span: Span) -> Iterator[HandoffRow]:
    """Every handoff of the agreement that was open at some time of the span, in the order of their ids."""
    query = (
        _columns(
            Handoff.id, Handoff.lead_id, Handoff.previous_id, Handoff.version, Handoff.tier, Handoff.stage, Handoff.rep, Handoff.brought_by,
            Handoff.created_at, Handoff.mql_at, Handoff.first_assigned_at, Handoff.ended_at,
            Lead.source, Lead.company, Lead.merged_into, Lead.created_at,
        )
        .join(Lead, col(Lead.id) == col(Handoff.lead_id))
        .where(*_open_in(span))
        .order_by(col(Handoff.id))
    )  # fmt: skip
    return (HandoffRow(*row) for row in session.execute(query.execution_options(yield_per=5_000)))


def steps(session: Session, span: Span) -> Mapping[tuple[int, AnswerKind], datetime]:
    """When each handoff of the span was first answered in each of these ways, also before it: (handoff id, kind) -> instant."""
    query = (
        select(Answer.handoff_id, Answer.kind, func.min(Answer.answered_at))
        .join(Handoff, col(Handoff.id) == col(Answer.handoff_id))
        .where(col(Answer.kind).in_(STEPS), col(Answer.state).in_([AnswerState.COUNTED.value]), col(Answer.answered_at) < span.as_of)
        .where(*_open_in(span))
        .group_by(col(Answer.handoff_id), col(Answer.kind))
    )
    return {(handoff, kind): at for handoff, kind, at in session.execute(query)}


def touches(session: Session, span: Span) -> Mapping[int, tuple[datetime, int]]:
    """The first attempt to reach the lead in each handoff of the span, and how many there were, also before it."""
    query = select(Touch.handoff_id, func.min(Touch.at), func.count()).join(Handoff, col(Handoff.id) == col(Touch.handoff_id))
    query = query.where(col(Touch.at) < span.as_of, *_open_in(span)).group_by(col(Touch.handoff_id))
    return {handoff: (at, count) for handoff, at, count in session.execute(query)}


def tenures(session: Session, span: Span) -> Mapping[int, tuple[datetime | None, int]]:
    """When it was first proven in each handoff that a rep had the message, and to how many reps the lead was given."""
    query = select(Assignment.handoff_id, func.min(Assignment.proven_at), func.count()).where(span.holds(Assignment.assigned_at))
    return {handoff: (at, count) for handoff, at, count in session.execute(query.group_by(col(Assignment.handoff_id)))}


def promises(session: Session, span: Span) -> Iterator[WaitRow]:
    """The waits on the first rung whose agreed time lies in the span."""
    query = (
        _columns(
            Wait.handoff_id, Wait.assignment_id, Wait.kind, Wait.about, Wait.holder, Wait.promised_at, Wait.closed_at, Wait.closed_because,
            Answer.kind, Answer.answered_at, Wait.opened_at,
        )
        .join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
        .join(Answer, col(Answer.id) == col(Wait.answer_id), isouter=True)
        .where(col(Handoff.agreement) == span.agreement, col(Wait.kind).in_(CLOCK_NAMES), col(Wait.rung) == 0, span.holds(Wait.promised_at))
    )  # fmt: skip
    return (WaitRow(*row) for row in session.execute(query.execution_options(yield_per=5_000)))


def waited_as_agreed(session: Session, span: Span, about: tuple[About, ...]) -> set[int]:
    """The handoffs that waited for these causes, by id."""
    query = select(Wait.handoff_id).where(Wait.kind == "delivery", col(Wait.about).in_(about), span.holds(Wait.opened_at))
    return set(session.exec(query.distinct()))


def missed(session: Session, span: Span, *, clock: ClockName) -> Mapping[int, datetime]:
    """The first agreed time of this clock by which nobody answered, and nobody since, by handoff of the span; also before it."""
    query = select(Wait.handoff_id, func.min(Wait.promised_at)).join(Answer, col(Answer.id) == col(Wait.answer_id), isouter=True)
    query = query.join(Handoff, col(Handoff.id) == col(Wait.handoff_id)).where(*_open_in(span))
    query = query.where(Wait.kind == clock, Wait.rung == 0, col(Wait.promised_at) < span.as_of)
    open_still = col(Wait.closed_at).is_(None) & col(Wait.answer_id).is_(None)
    query = query.where(open_still | col(Answer.kind).in_(_NOBODY)).group_by(col(Wait.handoff_id))
    return dict(session.exec(query).all())


def answers(session: Session, span: Span) -> list[AnswerRow]:
    """The acceptances, rejections and returns of the span that count, with the disputes about them."""
    query = (
        _columns(
            Answer.id, Answer.handoff_id, Wait.assignment_id, Answer.kind, Answer.data, Answer.answered_at, Dispute.id, Dispute.ruling,
        )
        .join(Wait, col(Wait.id) == col(Answer.wait_id))
        .join(Handoff, col(Handoff.id) == col(Answer.handoff_id))
        .join(Dispute, col(Dispute.answer_id) == col(Answer.id), isouter=True)
        .where(col(Handoff.agreement) == span.agreement, col(Answer.kind).in_(_DECIDED), col(Answer.state).in_([AnswerState.COUNTED.value]))
        .where(span.holds(Answer.answered_at))
        .order_by(col(Answer.id))
    )  # fmt: skip
    return [AnswerRow(*row) for row in session.execute(query)]


def given_back(session: Session, span: Span) -> Mapping[str, int]:
    """How often each reason was given for a rejection or return of the span that counts, by its code."""
    code = col(Answer.data)["reason"].as_string()
    query = (
        select_columns(code, func.count())
        .select_from(Answer)
        .join(Handoff, col(Handoff.id) == col(Answer.handoff_id))
        .where(col(Handoff.agreement) == span.agreement, col(Answer.kind).in_(GIVEN_BACK), span.holds(Answer.answered_at))
        .where(col(Answer.state).in_([AnswerState.COUNTED.value]))
        .group_by(code)
    )
    return {str(reason or ""): count for reason, count in session.execute(query)}


def continued_by_rulings(session: Session) -> set[int]:
    """The handoffs in which a lead was assigned again because a manager overturned its rejection."""
    return {ident for ident in session.exec(select(Dispute.again_id).where(col(Dispute.again_id).is_not(None))) if ident is not None}


def opportunities(session: Session, span: Span) -> list[OpportunityRow]:
    """The opportunities that were open at some time of the span, of every agreement and of none."""
    query = (
        _columns(
            Opportunity.crm_id, Opportunity.lead_id, Opportunity.handoff_id, Handoff.agreement, Opportunity.opened_at,
            Opportunity.settled_at, Opportunity.closed_on, Opportunity.state, Opportunity.amount, Opportunity.currency, Opportunity.faults,
            Opportunity.stalled_at,
        )
        .join(Handoff, col(Handoff.id) == col(Opportunity.handoff_id), isouter=True)
        .where(_was_open(span))
        .order_by(col(Opportunity.id))
    )  # fmt: skip
    return [OpportunityRow(*row) for row in session.execute(query)]


def _was_open(span: Span) -> ColumnElement[bool]:
    """The condition that an opportunity was open at some time of the span, or within a day of it: some are known by their days alone."""
    since, opened, settled = span.since - _A_DAY, col(Opportunity.opened_at), col(Opportunity.settled_at)
    found: ColumnElement[bool] = (opened < span.as_of + _A_DAY) & ((opened >= since) | (settled >= since) | _IS_OPEN)
    return found


def campaigns(session: Session, span: Span) -> Iterator[tuple[int, datetime, str]]:
    """The activities with a campaign of every lead with such an opportunity, in order of lead and time: lead, instant, campaign."""
    leads = select(Opportunity.lead_id).where(_was_open(span))
    query = (
        select(Activity.lead_id, Activity.at, Activity.campaign)
        .where(col(Activity.lead_id).in_(leads), Activity.campaign != "", col(Activity.at) < span.as_of)
        .order_by(col(Activity.lead_id), col(Activity.at), col(Activity.id))
    )
    return ((lead, at, campaign) for lead, at, campaign in session.execute(query))


def open_waits(session: Session, span: Span) -> Mapping[int, str]:
    """What each handoff of the agreement waited for at the end of the span: handoff id -> kind of the wait."""
    query = select(Wait.handoff_id, Wait.kind).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    query = query.where(Handoff.agreement == span.agreement, Wait.kind != "revisit", col(Wait.opened_at) < span.as_of)
    rows = session.execute(query.where(col(Wait.closed_at).is_(None) | (col(Wait.closed_at) >= span.as_of)))
    return {handoff: str(kind) for handoff, kind in rows}

"""Figures from the trail and the tables: the funnel, both sides' SLA, and whether every lead is accounted for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES, Stage
from agreements.review.promises import UNPROMISED
from agreements.words import GIVEN_BACK, Ended, EventKind
from storage.tables import Answer, AnswerState, Assignment, Dispute, Event, Handoff, Lead, Wait, Wake

#: Reasons for ending an assignment that took an accepted lead away again.
WITHDRAWN: tuple[Ended, ...] = ("not attempted in time", "no outcome in time", "decided")

_SCREENED_OUT = (
    col(Handoff.mql_at).is_(None)
    & col(Handoff.first_assigned_at).is_(None)
    & col(Handoff.stage).in_([Stage.DISQUALIFIED, Stage.SUPPRESSED, Stage.ATTACHED, Stage.MERGED])
)


@dataclass(frozen=True, slots=True)
class Kept:
    """How often a promise was kept, and how often it was missed."""

    kept: int = 0
    missed: int = 0

    @property
    def share(self) -> float | None:
        """The kept share, 0 to 1; None where nothing was promised."""
        whole = self.kept + self.missed
        return self.kept / whole if whole else None


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of all leads so far. rejected: reason -> count; sla: clock -> kept and missed; stages: stage -> leads.

    unanswered: assignments not answered in time; unseen: those of them whose page nobody ever asked for.
    undelivered: assignments that were not proven to have arrived in time.
    overturned: reason -> how many of those rejections did not stand; note_wrong: what of the note was wrong or missing -> count.
    """

    leads: int
    stages: dict[str, int]
    unaccounted: int
    accepted: int
    accepted_then_withdrawn: int
    rejected: dict[str, int]
    reassigned: int
    unanswered: int
    unseen: int
    undelivered: int
    nurturing: int
    came_back: int
    opportunities: int
    screened_out: int
    handoffs: int
    sla: dict[str, Kept] = field(default_factory=dict)
    overturned: dict[str, int] = field(default_factory=dict)
    note_wrong: dict[str, int] = field(default_factory=dict)


def stage_of_each_lead(session: Session) -> dict[int, str]:
    """The stage of the newest handoff by lead id."""
    newest = select(func.max(Handoff.id)).group_by(col(Handoff.lead_id))
    return dict(session.exec(select(Handoff.lead_id, Handoff.stage).where(col(Handoff.id).in_(newest))).all())


def unowned(session: Session, *, now: datetime) -> list[int]:
    """Leads that nobody owns or that have no due time: ids of the leads that would get lost.

    A lead without a handoff; an open handoff without an owner; one that is not waiting, held or moving.
    """
    without = select(Lead.id).where(col(Lead.id).not_in(select(Handoff.lead_id)))
    lost = [ident or 0 for ident in session.exec(without)]
    timed = select(Wait.handoff_id).where(col(Wait.closed_at).is_(None))
    moving = select(Wake.handoff_id)
    adrift = select(Handoff.lead_id).where(
        col(Handoff.stage).in_([one.value for one in OPEN_STAGES if one != Stage.STUCK]),
        (col(Handoff.owner) == "")
        | (
            col(Handoff.id).not_in(timed)
            & col(Handoff.id).not_in(moving)
            & col(Handoff.lease_until).is_(None)
            & col(Handoff.held).is_(False)
        ),
    )
    return sorted({*lost, *session.exec(adrift)})


def figures(session: Session, *, now: datetime) -> Figures:
    """All figures, calculated from the stored facts."""
    leads = session.exec(select(func.count()).select_from(Lead)).one()
    stages = Counter(stage_of_each_lead(session).values())
    answers = Counter(session.exec(select(Answer.kind).where(_counted())))
    return Figures(
        leads=leads,
        stages=dict(sorted(stages.items())),
        unaccounted=leads - sum(stages.values()) + len(unowned(session, now=now)),
        accepted=answers["accepted"],
        accepted_then_withdrawn=_withdrawn(session),
        rejected=_rejected(session),
        reassigned=_events(session, "reassigned"),
        unanswered=_missed(session, clock="acceptance"),
        unseen=_missed(session, clock="acceptance", because="not seen in time"),
        undelivered=_missed(session, clock="delivery", owed_by="system"),
        nurturing=stages[Stage.NURTURING.value],
        came_back=_came_back(session),
        opportunities=_count(session, _made_opportunity()),
        screened_out=_count(session, _SCREENED_OUT),
        handoffs=_count(session, col(Handoff.id).is_not(None)),
        sla=_sla(session),
        overturned=_overturned(session),
        note_wrong=_note_wrong(session),
    )


def _counted() -> ColumnElement[bool]:
    return col(Answer.state).in_([AnswerState.COUNTED.value])


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(Handoff).where(condition)).one()


def _made_opportunity() -> ColumnElement[bool]:
    """Whether the handoff made an opportunity, also one that was lost since and sent its lead to nurture."""
    said = select(Answer.id).where(Answer.handoff_id == Handoff.id, Answer.kind == "opportunity", _counted()).exists()
    return or_(col(Handoff.outcome) == Stage.OPPORTUNITY.value, and_(col(Handoff.ended_at).is_not(None), said))


def _came_back(session: Session) -> int:
    """Counts handoffs that followed an earlier pass. A handoff that only continues one under a new version does not count."""
    withdrawn = select(Handoff.id).where(Handoff.stage == Stage.WITHDRAWN.value)
    return _count(session, col(Handoff.previous_id).is_not(None) & col(Handoff.previous_id).not_in(withdrawn))


def _events(session: Session, kind: EventKind) -> int:
    return session.exec(select(func.count()).select_from(Event).where(Event.kind == kind)).one()


def _missed(session: Session, **facts: str) -> int:
    return sum(facts.items() <= event.data.items() for event in session.exec(select(Event).where(Event.kind == "missed")))


def _withdrawn(session: Session) -> int:
    accepted = select(Wait.assignment_id).join(Answer, col(Answer.wait_id) == col(Wait.id)).where(Answer.kind == "accepted", _counted())
    taken = (
        select(func.count()).select_from(Assignment).where(col(Assignment.ended_because).in_(WITHDRAWN), col(Assignment.id).in_(accepted))
    )
    return session.exec(taken).one()


def _rejected(session: Session) -> dict[str, int]:
    rows = session.exec(select(Answer).where(col(Answer.kind).in_(GIVEN_BACK), _counted()))
    return dict(Counter(str(row.data.get("reason", "")) for row in rows).most_common())


def _overturned(session: Session) -> dict[str, int]:
    rows = session.exec(select(Answer).join(Dispute, col(Dispute.answer_id) == col(Answer.id)).where(Dispute.ruling == "overturned"))
    return dict(Counter(str(row.data.get("reason", "")) for row in rows).most_common())


def _note_wrong(session: Session) -> dict[str, int]:
    rows = session.exec(select(Answer).where(Answer.kind == "accepted", _counted()))
    return dict(Counter(str(name) for row in rows for name in row.data.get("note_wrong", ())).most_common())


def _sla(session: Session) -> dict[str, Kept]:
    kept: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    rows = session.exec(
        select(Wait, Answer)
        .join(Answer, col(Answer.id) == col(Wait.answer_id))
        .where(Wait.kind != "revisit", col(Wait.about).not_in(UNPROMISED))
    )
    for wait, answer in rows:
        late = answer.kind == "deadline" or answer.answered_at > wait.promised_at
        if wait.rung == 0 or answer.kind != "deadline":
            (missed if late and wait.rung == 0 else kept if not late else Counter())[wait.kind] += 1
    proven = session.exec(select(Wait).where(Wait.kind == "delivery", Wait.closed_because == "proven", col(Wait.answer_id).is_(None)))
    for wait in proven:
        (kept if wait.closed_at and wait.closed_at <= wait.promised_at else missed)["delivery"] += 1
    return {name: Kept(kept[name], missed[name]) for name in sorted({*kept, *missed})}

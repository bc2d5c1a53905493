"""Disputes: marketing's objections to rejections, each with one ruling; and how often marketing was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from agreements.words import DISPUTABLE, NoWord, Via
from storage import answerers, held, roster, trail, wakes
from storage.tables import Answer, AnswerState, Assignment, Dispute, GivenRuling, Wait

UPHELD: Final = "upheld"
OVERTURNED: Final = "overturned"


@dataclass(frozen=True, slots=True)
class NewDispute:
    """An objection before it is stored. by: who objects; text: why; holder: who decides, until due_at."""

    lead_id: int
    by: str
    via: Via
    text: str
    holder: str
    due_at: datetime


def raise_once(session: Session, answer: Answer, new: NewDispute, *, now: datetime) -> Dispute | None:
    """Stores the objection to this answer; returns None, and stores nothing, where one exists. Call inside a write transaction."""
    if of_answer(session, answer.id) is not None:
        return None
    kept = trail.keep_text(session, new.text, lead_id=new.lead_id)
    is_first = wakes.insert_once(
        session,
        Dispute,
        answer_id=answer.id,
        handoff_id=answer.handoff_id,
        lead_id=new.lead_id,
        raised_by=new.by,
        via=new.via,
        raised_at=now,
        text_id=kept.id if kept else None,
        holder=new.holder,
        due_at=new.due_at,
        ruling="",
        decided_by="",
    )
    if not is_first and kept is not None:
        session.delete(kept)
    return of_answer(session, answer.id) if is_first else None


def rule_once(session: Session, dispute_id: int, ruling: GivenRuling, *, by: str, now: datetime) -> bool:
    """Stores the one ruling; False, and nothing changed, where there is one already. by: empty where nobody decided."""
    ruled: Any = session.execute(
        update(Dispute)
        .where(col(Dispute.id) == dispute_id, col(Dispute.ruling) == "")
        .values(ruling=ruling, decided_by=by, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    session.get(Dispute, dispute_id, populate_existing=True)
    return bool(ruled.rowcount)


def get(session: Session, dispute_id: int) -> Dispute | None:
    """The dispute with that number, None for none."""
    return session.get(Dispute, dispute_id)


def of_answer(session: Session, answer_id: int) -> Dispute | None:
    """The dispute about this answer, None for none."""
    return session.exec(select(Dispute).where(Dispute.answer_id == answer_id)).first()


def which_led_to(session: Session, handoff_id: int) -> Dispute | None:
    """The dispute that led to this handoff, None for any other handoff."""
    query = select(Dispute).where(Dispute.again_id == handoff_id)
    return held.known(session, handoff_id, "dispute", lambda: session.exec(query).first())


def overdue(session: Session, *, now: datetime, limit: int = 100) -> list[int]:
    """The ids of disputes that nobody has decided in time."""
    return list(session.exec(overdue_query(now).limit(limit)))


def overdue_query(now: datetime) -> Any:
    """A query for the ids of overdue disputes, the longest overdue first."""
    return select(Dispute.id).where(Dispute.ruling == "", col(Dispute.due_at) <= now).order_by(col(Dispute.due_at))


def newest(session: Session, *, limit: int) -> list[Dispute]:
    """The newest disputes, newest first."""
    return list(session.exec(select(Dispute).order_by(col(Dispute.id).desc()).limit(limit)))


def rejections(session: Session, *, since: datetime, now: datetime) -> list[Answer]:
    """Rejections and returns that count and can no longer be taken back, newest first. since: the earliest effective time."""
    query = select(Answer).where(col(Answer.kind).in_(DISPUTABLE), col(Answer.state) == AnswerState.COUNTED.value)
    query = query.where(col(Answer.effective_at) >= since, col(Answer.effective_at) <= now)
    return list(session.exec(query.order_by(col(Answer.effective_at).desc(), col(Answer.id).desc())))


def rep_of(session: Session, answer: Answer) -> str:
    """The rep who had the lead when it was answered."""
    wait = session.get(Wait, answer.wait_id)
    tenure = session.get(Assignment, wait.assignment_id) if wait and wait.assignment_id else None
    return tenure.rep if tenure else wait.holder if wait else answer.by


def giver_of(session: Session, answer: Answer) -> str:
    """The id of the person who gave this answer: the rep who had the lead, or the person who answered for them."""
    return answerers.giver_of(roster.current(session), answer, rep_of(session, answer))


@dataclass(frozen=True, slots=True)
class Tally:
    """How the disputes about one reason, or about the answers of one person, went."""

    name: str
    raised: int
    upheld: int
    overturned: int

    @property
    def rate(self) -> float | None:
        """The overturned share of the decided disputes, 0 to 1; None where none is decided."""
        decided = self.upheld + self.overturned
        return self.overturned / decided if decided else None


@dataclass(frozen=True, slots=True)
class DisputeReport:
    """How all disputes went, by reason and by who gave the answer, most raised first."""

    by_reason: tuple[Tally, ...]
    by_rep: tuple[Tally, ...]


def report(session: Session) -> DisputeReport:
    """Calculates the report from all disputes so far."""
    rows = session.exec(select(Dispute, Answer).join(Answer, col(Answer.id) == col(Dispute.answer_id)).order_by(col(Dispute.id))).all()
    by_reason = [(str(answer.data.get("reason", "")), dispute.ruling) for dispute, answer in rows]
    by_rep = [(giver_of(session, answer), dispute.ruling) for dispute, answer in rows]
    return DisputeReport(_tallies(by_reason), _tallies(by_rep))


def _tallies(pairs: Sequence[tuple[str, GivenRuling | NoWord]]) -> tuple[Tally, ...]:
    names = dict.fromkeys(name for name, _ in pairs)
    tallies = [Tally(name, *(_count(pairs, name, one) for one in (None, UPHELD, OVERTURNED))) for name in names]
    return tuple(sorted(tallies, key=lambda one: (-one.raised, one.name)))


def _count(pairs: Sequence[tuple[str, GivenRuling | NoWord]], name: str, ruling: GivenRuling | None) -> int:
    return sum(one == name and ruling in (None, ruled) for one, ruled in pairs)

"""Handoffs in flight: what a policy would do to each when a version comes into force, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from agreements.errors import NoAgreementInForce
from agreements.lifecycle import OPEN_STAGES, UNANSWERED, Stage
from agreements.roster import Roster
from agreements.words import InFlightPolicy, NoWord, StepName, WaitKind
from storage import contracts, handoffs, roster, waits
from storage.facts import facts_at_capture
from storage.tables import AgreementVersion, Answer, Assignment, Handoff, Lead, Wait

#: The policies for handoffs under earlier versions, the narrowest first.
POLICIES: tuple[InFlightPolicy, ...] = get_args(InFlightPolicy)
_NOT_ASSIGNED = (Stage.INQUIRY, Stage.MQL)


class Happens(StrEnum):
    """What a policy does to a handoff."""

    STAYS = "stays"
    ANEW = "starts anew"
    RECALLED = "is recalled"


@dataclass(frozen=True, slots=True)
class Mark:
    """The state that shows later whether something has happened to a handoff."""

    stage: Stage
    step: StepName | NoWord
    version: int
    wait_id: str = ""
    answer_id: int = 0
    tenure_id: str = ""


@dataclass(frozen=True, slots=True)
class InFlight:
    """A handoff under an earlier version. holder: who has it, by name; wait_kind, due_at: the answer that is due, and by when.

    under: the version it starts anew under, empty where it stays; why: why it stays although the policy would take it.
    """

    handoff_id: int
    lead_id: int
    company: str
    stage: Stage
    version: str
    holder: str
    wait_kind: WaitKind | NoWord
    due_at: datetime | None
    happens: Happens
    mark: Mark
    under: str = ""
    why: str = ""

    @property
    def is_touched(self) -> bool:
        """Whether the policy changes anything for it."""
        return self.happens != Happens.STAYS


def preview(session: Session, name: str, version: int, policy: InFlightPolicy, now: datetime) -> tuple[InFlight, ...]:
    """Lists every open handoff under an earlier version of that agreement, with what the policy does to it. Changes nothing.

    Treats the version as if it were deployed and had begun. Raises AgreementError for one that is not published.
    """
    row = contracts.get(session, name, version)
    of_these = (Handoff.agreement == name, col(Handoff.version) < version, col(Handoff.stage).in_([one.value for one in OPEN_STAGES]))
    found = session.exec(select(Handoff, Lead).join(Lead, col(Lead.id) == col(Handoff.lead_id)).where(*of_these).order_by(col(Handoff.id)))
    rows = list(found)
    if not rows:
        return ()
    counting = contracts.counting(session, max(now, row.effective_at), also=row)
    people, waiting, tenures = roster.current(session), _waits(session, *of_these), _tenures(session, *of_these)
    asks = any(contracts.read(one).applies_to.tests for one in counting)
    listed = []
    for handoff, lead in rows:
        one = _in_flight(handoff, lead, waiting.get(handoff.id), tenures.get(handoff.id), policy, people)
        if one.is_touched:
            one = _with_target(one, counting, facts_at_capture(session, handoff).values if asks else {})
        listed.append(one)
    return tuple(listed)


def _waits(session: Session, *of_these: ColumnElement[bool] | bool) -> dict[int | None, Wait]:
    query = select(Wait).join(Handoff, col(Handoff.id) == col(Wait.handoff_id)).where(col(Wait.closed_at).is_(None), *of_these)
    return {one.handoff_id: one for one in session.exec(query)}


def _tenures(session: Session, *of_these: ColumnElement[bool] | bool) -> dict[int | None, Assignment]:
    query = select(Assignment).join(Handoff, col(Handoff.id) == col(Assignment.handoff_id))
    open_ones = session.exec(query.where(col(Assignment.ended_at).is_(None), *of_these).order_by(col(Assignment.number)))
    return {one.handoff_id: one for one in open_ones}


def _in_flight(
    handoff: Handoff, lead: Lead, wait: Wait | None, tenure: Assignment | None, policy: InFlightPolicy, people: Roster
) -> InFlight:
    happens, why = _happens(handoff, wait, tenure, policy)
    return InFlight(
        handoff_id=handoff.id,
        lead_id=handoff.lead_id,
        company=lead.company,
        stage=handoff.stage,
        version=f"{handoff.agreement}@{handoff.version}",
        holder=people.name_of((wait.holder if wait else "") or handoff.rep or handoff.owner),
        wait_kind=wait.kind if wait else "",
        due_at=wait.due_at if wait else None,
        happens=happens,
        mark=_mark(handoff, wait, tenure),
        why=why,
    )


def _mark(handoff: Handoff, wait: Wait | None, tenure: Assignment | None) -> Mark:
    answer_id = (wait.answer_id or 0) if wait else 0
    return Mark(handoff.stage, handoff.step, handoff.version, wait.id if wait else "", answer_id, tenure.id if tenure else "")


def _happens(handoff: Handoff, wait: Wait | None, tenure: Assignment | None, policy: InFlightPolicy) -> tuple[Happens, str]:
    """What the policy does to a handoff in this state, and why it stays where the policy would take it."""
    free = handoff.stage in _NOT_ASSIGNED and tenure is None
    unanswered = handoff.stage == Stage.ASSIGNED and wait is not None and (wait.kind in UNANSWERED or wait.kind == "decision")
    if policy == "finish" or not (free or (unanswered and policy == "recall")):
        return Happens.STAYS, ""
    if handoff.leg > 0:
        return Happens.STAYS, "it is an SQL already"
    if wait is not None and wait.kind == "decision":
        return Happens.STAYS, "a decision is asked for"
    if wait is not None and wait.answer_id:
        return Happens.STAYS, "an answer is being carried out"
    return (Happens.ANEW if free else Happens.RECALLED), ""


def _with_target(one: InFlight, counting: Sequence[AgreementVersion], values: Mapping[str, Any]) -> InFlight:
    """Adds the version under which it starts anew. It stays where no version, or its own, would be in force for the lead."""
    try:
        under = contracts.reference_of(contracts.of_these(counting, values))
    except NoAgreementInForce:
        return replace(one, happens=Happens.STAYS, why="no agreement would be in force for it")
    if under == one.version:
        return replace(one, happens=Happens.STAYS, why="its version would be in force for it")
    return replace(one, under=under)


def changed(session: Session, one: InFlight) -> str:
    """What has happened to this handoff since it was listed, in a sentence; empty for nothing that matters.

    Locks the handoff and its open wait, so that nothing more happens to them in this transaction.
    """
    handoff = session.exec(select(Handoff).where(Handoff.id == one.handoff_id).with_for_update(key_share=True)).one()
    wait = waits.open_of(session, one.handoff_id, lock=True)
    tenure = handoffs.open_assignment(session, handoff)
    now = _mark(handoff, wait, tenure)
    if now == one.mark:
        return ""
    people = roster.current(session)
    if now.answer_id != one.mark.answer_id and wait is not None and (answer := session.get(Answer, wait.answer_id)):
        return f"{people.name_of(answer.by)} answered: {answer.kind}"
    if now.stage != one.mark.stage:
        return f"it went from {one.mark.stage} to {now.stage}"
    if now.tenure_id != one.mark.tenure_id:
        return f"it is with {people.name_of(tenure.rep)} now" if tenure else "it was taken from its rep"
    return f"it went on to {_owed(wait)}"


def _owed(wait: Wait | None) -> str:
    return f"waiting for {wait.kind.replace('_', ' ')}" if wait else "its next step"


def as_facts(one: InFlight) -> dict[str, Any]:
    """The handoff as plain values, for JSON."""
    named = ("handoff_id", "lead_id", "company", "stage", "version", "holder", "wait_kind", "under", "why")
    due = one.due_at.isoformat() if one.due_at else None
    return {**{name: getattr(one, name) for name in named}, "due_at": due, "happens": one.happens.value}

"""Duties: what a person has open: leads, decisions, notes, disputes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from agreements.lifecycle import AT_ONCE, Stage
from agreements.words import WaitKind
from storage.tables import Answer, Dispute, Handoff, Wait

#: The stages in which a rep has the lead.
_WITH_A_REP = (Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING, Stage.STUCK)

#: The waits of somebody who is no rep.
_ASKED: tuple[WaitKind, ...] = ("decision", "note")


@dataclass(frozen=True, slots=True)
class Duties:
    """What one person has open, by numbers of leads.

    leads: those of which the person is the rep. asked: those about which the person is to decide, or whose note they complete.
    disputes: their numbers. waits: the ids of the unanswered waits for all of these. stuck: leads that stand still until the operator
    has looked. moving: leads that an attempt carries on right now. Neither can be handed over before that.
    """

    leads: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()
    disputes: tuple[int, ...] = ()
    waits: tuple[str, ...] = ()
    stuck: tuple[int, ...] = ()
    moving: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.leads or self.asked or self.disputes)


def of_person(session: Session, ident: str) -> Duties:
    """Return what the person has open. A lead that they have given away by an answer that counts is theirs no more."""
    leads: list[int] = []
    waiting: dict[str, int] = {}
    stuck, moving = [], []
    for handoff, wait, kind in session.exec(_of_rep(ident)):
        if kind == "left" or (kind and kind not in AT_ONCE):
            continue
        leads.append(handoff.lead_id)
        if handoff.stage == Stage.STUCK:
            stuck.append(handoff.lead_id)
        elif wait is not None and wait.answer_id is None:
            waiting[wait.id] = handoff.lead_id
        else:
            moving.append(handoff.lead_id)
    asked = {wait.id: lead for wait, lead in session.exec(_asked(ident)) if wait.id not in waiting}
    open_ones = tuple(one.id for one in session.exec(open_disputes(ident)))
    return Duties(tuple(leads), tuple(asked.values()), open_ones, (*waiting, *asked), tuple(stuck), tuple(moving))


def _of_rep(ident: str) -> Any:
    """The open leads of a rep, each with its open wait and the kind of the answer to it."""
    open_wait = (col(Wait.handoff_id) == col(Handoff.id)) & col(Wait.closed_at).is_(None)
    query = select(Handoff, Wait, Answer.kind).join(Wait, open_wait, isouter=True)
    query = query.join(Answer, col(Answer.id) == col(Wait.answer_id), isouter=True)
    stages = [stage.value for stage in _WITH_A_REP]
    return query.where(Handoff.rep == ident, col(Handoff.stage).in_(stages)).order_by(col(Handoff.id))


def _asked(ident: str) -> Any:
    """The unanswered waits in which the person is asked, each with the number of the lead."""
    query = select(Wait, Handoff.lead_id).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    mine = (Wait.holder == ident, col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    return query.where(*mine, col(Wait.kind).in_(_ASKED)).order_by(col(Wait.due_at))


def open_disputes(*idents: str) -> Any:
    """A query for the disputes that these people are to decide, the first due first."""
    return select(Dispute).where(Dispute.ruling == "", col(Dispute.holder).in_(idents)).order_by(col(Dispute.due_at))

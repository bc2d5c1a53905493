"""Where a change in the CRM arrives: the lead, its handoff, the open wait, and the answers that the wait allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlmodel import Session

from agreements.lifecycle import AT_ONCE, Stage
from agreements.model import Agreement
from agreements.words import CrmChangeKind, GivenAnswer, NotUnderstood
from storage import handoffs, identity, trail, waits
from storage.tables import Answer, Assignment, CrmChange, Handoff, Lead, Wait
from tasks.choices import rep_choices
from tasks.replies.answered_for import tell_rep


@dataclass(frozen=True, slots=True)
class Made:
    """A change that a person made in the CRM. at: when, never later than now; key: its name for ever."""

    key: str
    kind: CrmChangeKind
    by: str
    at: datetime
    values: Mapping[str, str]


@dataclass
class Place:
    """Where the change arrives. The open wait, if there is one, is locked until the transaction ends."""

    session: Session
    lead: Lead
    handoff: Handoff
    made: Made
    now: datetime

    @cached_property
    def agreement(self) -> Agreement:
        """The version of the agreement under which this handoff began. Ask only where it has one."""
        return handoffs.agreement_of(self.session, self.handoff)

    @cached_property
    def is_open(self) -> bool:
        """Whether the handoff is open."""
        return handoffs.is_open(self.handoff)

    @cached_property
    def wait(self) -> Wait | None:
        """The open wait of an open handoff."""
        return waits.open_of(self.session, self.handoff.id, lock=True) if self.is_open else None

    @cached_property
    def tenure(self) -> Assignment | None:
        """The assignment to the rep who has the lead."""
        return handoffs.open_assignment(self.session, self.handoff)

    @property
    def allowed(self) -> tuple[GivenAnswer, ...]:
        """The answers that the rep may give now."""
        return rep_choices(self.agreement, self.handoff, self.wait) if self.wait is not None else ()

    @property
    def is_moving(self) -> bool:
        """Whether an attempt carries something out right now: what this change says is judged after that.

        An undo that is not carried out yet does not count: it yields to work that the change shows.
        """
        if not self.is_open or self.handoff.held:
            return False
        if self.wait is None:
            return self.handoff.stage != Stage.STUCK
        answer = waits.answer_of(self.session, self.wait)
        return answer is not None and (answer.kind in AT_ONCE or answer.via == "crm")

    def answer(self, kind: GivenAnswer, *, text: str = "", **data: Any) -> Answer:
        """Answers the open wait as of when the change was made, and returns the stored answer."""
        assert self.wait is not None, "only an open wait is answered"
        new = waits.NewAnswer(kind, by=self.made.by, via="crm", text=text, data=data)
        verdict = waits.answer(self.session, self.wait.id, new, now=self.now, answered_at=self.made.at)
        if verdict.won:
            tell_rep(self.session, verdict.answer, now=self.now)
        return verdict.answer

    def not_understood(self, why: NotUnderstood, **facts: Any) -> None:
        """Shows in the lead's trail that this change changed nothing here, and why. facts: codes only."""
        known = {"about": self.made.kind, "why": why, **facts}
        trail.record(self.session, "crm-not-understood", now=self.made.at, handoff=self.handoff, actor=self.made.by, **known)


def place_of(session: Session, row: CrmChange, *, now: datetime) -> Place | None:
    """Return where this change arrives, None for a lead that Baton does not know or that never had a handoff."""
    lead = session.get(Lead, row.lead_id)
    lead = identity.stands_for(session, lead) if lead is not None else None
    handoff = handoffs.latest_of(session, lead.id) if lead is not None else None
    if lead is None or handoff is None:
        return None
    made = Made(row.id, row.kind, row.by, min(row.at, now), dict(row.details))
    return Place(session, lead, handoff, made, now)

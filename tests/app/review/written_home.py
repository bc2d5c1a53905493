"""Writes made-up lives into a home as the rows that the steps leave behind, so that thousands of leads take a second.

`test_lives_as_rows.py` also lives such lives through the intake and the steps, and a review counts both alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlmodel import Session, SQLModel, insert

from agreements.clocks import calendar_for
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.words import ClockName
from storage import contracts
from storage.contracts import NewSignature
from storage.tables import Activity, Answer, Assignment, Event, Handoff, Lead, LeadValues, Touch, Wait
from tests.app.review.made_lives import Life

NAME = "b2b-saas"
REP = "ana"
_TABLES: tuple[type[SQLModel], ...] = (Lead, LeadValues, Activity, Handoff, Event, Assignment, Wait, Answer, Touch)


def agree(session: Session, text: str, *, now: datetime) -> Agreement:
    """Put a version in force, and return it."""
    row = contracts.publish(session, text, now=now)
    contracts.sign(session, row, NewSignature("marketing", "Mina Okoro", "cli"), now=now)
    contracts.sign(session, row, NewSignature("sales", "Maria Keller", "cli"), now=now)
    contracts.mark_deployed(session, row, deployment_id=f"00000000-0000-0000-0000-{row.version:012}", now=now)
    return contracts.read(row)


def write(session: Session, lives: Iterable[Life], versions: Mapping[int, Agreement], *, first: int = 1) -> None:
    """Write what became of these leads. versions: under which they live, by number. first: the number of the first lead."""
    rows = _Rows()
    for number, one in enumerate(lives, first):
        _write_lead(rows, one, number)
        rows.add(Handoff, **_Passed(rows, one, number, versions[one.version]).handoff())
    rows.insert(session)


def due(name: ClockName, at: datetime, agreement: Agreement) -> datetime:
    """Return when a promise of the normal tier is due that begins at this instant."""
    clock = agreement.clock(name)
    return clock.term("normal").after(at, calendar_for(clock, agreement))


class _Rows:
    """Rows by table, each with the defaults of its table."""

    def __init__(self) -> None:
        self.of: dict[type[SQLModel], list[dict[str, Any]]] = {table: [] for table in _TABLES}

    def add(self, table: type[SQLModel], **values: Any) -> None:
        self.of[table].append({**_defaults(table), **values})

    def insert(self, session: Session) -> None:
        for table, rows in self.of.items():
            for begins in range(0, len(rows), 5_000):
                session.execute(insert(table), rows[begins : begins + 5_000])


@cache
def _defaults(table: type[SQLModel]) -> dict[str, Any]:
    """Return the values of a new row, without its number."""
    return {name: value for name, value in table().model_dump().items() if name != "id"}


def _write_lead(rows: _Rows, one: Life, number: int) -> None:
    values = {name: "yes" if has else "no" for name, has in one.facts.items()}
    company = f"Company {number}"
    rows.add(Lead, id=number, company=company, source=one.source, values=values, created_at=one.at)
    told = {**values, "company": company, "entry_channel": "web", "source": one.source}
    rows.add(LeadValues, lead_id=number, at=one.at, values=told)
    rows.add(
        Activity, lead_id=number, key=str(number), source=one.source, kind="content_downloaded", at=one.at, received_at=one.at
    )  # fmt: skip
    rows.add(Event, at=one.at, recorded_at=one.at, kind="screened", lead_id=number, handoff_id=number, stage=Stage.INQUIRY)


@dataclass(frozen=True, slots=True)
class _Passed:
    """One pass of a lead through an agreement."""

    rows: _Rows
    one: Life
    number: int
    agreement: Agreement

    def handoff(self) -> dict[str, Any]:
        """Write the rows of its steps, and return the row of the handoff at its end."""
        one = self.one
        row: dict[str, Any] = {
            "id": self.number, "lead_id": self.number, "agreement": NAME, "version": one.version, "step": "", "score": one.points,
            "created_at": one.at, "ended_at": one.at, "stage": Stage.NURTURING,
        }  # fmt: skip
        if not one.is_mql:
            return row
        self.rows.add(
            Assignment, id=self._tenure, handoff_id=self.number, lead_id=self.number, rep=REP, tier="normal", assigned_at=one.at,
            proven_at=one.at,
        )  # fmt: skip
        return row | {"rep": REP, "owner": REP, "mql_at": one.at, "first_assigned_at": one.at} | self._answers()

    @property
    def _tenure(self) -> str:
        return f"tenure-{self.number}"

    def _answers(self) -> dict[str, Any]:
        one = self.one
        answered = due("acceptance", one.at, self.agreement) + one.answered
        if one.fate == "rejected":
            self._answer("acceptance", one.at, answered, "rejected")
            return {"stage": Stage.NURTURING, "ended_at": answered}
        self._answer("acceptance", one.at, answered, "accepted")
        attempted = max(answered, due("first_attempt", answered, self.agreement) + one.attempted)
        self._answer("first_attempt", answered, attempted, "attempted")
        self.rows.add(
            Touch, key=self._tenure, handoff_id=self.number, lead_id=self.number, by=REP, via="link", kind="attempted", at=attempted
        )  # fmt: skip
        ended = attempted + one.ended
        self._answer("outcome", attempted, ended, one.fate)
        return {"stage": Stage.OPPORTUNITY if one.fate == "opportunity" else Stage.NURTURING, "ended_at": ended}

    def _answer(self, clock: ClockName, opened: datetime, at: datetime, given: str) -> None:
        """Write a wait, and the answer to it."""
        wait, promised = f"{clock}-{self.number}", due(clock, opened, self.agreement)
        answer = 1 + len(self.rows.of[Answer]) + 10 * self.number
        self.rows.add(
            Wait, id=wait, handoff_id=self.number, assignment_id=self._tenure, kind=clock, about=clock, holder=REP, opened_at=opened,
            due_at=promised, promised_at=promised, next_at=promised, answer_id=answer, closed_at=at, closed_because="answered",
        )  # fmt: skip
        reason = {"reason": self.one.reason} if given in ("rejected", "returned") else {}
        self.rows.add(
            Answer, id=answer, wait_id=wait, handoff_id=self.number, kind=given, by=REP, via="link", data=reason, answered_at=at,
            effective_at=at,
        )  # fmt: skip

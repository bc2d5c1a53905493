"""Reads what a review counts: passes, promises, answers and deals, as frozen values, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from agreements.model import Agreement
from agreements.review.deals import Deal, from_leads, won_too
from agreements.review.delivery import delivery
from agreements.review.objectives import Measured
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise
from agreements.review.reasons import GivenBack
from agreements.where_time_went import TimeParty
from agreements.words import GIVEN_BACK
from app.review.deals_of_leads import read_deals
from app.review.folding import Folded, fold
from app.review.time_spent import leads_of, time_spent
from storage import contracts, review_rows
from storage.review_rows import AnswerRow, Span

#: Tells what is being read, and how many of how many parts are done.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Read:
    """Everything that a review counts. agreement: the newest version in force at the end; versions: every deployed one, by number.

    ticks: what was ticked in each acceptance of the period. waits: what each open pass waited for, by the id of the pass. deals: every
    one, also those of no lead. time_spent: of so many leads, by party.
    """

    agreement: Agreement
    passes: Sequence[Pass]
    promises: Sequence[Promise]
    given: Sequence[GivenBack]
    deals: Sequence[Deal]
    ticks: Sequence[tuple[str, ...]]
    waits: Mapping[int, str]
    time_of_leads: int = 0
    time_spent: Mapping[TimeParty, timedelta] = field(default_factory=dict)
    versions: Mapping[int, Agreement] = field(default_factory=dict)

    @property
    def by_id(self) -> dict[int, Pass]:
        """The passes by id."""
        return {one.id: one for one in self.passes}

    @property
    def measured(self) -> Measured:
        """By what the objectives are measured."""
        shown = {one.pass_id for one in from_leads(self.deals)}
        not_shown = [one for one in self.passes if one.opportunity_at and one.id not in shown and not one.merged]
        return Measured(self.passes, self.promises, from_leads(self.deals), not_shown, self.agreement)


def read(session: Session, name: str, period: Period, progress: Progress, *, since: datetime | None = None) -> Read:
    """Read the facts of one agreement. Raises AgreementError where no version of it is deployed.

    since: from when facts are read, aware, no later than the period begins; None for as far back as the report goes.
    """
    span = Span(name, since or period.known_since, period.as_of)
    versions = {row.version: contracts.read(row) for row in contracts.deployed(session, name)}
    progress("leads", 0, 6)
    folded = fold(session, span)
    progress("promises", 1, 6)
    answers = review_rows.answers(session, span)
    given = list(_given(answers, folded, versions))
    newest = _newest(versions, period)
    delivered = (delivery(one, versions.get(one.version, newest)) for one in folded.passes)
    promises = [*_promises(session, span, folded, versions, answers), *(one for one in delivered if one)]
    progress("opportunities", 2, 6)
    deals = list(read_deals(session, span, folded, period))
    progress("open leads", 3, 6)
    waits = {folded.pass_of[ident]: kind for ident, kind in review_rows.open_waits(session, span).items() if ident in folded.pass_of}
    progress("times", 4, 6)
    leads = leads_of(folded.passes, period)
    spent = time_spent(session, leads, period)
    progress("counting", 5, 6)
    ticks = [_ticked(one.data) for one in answers if one.kind == "accepted" and period.holds(one.answered_at)]
    return Read(newest, won_too(folded.passes, deals), promises, given, deals, ticks, waits, len(leads), spent, versions)


def _newest(versions: Mapping[int, Agreement], period: Period) -> Agreement:
    """Return the newest version that was in force on the last day, else the first one."""
    begun = [number for number, one in versions.items() if one.effective.from_ <= period.last]
    return versions[max(begun, default=min(versions))]


def _ticked(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in data.get("note_wrong", ()))


def _given(answers: Iterable[AnswerRow], folded: Folded, versions: Mapping[int, Agreement]) -> Iterator[GivenBack]:
    for one in answers:
        if one.kind not in GIVEN_BACK or one.handoff_id not in folded.rows:
            continue
        row, code = folded.rows[one.handoff_id], str(one.data.get("reason", ""))
        found = versions[row.version].reason(code) if row.version in versions else None
        yield GivenBack(
            pass_id=folded.pass_of[one.handoff_id],
            lead_id=row.lead_id,
            at=one.answered_at,
            reason=code,
            source=row.source,
            tier=row.tier,
            against=found.counts_against if found else "nobody",
            disputed=one.disputed is not None,
            ruling=one.ruling or "",
        )


def _promises(
    session: Session, span: Span, folded: Folded, versions: Mapping[int, Agreement], answers: Iterable[AnswerRow]
) -> Iterator[Promise]:
    reasons = {one.assignment_id: (one.handoff_id, str(one.data.get("reason", ""))) for one in answers if one.kind in GIVEN_BACK}
    for wait in review_rows.promises(session, span):
        row = folded.rows.get(wait.handoff_id)
        agreement = versions.get(row.version) if row else None
        if row is None or agreement is None:
            continue
        handoff, code = reasons.get(wait.assignment_id, (0, "")) if wait.assignment_id else (0, "")
        reason = agreement.reason(code) if handoff == wait.handoff_id else None
        yield Promise(
            pass_id=folded.pass_of[wait.handoff_id],
            kind=wait.kind,
            owed_by="baton" if wait.about == "proof" else agreement.clock(wait.kind).owed_by,
            promised_at=wait.promised_at,
            about=wait.about,
            tier=row.tier,
            holder=wait.holder,
            given=wait.given or "",
            answered_at=wait.answered_at,
            closed_at=wait.closed_at if wait.closed_at and wait.closed_at < span.as_of else None,
            closed_because=wait.closed_because,
            against=reason.counts_against if reason else "nobody",
            began_at=wait.opened_at,
        )

"""Makes the reviews that are due, each once: counts, writes the page, and keeps it in one transaction with the mails to the signers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.model import Agreement
from agreements.review.due import DueReview, due_reviews
from agreements.review.period import Period
from app.report_output import json_text
from app.review import wording
from app.review.first_sheet import first_sheet
from app.review.page import page
from app.review.report import Review, as_json
from app.review.review import report
from storage import contracts, kept_reviews
from storage.kept_reviews import NewReview
from storage.tables import AgreementVersion
from tasks.messages import review_message
from tasks.wiring.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class MadeReview:
    """A review that was made now. number: by which it is shown; days: its days in words; signers: how many people get a mail about it."""

    number: int
    due: DueReview
    days: str
    review: Review
    signers: int


async def make_due(box: Toolbox) -> tuple[MadeReview, ...]:
    """Make each review that is due and was not made; return those that this call has made, the oldest first.

    Another process may make the same ones at the same time: one of both keeps each. Raises AgreementError.
    """
    made: list[MadeReview] = []
    for agreement, due in await box.read(_due):
        days = Period(due.first, due.last, agreement.timezone, due.at)
        found = await box.read(_report_of(agreement.agreement, days, proposing=due.kind == "monthly"))
        new = await asyncio.to_thread(_new, found, due)
        kept = await box.write(lambda session, now, new=new, by=agreement: _keep(session, new, by, now))  # type: ignore[misc]
        if kept is not None:
            number, signers = kept
            made.append(MadeReview(number, due, wording.days(found), found, signers))
    return tuple(made)


def _report_of(name: str, days: Period, *, proposing: bool) -> Callable[[Session, datetime], Review]:
    return lambda session, now: report(session, name, days, proposing=proposing)


def _due(session: Session, now: datetime) -> list[tuple[Agreement, DueReview]]:
    """Return what is due and not made, the oldest first. Reads one statement, and one for each agreement."""
    found = [one for rows in _by_name(contracts.deployed(session)) for one in _due_of(session, rows, now)]
    return sorted(found, key=lambda one: (one[1].at, one[0].agreement, one[1].first))


def _by_name(rows: list[AgreementVersion]) -> list[list[AgreementVersion]]:
    by_name: dict[str, list[AgreementVersion]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    return list(by_name.values())


def _due_of(session: Session, rows: list[AgreementVersion], now: datetime) -> Iterator[tuple[Agreement, DueReview]]:
    """Yield what is due under the versions of one agreement. The newest version that has begun says when."""
    begun = [row for row in rows if _begins(row) <= now]
    if not begun:
        return
    newest = begun[-1]
    agreement = contracts.read(newest)
    due = due_reviews(agreement, since=min(map(_begins, begun)), until=newest.until, now=now)
    made = kept_reviews.made(session, newest.name, since=min(one.first for one in due)) if due else set()
    yield from ((agreement, one) for one in due if (one.kind, one.first) not in made)


def _begins(row: AgreementVersion) -> datetime:
    """From when a deployed version is in force."""
    return max(row.effective_at, row.deployed_at or row.effective_at)


def _new(found: Review, due: DueReview) -> NewReview:
    return NewReview(
        agreement=found.agreement,
        version=found.version,
        kind=due.kind,
        first=due.first,
        last=due.last,
        due_at=due.at,
        first_sheet=first_sheet(found),
        report=json_text(as_json(found)),
        page=page(found),
    )


def _keep(session: Session, new: NewReview, agreement: Agreement, now: datetime) -> tuple[int, int] | None:
    """Keep the review and queue its mails together, so that neither is there without the other. Returns its number, and how many mails."""
    row = kept_reviews.keep(session, new, now=now)
    return (row.id, review_message.tell_signers(session, row, agreement, now=now)) if row is not None else None

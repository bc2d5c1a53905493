"""Reads the opportunities of a review: each with the pass from which it came, its campaigns, and how many days it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from sqlmodel import Session

from agreements.review.deals import Deal
from agreements.review.period import Period
from agreements.words import OpportunityState
from app.review.folding import Folded
from storage import review_rows
from storage.review_rows import OpportunityRow, Span


def read_deals(session: Session, span: Span, folded: Folded, period: Period) -> Iterator[Deal]:
    """Yield the opportunities that a review of these passes counts or names, also those of no lead."""
    campaigns = _campaigns(review_rows.campaigns(session, span))
    passes = _Passes(folded, span.agreement, period)
    for row in review_rows.opportunities(session, span):
        came_from = passes.of(row)
        if came_from is None and row.lead_id is not None and (row.agreement or row.lead_id not in passes.by_lead):
            continue  # it belongs to another agreement
        opened, ended = period.named(row.opened_at), period.named(row.settled_at) if row.settled_at else None
        if opened >= span.as_of:
            continue
        settled = ended if ended and ended < span.as_of else None
        began = folded.lead_began.get(row.lead_id or 0)
        yield Deal(
            crm_id=row.crm_id,
            lead_id=row.lead_id,
            pass_id=came_from,
            opened_at=opened,
            settled_at=settled,
            state=OpportunityState(row.state) if settled else OpportunityState.OPEN,
            amount=row.amount,
            currency=row.currency,
            faults=tuple(sorted(row.faults)),
            campaigns=_first_and_last(campaigns.get(row.lead_id or 0, ()), period.end_of_named(row.opened_at)),
            days=_days(began, row, period) if settled else None,
            stalled_at=row.stalled_at if row.stalled_at and row.stalled_at < span.as_of and not settled else None,
        )


class _Passes:
    """The passes, to find that from which an opportunity came."""

    def __init__(self, folded: Folded, agreement: str, period: Period) -> None:
        self.folded, self.agreement, self.period = folded, agreement, period
        self.by_lead, self.by_id, self.into = folded.by_lead(), {one.id: one for one in folded.passes}, folded.go_on_as()

    def of(self, row: OpportunityRow) -> int | None:
        """Return the pass that counts it. Where its lead turned out to be another one, that lead's pass at the time does."""
        one = self.by_id.get(came_from := self._named(row) or 0)
        if one is None or not one.merged or one.ended_at is None:
            return came_from or None
        lead = one.lead_id
        while lead in self.into:
            lead = self.into[lead]
        theirs = [other.id for other in self.by_lead.get(lead, ()) if other.began_at <= one.ended_at]
        return theirs[-1] if theirs else came_from

    def _named(self, row: OpportunityRow) -> int | None:
        """The pass of the handoff that the CRM names, else the lead's last one that had begun by then, or on the day that it names."""
        if row.handoff_id is not None:
            return self.folded.pass_of.get(row.handoff_id, row.handoff_id) if row.agreement == self.agreement else None
        known_by = self.period.end_of_named(row.opened_at)
        began = [one.id for one in self.by_lead.get(row.lead_id or 0, ()) if one.began_at <= known_by]
        return began[-1] if began else None


def _days(began: datetime | None, row: OpportunityRow, period: Period) -> int | None:
    ended: date | None = row.closed_on or (period.day(row.settled_at) if row.settled_at else None)
    return (ended - period.day(began)).days if began and ended else None


def _campaigns(rows: Iterable[tuple[int, datetime, str]]) -> dict[int, list[tuple[datetime, str]]]:
    found: dict[int, list[tuple[datetime, str]]] = {}
    for lead, at, campaign in rows:
        found.setdefault(lead, []).append((at, campaign))
    return found


def _first_and_last(known: Sequence[tuple[datetime, str]], opened_at: datetime) -> tuple[str, str]:
    before = [campaign for at, campaign in known if at <= opened_at] or [campaign for _, campaign in known[:1]]
    return (before[0], before[-1]) if before else ("", "")

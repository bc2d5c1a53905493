"""Proposes changes to the agreement: counts what past leads and the period say, drafts the change, and tries it on past leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from sqlmodel import Session

from agreements.errors import HandoffError
from agreements.model import Agreement
from agreements.review.better_threshold import better_threshold
from agreements.review.grown_reasons import grown_reasons
from agreements.review.idle_criteria import idle_criteria
from agreements.review.period import Period
from agreements.review.promises import kept
from agreements.review.proposal import Proposal, chosen
from agreements.review.share import Share
from agreements.review.unkept_clocks import unkept_clocks
from app.backtest.compare import compare
from app.backtest.past import PastLeads
from app.backtest.report import SideFound
from app.backtest.stored import read_stored
from app.review.drafts import draft
from app.review.point_counts import criteria_of, curve_of
from app.review.reading import Progress, Read
from app.review.report import Proposed, Tried
from storage import contracts

#: A proposal is tried on at most this many leads: the ones that were judged last.
LEADS_AT_MOST = 10_000


def proposals(session: Session, found: Read, period: Period, progress: Progress) -> tuple[Proposed, ...]:
    """Return at most three proposals, each with its draft where it has one, and what the draft would have made of past leads."""
    progress("proposals", 0, 2)
    agreement = found.agreement
    try:
        past = read_stored(session, [agreement], now=period.now, by="entry_channel", limit=LEADS_AT_MOST)
    except HandoffError:  # nothing was judged yet
        past = None
    by_points = of_points(agreement, past) if past else ()
    proposed = chosen([*by_points, *of_period(found, period)])
    progress("drafts", 1, 2)
    text = contracts.get(session, agreement.agreement, agreement.version).text
    version = 1 + max(row.version for row in contracts.deployed(session, agreement.agreement))
    return tuple(with_draft(one, agreement, text, past, period, version=version) for one in proposed)


def of_points(agreement: Agreement, past: PastLeads) -> Iterator[Proposal]:
    """Yield what past leads say about the criteria, and about the threshold where every criterion has its place.

    Points for nothing lift leads over any threshold, so they go first.
    """
    side = compare(agreement, None, past).draft
    aim = agreement.objectives.sales.get("mql_to_opportunity")
    agreed = float(aim.amount) / 100 if aim and aim.unit == "%" else None
    idle = list(idle_criteria(list(criteria_of(agreement, past, side))))
    yield from idle
    raised = better_threshold(curve_of(side), side.threshold, agreed=agreed)
    if raised and not idle:
        yield raised


def of_period(found: Read, period: Period) -> Iterable[Proposal]:
    """Return what the period says about reasons and clocks."""
    grown = grown_reasons(found.passes, found.given, found.agreement, period)
    return [*grown, *unkept_clocks(kept(found.promises, period), found.promises, found.agreement, period)]


def with_draft(one: Proposal, agreement: Agreement, text: str, past: PastLeads | None, period: Period, *, version: int) -> Proposed:
    """Return the proposal with its draft, tried on these leads. text: of the agreement; version: of the draft."""
    today = period.day(period.now)
    made = draft(
        text,
        one,
        version=version,
        effective=(today.replace(day=1) + timedelta(days=32)).replace(day=1),
        origin=f"Draft from the review of {period.first:%d %b %Y} to {period.last:%d %b %Y}, for both sides to discuss.",
    )
    if made is None:
        return Proposed(proposal=one, draft="", tried=None)
    changed, other = made
    return Proposed(proposal=one, draft=changed, tried=_tried(other, agreement, past) if past else None)


def _tried(changed: Agreement, agreement: Agreement, past: PastLeads) -> Tried:
    found = compare(changed, agreement, past)
    now, then = found.other or found.draft, found.draft
    return Tried(
        leads=found.leads.leads,
        newest=found.leads.leads >= LEADS_AT_MOST,
        now=now.qualified.leads,
        now_won=_won(now),
        then=then.qualified.leads,
        then_won=_won(then),
    )


def _won(side: SideFound) -> Share:
    return Share(count=side.qualified.won, of=side.qualified.known)

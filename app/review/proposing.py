"""Proposes changes to the agreement: counts what past leads and the period say, drafts the change, and tries it on past leads.

A change follows the newest version that is deployed, also where that one is not in force yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from agreements.backtest.columns import judge
from agreements.errors import HandoffError
from agreements.model import Agreement
from agreements.review.better_threshold import better_threshold
from agreements.review.cohorts import maturities
from agreements.review.followed import Figures
from agreements.review.grown_reasons import grown_reasons
from agreements.review.idle_criteria import idle_criteria
from agreements.review.period import Period
from agreements.review.proposal import Proposal, ProposalKind, chosen
from agreements.review.share import Share
from agreements.review.unkept_clocks import unkept_clocks
from app.backtest.compare import compare
from app.backtest.past import PastLeads
from app.backtest.report import SideFound
from app.backtest.stored import read_stored
from app.review.drafts import draft
from app.review.point_counts import criteria_of, curve_of, tried_by_points
from app.review.reading import Progress, Read
from app.review.report import Proposed, Tried
from storage import contracts
from storage.past import Which

#: The kinds that change who qualifies. A draft of another kind qualifies the same leads.
OF_POINTS: tuple[ProposalKind, ...] = ("threshold", "criterion")
#: A proposal is tried on at most this many leads: the ones that were judged last.
LEADS_AT_MOST = 10_000


def proposals(session: Session, found: Read, period: Period, progress: Progress) -> tuple[Proposed, ...]:
    """Return at most three proposals, each with its draft where it has one, and what the draft would have made of past leads."""
    progress("proposals", 0, 2)
    agreement = found.versions[max(found.versions)]
    try:
        newest = Which(LEADS_AT_MOST, agreement.agreement)
        stored = read_stored(session, [agreement], now=period.now, by="source", which=newest)
        past = old_enough(stored, found, period)
    except HandoffError:  # nothing was judged yet
        past = None
    by_points = of_points(agreement, past) if past else ()
    proposed = chosen([*by_points, *of_period(found, agreement, period)])
    progress("drafts", 1, 2)
    text = contracts.get(session, agreement.agreement, agreement.version).text
    version = 1 + max(row.version for row in contracts.all_of(session) if row.name == agreement.agreement)
    figures = Figures(found.passes, found.given, found.promises)
    return tuple(
        with_draft(one, agreement, text, past, period, version=version).model_copy(
            update={"follows": agreement.version, "figure": figures.of(one.kind, one.subject, period)}
        )
        for one in proposed
    )


def old_enough(past: PastLeads, found: Read, period: Period) -> PastLeads:
    """Return the leads with outcomes only of those that are old enough to have become an opportunity.

    Leads are lost sooner than they become opportunities, so the newest leads look worse than they are.
    """
    seconds = next(one.seconds for one in maturities(found.passes, {}, found.agreement, period.begins) if one.step == "opportunity")
    known = past.outcomes.known & (past.leads.at <= period.now - timedelta(seconds=seconds or 0))
    return replace(past, outcomes=replace(past.outcomes, known=known, won=past.outcomes.won & known))


def of_points(agreement: Agreement, past: PastLeads) -> Iterator[Proposal]:
    """Yield what past leads say about the criteria, and about the threshold where every criterion has its place.

    Points for nothing lift leads over any threshold, so they go first.
    """
    side = compare(agreement, None, past).draft
    aim = agreement.objectives.sales.get("mql_to_opportunity")
    agreed = float(aim.amount) / 100 if aim and aim.unit == "%" else None
    judged = judge(agreement, past.leads)
    tried = tried_by_points(agreement, past, judged)
    idle = list(idle_criteria(list(criteria_of(tried, judged, side)), agreement.qualification))
    yield from idle
    raised = better_threshold(curve_of(tried), side.threshold, agreed=agreed)
    if raised and not idle:
        yield raised


def of_period(found: Read, agreement: Agreement, period: Period) -> Iterable[Proposal]:
    """Return what the period says about the reasons and clocks of this version."""
    by_pass = {one.id: found.versions[one.version] for one in found.passes if one.version in found.versions}
    yield from grown_reasons(found.passes, found.given, found.versions, agreement, period)
    yield from unkept_clocks(found.promises, by_pass, agreement, period)


def with_draft(one: Proposal, agreement: Agreement, text: str, past: PastLeads | None, period: Period, *, version: int) -> Proposed:
    """Return the proposal with its draft, tried on these leads. text: of the agreement; version: of the draft."""
    made = draft(
        text,
        one,
        version=version,
        effective=_first_of_next_month(max(period.day(period.now), agreement.effective.from_)),
        origin=f"Draft from the review of {period.first:%d %b %Y} to {period.last:%d %b %Y}, for both sides to discuss.",
    )
    if made is None:
        return Proposed(proposal=one, draft="", tried=None)
    changed, other = made
    tried = _tried(other, agreement, past, period) if past and one.kind in OF_POINTS else None
    return Proposed(proposal=one, draft=changed, tried=tried, reference=other.reference)


def _first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _tried(changed: Agreement, agreement: Agreement, past: PastLeads, period: Period) -> Tried:
    found = compare(changed, agreement, past)
    now, then = found.other or found.draft, found.draft
    days = sorted({period.day(at) for at in (past.leads.at.min(), past.leads.at.max()) if isinstance(at, datetime)})
    return Tried(
        first=days[0] if days else None,
        last=days[-1] if days else None,
        leads=found.leads.leads,
        newest=found.leads.leads >= LEADS_AT_MOST,
        now=now.qualified.leads,
        now_won=_won(now),
        then=then.qualified.leads,
        then_won=_won(then),
    )


def _won(side: SideFound) -> Share:
    return Share(count=side.qualified.won, of=side.qualified.known)

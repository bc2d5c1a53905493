"""Makes the review of a period: reads once, counts by the rules, and returns the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import get_args

from sqlmodel import Session

from agreements.clauses.scoring import STATEMENTS
from agreements.errors import RosterError
from agreements.review import cohorts, deals, funnel, promises, reasons
from agreements.review.followed import Figures, Followed, Source, followed
from agreements.review.notes import notes
from agreements.review.objectives import objectives
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.share import Share
from agreements.review.to_decide import to_decide
from agreements.review.to_discuss import to_discuss
from agreements.words import PARTIES, SEVERAL, word
from app.review.proposing import proposals
from app.review.reading import Progress, Read, read
from app.review.report import Decision, Load, OpenByAge, Proposed, Review, Side, Tick, TimeSpent, WaitsFor
from storage import review_decisions, roster
from storage.tables import ReviewDecision

#: The bounds of the groups of open leads by age, in days; older ones are the last group.
AGES = (1, 7, 30, 90)


def report(
    session: Session, name: str, period: Period, *, proposing: bool = False, progress: Progress = lambda what, done, whole: None
) -> Review:
    """Return the review of one agreement. Reads a fixed number of statements. Raises AgreementError where it is not deployed.

    proposing: also propose changes to the agreement, each tried on past leads.
    """
    found = read(session, name, period, progress)
    figures = Figures(found.passes, found.given, found.promises)
    rows = [row for row in review_decisions.of(session, name) if row.decided_at < period.now]
    decided = tuple(_decision(row, _followed(row, figures, found, period), period) for row in rows)
    proposed = proposals(session, found, period, progress) if proposing else None
    return review_of(found, period, name_of=_names(session), decided=decided, proposed=proposed)


def review_of(
    found: Read,
    period: Period,
    *,
    name_of: Callable[[str], str] = str,
    decided: tuple[Decision, ...] = (),
    proposed: tuple[Proposed, ...] | None = None,
) -> Review:
    """Return the review of what was read. name_of: the name of a person of the roster. Reads nothing."""
    won_at, by = deals.first_wins(found.deals), found.measured
    of_leads, not_shown, measured = by.deals, by.not_shown, objectives(by, period)
    kept = promises.kept(found.promises, period)
    maturities = cohorts.maturities(found.passes, won_at, found.agreement, period.begins)
    months = cohorts.cohorts(found.passes, won_at, period, maturities)
    whole = funnel.funnel(found.passes, period)
    given = reasons.reasons(found.given, found.agreement, period)
    disputes = reasons.disputes(found.given, period)
    still_open = [one for one in found.passes if one.is_open]
    return Review(
        agreement=found.agreement.agreement,
        version=found.agreement.version,
        versions=tuple(sorted({one.version for one in found.passes if period.holds(one.mql_at)})),
        timezone=period.zone,
        first=period.first,
        last=period.last,
        as_of=period.as_of,
        objectives=measured,
        to_decide=to_decide(measured, given, months, funnel.left_alone(found.passes, period), disputes),
        sides=tuple(Side(side=side, kept=promises.side(kept, side)) for side in PARTIES),
        promises=kept,
        weeks=promises.trend(found.promises, period),
        funnel=whole,
        speeds=funnel.speeds(found.passes, found.promises, period, [tier.name for tier in found.agreement.tiers]),
        touched_in_time=funnel.touched_in_time(found.by_id, found.promises, period),
        attempts=funnel.attempts(found.passes, period),
        maturities=maturities,
        cohorts=months,
        money=deals.money(of_leads, period),
        open_money=deals.still_open(of_leads),
        campaigns=deals.by_campaign(of_leads, period),
        days_to_won=deals.days_to_won(of_leads, period),
        by_source=funnel.by_source(found.passes, period, set(won_at)),
        recycled=funnel.recycled(found.passes, period),
        open_leads=len(still_open),
        open_by_age=_by_age(still_open, found.waits, period),
        load=_load(still_open, name_of),
        time_of_leads=found.time_of_leads,
        time_spent=tuple(TimeSpent(party=party, seconds=round(part.total_seconds())) for party, part in found.time_spent.items()),
        ticks=_ticks(found.ticks),
        disputes=disputes,
        reasons=given,
        against=dict(reasons.against(found.given, period)),
        to_discuss=to_discuss(found.by_id, found.promises, found.given, of_leads, period),
        decisions=decided,
        notes=notes(found.passes, found.deals, not_shown, period),
        proposals=proposed,
    )


def _by_age(still_open: Sequence[Pass], waits: Mapping[int, str], period: Period) -> tuple[OpenByAge, ...]:
    groups: dict[int | None, list[Pass]] = {bound: [] for bound in (*AGES, None)}
    for one in still_open:
        age = period.as_of - one.began_at
        groups[next((bound for bound in AGES if age < timedelta(days=bound)), None)].append(one)
    return tuple(OpenByAge(days=bound, leads=len(own), waits_for=_waits(own, waits)) for bound, own in groups.items())


def _waits(own: Sequence[Pass], waits: Mapping[int, str]) -> dict[WaitsFor, int]:
    known: tuple[WaitsFor, ...] = get_args(WaitsFor)
    times: Counter[WaitsFor] = Counter(word(waits.get(one.id, ""), known) or "moving" for one in own)
    return {kind: times[kind] for kind in known if times[kind]}


def _load(still_open: Sequence[Pass], name_of: Callable[[str], str]) -> tuple[Load, ...]:
    """Return who has how many open leads, in alphabetical order: nobody is ranked."""
    times = Counter(one.rep for one in still_open if one.rep and one.rep != SEVERAL)
    return tuple(Load(rep=rep, name=name_of(rep), open=times[rep]) for rep in sorted(times))


def _names(session: Session) -> Callable[[str], str]:
    try:
        return roster.current(session).name_of
    except RosterError:  # no roster is loaded yet
        return str


def _ticks(ticks: Sequence[tuple[str, ...]]) -> tuple[Tick, ...]:
    times = Counter(name for one in ticks for name in one)
    return tuple(Tick(statement=name, ticked=Share(count=times[name], of=len(ticks))) for name in _in_order(times))


def _in_order(times: Mapping[str, int]) -> Iterator[str]:
    yield from (name for name in STATEMENTS if name in times)
    yield from sorted(set(times) - set(STATEMENTS))


def _followed(row: ReviewDecision, figures: Figures, found: Read, period: Period) -> Followed | None:
    return followed(Source.model_validate(row.proposal, extra="ignore"), figures, found.versions, period) if row.proposal else None


def _decision(row: ReviewDecision, about: Followed | None, period: Period) -> Decision:
    return Decision(
        number=row.id,
        text=row.text,
        by=row.by,
        decided_on=period.day(row.decided_at),
        until=row.until,
        done_on=period.day(row.done_at) if row.done_at else None,
        overdue=row.done_at is None and row.until is not None and row.until < period.day(period.now),
        about=about,
    )

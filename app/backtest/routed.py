"""Routes a sample of the leads that one version takes, and counts where they go."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agreements.backtest.answer_times import ENOUGH
from agreements.backtest.replay import replay
from agreements.backtest.replayed import Expected, Placed, Replay
from agreements.checks.with_roster import problems_with_roster
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.words import ClockName
from app.backtest.crew import Crew
from app.backtest.route_report import PromiseFound, RepFound, RoutingFound
from app.backtest.sample import Sample
from app.charts.parts import Part

#: How often the progress is told.
_STEP = 200


def routed(agreement: Agreement, crew: Crew, some: Sample, *, progress: Callable[[int, int], None]) -> RoutingFound:
    """Return where these leads go. progress: called with how many of how many are routed. Raises CalendarError for a rep whose calendar
    never opens."""
    answers = crew.answers(agreement)
    asked = Replay(agreement, crew.people, some.leads, answers, some.stands_for)
    placed = []
    for one in replay(asked):
        placed.append(one)
        if len(placed) % _STEP == 0:
            progress(len(placed), len(some.leads))
    zone = ZoneInfo(agreement.timezone)
    weeks = _weeks([lead.at for lead in some.leads], zone)
    given = [one for one in placed if one.rep]
    waits = [one.at - one.lead.at for one in given if one.at > one.lead.at]
    return RoutingFound(
        sampled=Part(len(some.leads), some.of),
        weeks=weeks,
        reps=tuple(_reps(agreement, crew.people, given, weeks=weeks, stands_for=some.stands_for)),
        by_team=Counter(one.team for one in given),
        why=_by_size(one.why for one in given),
        nobody=_by_size(one.why for one in placed if not one.rep),
        waited=Part(len(waits), len(given)),
        longest=max(waits, default=timedelta()),
        promises=_promises(given),
        answers=len(answers.acceptance.everybody) if answers.known else 0,
        own_times=sum(len(times) >= ENOUGH for times in answers.acceptance.by_rep.values()) if answers.known else 0,
        notes=tuple(_notes(agreement, crew.people, some, zone)),
    )


def _weeks(instants: Sequence[datetime], zone: ZoneInfo) -> int:
    """Return over how many calendar weeks these instants spread, at least 1."""
    days = [_monday(at, zone) for at in instants]
    return (max(days) - min(days)).days // 7 + 1 if days else 1


def _monday(at: datetime, zone: ZoneInfo) -> date:
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _by_size(reasons: Iterator[str]) -> dict[str, int]:
    return dict(Counter(reasons).most_common())


def _reps(agreement: Agreement, people: Roster, given: Sequence[Placed], *, weeks: int, stands_for: float) -> Iterator[RepFound]:
    """Yield the reps of the agreed teams in the order of the roster, and whoever else got a lead."""
    theirs: dict[str, list[Placed]] = defaultdict(list)
    for one in given:
        theirs[one.rep].append(one)
    agreed = {rep for segment in agreement.routing.segments for rep in people.reps_of(segment.team)}
    zone = ZoneInfo(agreement.timezone)
    for rep, person in people.people.items():
        if rep not in agreed and rep not in theirs:
            continue
        leads = theirs[rep]
        by_week = Counter(_monday(one.at, zone) for one in leads)
        week, most = max(by_week.items(), key=lambda found: (found[1], -found[0].toordinal()), default=(None, 0))
        yield RepFound(
            rep=rep,
            name=person.name,
            team=person.team,
            leads=len(leads),
            a_week=stands_for * len(leads) / weeks,
            busiest=stands_for * most,
            week=week,
            most_open=max((one.open_leads for one in leads), default=0),
            capacity=agreement.routing.capacity.per_rep if person.capacity is None else person.capacity,
            promises=_promises(leads),
        )


def _promises(given: Sequence[Placed]) -> tuple[PromiseFound, ...]:
    acceptances = [one.acceptance for one in given if one.acceptance]
    attempts = [one.first_attempt for one in given if one.first_attempt]
    return (_promise("acceptance", acceptances), _promise("first_attempt", attempts))


def _promise(name: ClockName, expected: Sequence[Expected]) -> PromiseFound:
    judged = [one.missed for one in expected if one.missed is not None]
    missed = Part(sum(judged), len(judged)) if judged else None
    return PromiseFound(name, missed, Part(sum(one.off for one in expected), len(expected)))


def _notes(agreement: Agreement, people: Roster, some: Sample, zone: ZoneInfo) -> Iterator[str]:
    for problem in problems_with_roster(agreement, people):
        yield f"The roster does not fit {agreement.reference}: {problem}."
    name, at, count = max((_usual_time(some, one) for one in (zone, ZoneInfo("UTC"))), key=lambda found: found[2])
    if count > 1 and 2 * count > len(some.leads):
        yield (
            f"{count:,} of {len(some.leads):,} leads came at exactly {at} ({name}), so most likely their days are known and their times are"
            " not. Who is at work at that time decides where they go."
        )
    if some.stands_for > 1:
        yield (
            f"Each routed lead stands for {some.stands_for:.1f} leads, also against caps. So the figures for busy weeks and full reps are"
            " approximate."
        )


def _usual_time(some: Sample, zone: ZoneInfo) -> tuple[str, str, int]:
    """Return the zone, the time of day at which most leads came there, and how many they are."""
    times = Counter(f"{lead.at.astimezone(zone):%H:%M:%S.%f}" for lead in some.leads)
    at, count = max(times.items(), key=lambda found: found[1], default=("", 0))
    return zone.key, at[:5], count

"""What must fit together in an agreement, so that no lead can be stranded by it."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from agreements import ladder
from agreements.durations import Duration
from agreements.model import Agreement, Clocks
from agreements.roster import Roster
from agreements.working_time import CalendarError, WorkingCalendar

Problem = tuple[tuple[str | int, ...], str]
#: Channels that Baton has, and what each reaches.
CHANNELS = ("crm", "email", "chat", "manager-email")


def problems_of(agreement: Agreement) -> list[Problem]:
    """Every place that does not fit, and what to write instead."""
    return [
        *_zone(agreement),
        *_calendars(agreement),
        *_points(agreement),
        *_channels(agreement),
        *_clocks(agreement),
        *_reasons(agreement),
    ]


def problems_with_roster(agreement: Agreement, roster: Roster) -> list[str]:
    """What the agreement names and the roster does not have."""
    found = [
        f"routing.segments.{number}.team: there is no team {segment.team!r} in the roster; it has {', '.join(roster.teams)}"
        for number, segment in enumerate(agreement.routing.segments)
        if segment.team not in roster.teams
    ]
    if agreement.routing.default_acceptor not in roster.people:
        found.append(f"routing.default_acceptor: nobody in the roster is called {agreement.routing.default_acceptor!r}")
    for ident, person in roster.people.items():
        if person.calendar and person.calendar not in agreement.calendars:
            found.append(f"people.{ident}.calendar: the agreement has no calendar {person.calendar!r}")
    return found


def _zone(agreement: Agreement) -> Iterator[Problem]:
    try:
        ZoneInfo(agreement.timezone)
    except Exception:  # zoneinfo raises several unrelated types for one bad name
        yield ("timezone",), f"{agreement.timezone!r} is no time zone; write one such as Europe/London"


def _calendars(agreement: Agreement) -> Iterator[Problem]:
    for name, clause in agreement.calendars.items():
        try:
            WorkingCalendar.from_clause(clause)
        except CalendarError as error:
            for where, problem, instead in error.problems:
                path = (part if isinstance(part, int) else str(part) for part in where)
                yield ("calendars", name, *path), f"{problem}; write {instead}"


def _points(agreement: Agreement) -> Iterator[Problem]:
    rules = agreement.qualification
    best = sum(one.points for one in rules.fit if one.points > 0)
    if rules.fit and rules.mql.fit_at_least > best:
        yield ("qualification", "mql", "fit_at_least"), f"{rules.mql.fit_at_least} can never be reached: fit gives at most {best}"
    personas = {persona.name for persona in agreement.personas}
    for number, one in enumerate(rules.fit):
        if one.persona and one.persona not in personas:
            yield ("qualification", "fit", number, "persona"), f"there is no persona {one.persona!r}; describe it under `personas:`"
    if not any(tier.name == "normal" for tier in agreement.tiers) or agreement.tiers[-1].when.tests:
        yield ("tiers",), "the last tier must be `{name: normal}` without a condition, so that every lead has one"


def _channels(agreement: Agreement) -> Iterator[Problem]:
    lists: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [
        (("notify", "channels"), agreement.notify.channels),
        (("notify", "fallback"), agreement.notify.fallback),
    ]
    lists += [(("tiers", number, "channels"), tier.channels) for number, tier in enumerate(agreement.tiers)]
    for where, channels in lists:
        for channel in channels:
            if channel not in CHANNELS:
                yield where, f"there is no channel {channel!r}; write one of {', '.join(CHANNELS)}"
    fallback = set(agreement.notify.fallback)
    needed = [(where, channels) for where, channels in lists if channels and where != ("notify", "fallback")]
    for where, channels in needed:
        if (have := len(set(channels) | fallback)) < agreement.notify.confirmed_on:
            yield where, f"{agreement.notify.confirmed_on} channels must confirm, but only {have} are named"


def _clocks(agreement: Agreement) -> Iterator[Problem]:
    for name in Clocks.model_fields:
        clock = agreement.clocks.named(name)
        if not ladder.ends(clock.when_missed):
            last = clock.when_missed[-1].do
            advice = "end with nurture, manager-decides or reassign"
            yield ("clocks", name, "when_missed"), f"ends with {last!r}, which leaves the lead where it is; {advice}"
        if name == "decision" and any(rung.do == "manager-decides" for rung in clock.when_missed):
            yield ("clocks", name, "when_missed"), "a decision that was missed cannot be asked again; end with nurture"
        if clock.calendar and clock.calendar != "rep" and clock.calendar not in agreement.calendars:
            yield (
                ("clocks", name, "calendar"),
                f"there is no calendar {clock.calendar!r}; write rep or one of {', '.join(agreement.calendars)}",
            )
        for tier, term in {**clock.within, **{f"total {key}": value for key, value in clock.total.items()}}.items():
            if isinstance(term, Duration) and clock.calendar and not term.working and term.unit in ("hours", "days"):
                yield (
                    ("clocks", name, "within", tier.removeprefix("total ")),
                    (f"'{term}' is elapsed time beside a calendar; write '{str(term).replace(' ', ' working ', 1)}' or drop the calendar"),
                )


def _reasons(agreement: Agreement) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, reason in enumerate(agreement.reasons):
        if reason.code in seen:
            yield ("reasons", number, "code"), f"the reason {reason.code!r} stands twice"
        seen.add(reason.code)

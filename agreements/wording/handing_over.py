"""Who gets a lead and how they are told: tiers, routing, proof, working hours, legs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from agreements.calendar.opening_hours import Interval
from agreements.calendar.working_time import ClosedDays, WorkingCalendar
from agreements.model import Agreement, Segment, Tier
from agreements.wording import vocabulary as say
from agreements.wording.clocks import limits_of_leg
from agreements.wording.document import Line, Lines, Section, Text, lines, told

#: The days of a week as a calendar counts them.
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STRATEGIES = {
    "": "as its segment says",
    "round-robin": "each rep of the team in turn",
    "weighted-round-robin": "each rep of the team in turn, by weight",
    "first-to-claim": "offered to all who can take it, and whoever claims it first has it",
}
_OPEN = {"assigned": "assigned", "accepted-untouched": "accepted and not yet tried", "working": "being worked"}
_AWAY = {
    "hold": "the lead is held until somebody is back",
    "on-call-or-hold": "whoever is on call gets it; if nobody is, it is held until somebody is back",
    "route-anyway": "the next in turn gets it all the same",
    "default-acceptor": "the default acceptor gets it",
}
_FULL = {"manager": "the team's manager decides", "route-anyway": _AWAY["route-anyway"], "default-acceptor": _AWAY["default-acceptor"]}


def tiers(agreement: Agreement) -> Section:
    """The classes of leads, in the order in which they are asked."""
    asked = lines(*(tier_line(tier) for tier in agreement.tiers), numbered=True)
    return Section("tiers", "Tiers: which leads go faster", (Text("The first tier that matches counts."), *asked))


def tier_line(tier: Tier) -> Line:
    """One tier: which leads, told over which channels, given out how."""
    parts = [f"when {say.condition(tier.when)}" if tier.when.tests else "every lead that is not in a tier above"]
    parts.append(f"told over {say.listed(tier.channels)}" if tier.channels else "told over the usual channels")
    if tier.routing:
        parts.append(f"given out {_STRATEGIES[tier.routing]}" if tier.routing != "first-to-claim" else _STRATEGIES[tier.routing])
    if tier.release:
        parts.append(f"released at most {tier.release}")
    return told(f"{'; '.join(parts)}{say.because(tier.why)}.", f"{tier.name}:")


def routing(agreement: Agreement) -> Section:
    """Which team, which rep, and what happens when nobody can."""
    rules = agreement.routing
    counted = say.listed((_OPEN[one] for one in rules.capacity.open_means), "or")
    first = f" {say.sentence(f'asked first then is {rules.on_call}')}" if rules.on_call else ""
    answers = lines(
        Line(f"{rules.capacity.per_rep} leads that are {counted}, unless the roster says otherwise.", "A rep is full with:"),
        told(f"{_AWAY[rules.everyone_away]}.{first}", "Everyone away:"),
        told(f"{_FULL[rules.everyone_full]}.", "Everyone full:"),
        Line(f"{rules.default_acceptor}, who also gets what matches no segment.", "Default acceptor:"),
    )
    asked = lines(*map(segment_line, rules.segments), title="Which team; the first that matches counts", numbered=True)
    return Section("routing", "Who gets a lead", (*asked, *answers))


def segment_line(one: Segment) -> Line:
    """One segment: which leads, and in which turn."""
    leads = f"when {say.condition(one.when)}" if one.when.tests else "every other lead"
    return told(f"{leads}; {_STRATEGIES[one.strategy]}{say.because(one.why)}.", f"{one.team}:")


def notification(agreement: Agreement) -> Section:
    """On how many channels it must be proven that the rep was told, and how long an answer may be taken back."""
    rules = agreement.notify
    over = f"Told over {say.listed(rules.channels)}."
    proof = f"The rep's clock starts when {rules.confirmed_on} channels have proven that they were told, within {rules.within}."
    fallback = f" If that is not enough: {say.listed(rules.fallback)}." if rules.fallback else " There is no fallback."
    undo = f"An answer may be taken back for {rules.undo}; what goes outward waits that long."
    bounce = f"An e-mail has arrived when the mail server took it and it has not come back for {rules.no_bounce_for}."
    return Section("notify", "How it is proven that the rep was told", lines(f"{over} {proof}{fallback}", bounce, undo))


def attention(agreement: Agreement) -> Section:
    """Which leads interrupt, and where everything else is told."""
    tiers = [name for name in agreement.attention.interrupt if name in {tier.name for tier in agreement.tiers}]
    rest = "one digest a person, at the first opening of each working day"
    if not tiers:
        words = f"Reminders, warnings and check-ins interrupt nobody: they go into {rest}."
    else:
        words = f"Reminders and warnings about leads of tier {say.listed(tiers, 'or')} are sent at once; all others go into {rest}."
    always = "A new lead, a decision or note that is asked for, and what has become of a lead are always told at once."
    return Section("attention", "What interrupts", lines(words, always))


def calendars(agreement: Agreement) -> Section:
    """When work is done, by calendar."""
    blocks = (
        block
        for position, (name, clause) in enumerate(agreement.calendars.items())
        for block in lines(*_calendar(clause), title=f"{name}{': for all who have no calendar of their own' if position == 0 else ''}")
    )
    return Section("calendars", "Working hours", tuple(blocks))


def _calendar(clause: Any) -> Iterator[Line]:
    calendar = WorkingCalendar.from_clause(clause)
    yield from (told(opening, f"{days}:") for days, opening in _week(calendar))
    yield Line(calendar.timezone.key, "Time zone:")
    closed = calendar.closed_on
    if closed.country:
        part = f", {closed.subdivision}" if closed.subdivision else ""
        yield told(f"the public holidays of {closed.country}{part}", "Closed on:")
    if closed.dates or closed.yearly:
        yield Line(say.listed(closed_dates(closed)), "Closed on:")
    for when, opening in calendar.special_days:
        yield told(hours(opening), f"{say.day(when)}:")


def _week(calendar: WorkingCalendar) -> Iterator[tuple[str, str]]:
    """The weekly hours, days that are alike together."""
    for opening, days in groupby(zip(DAYS, calendar.weekly, strict=True), key=lambda one: one[1]):
        names = [name for name, _ in days]
        yield f"{names[0]}{f' to {names[-1]}' if len(names) > 1 else ''}", hours(opening)


def week_in_words(calendar: WorkingCalendar) -> str:
    """The weekly hours in one line."""
    return "; ".join(f"{days} {opening}" for days, opening in _week(calendar))


def closed_dates(closed: ClosedDays) -> list[str]:
    """The single days, and those of every year, on which nobody works."""
    return [*map(say.day, sorted(closed.dates)), *(f"{day} {_MONTHS[month - 1]} of every year" for month, day in sorted(closed.yearly))]


_MONTHS = "January February March April May June July August September October November December".split()


def hours(opening: tuple[Interval, ...]) -> str:
    """Opening hours of a day: 09:00 to 12:30 and 13:30 to 17:30; closed for none."""
    return say.listed(f"{_clock(opens)} to {_clock(closes)}" for opens, closes in opening) or "closed"


def _clock(seconds: int) -> str:
    day, rest = divmod(seconds, 24 * 60 * 60)
    minutes, left = divmod(rest, 60)
    words = f"{minutes // 60:02}:{minutes % 60:02}{f':{left:02}' if left else ''}"
    return "24:00" if day and not rest else f"{words}{' of the next day' if day else ''}"


def legs(agreement: Agreement) -> Section:
    """The hands that a lead passes through, each with its teams and clocks."""
    blocks: list[Lines] = []
    for number, leg in enumerate(agreement.legs):
        teams = [f"{one.team} {'when ' + say.condition(one.when) if one.when.tests else 'for every other lead'}" for one in leg.segments]
        where = "The teams of the routing above" if not teams else "; ".join(teams)
        before = "what qualifies." if number == 0 else f"what {agreement.legs[number - 1].name} has made an SQL."
        blocks += lines(told(before, "Takes:"), Line(f"{where}.", "Teams:"), *limits_of_leg(leg), title=leg.name)
    return Section("legs", "Through whose hands a lead goes", tuple(blocks))

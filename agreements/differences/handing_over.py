"""Who gets a lead and by when, as statements: tiers, calendars, routing, clocks, legs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agreements.calendar.working_time import WorkingCalendar
from agreements.clauses.clocks import LEG_CLOCK_NAMES
from agreements.differences.kinds import clause_of, why_of
from agreements.differences.leaves import condition, leaf, members, question
from agreements.differences.tree import Item, Items, Parts, Statement, Value, Week
from agreements.model import Agreement, Clock, Leg, Rung
from agreements.wording import clocks as ladders
from agreements.wording import handing_over
from agreements.wording import vocabulary as say
from agreements.wording.document import Line
from agreements.words import CLOCK_NAMES, ClockName


def tiers(agreement: Agreement) -> Statement:
    """State each tier by its name; their order counts. A tier that names no channels has those of `notify`."""
    found = []
    for tier in agreement.tiers:
        label = f"tier {tier.name}"
        over = members(f"{label} channels", tier.channels or agreement.notify.channels)
        told = clause_of(
            label,
            tier,
            words=_short(handing_over.tier_line(tier)),
            when=condition(label, tier.when),
            channels=Parts(over.label, over.parts, over.words, inherited=not tier.channels),
            why=why_of(label, tier.why),
        )
        found.append(Item((tier.name,), told))
    return Items("tiers", tuple(found), ordered=True)


def _short(line: Line) -> str:
    """Return a line of the contract as the rest of a sentence."""
    return f"{line.words[:1].lower()}{line.words[1:]}".rstrip(".")


def calendars(agreement: Agreement) -> Statement:
    """State each calendar by its hours and holidays, and the default calendar for people without one."""
    found: dict[Any, Statement] = {name: _calendar(name, clause) for name, clause in agreement.calendars.items()}
    for first in list(agreement.calendars)[:1]:
        found["first",] = leaf("calendar of all who have none of their own", first)
    return Parts("calendars", found)


def _calendar(name: str, clause: Any) -> Parts:
    calendar, label = WorkingCalendar.from_clause(clause), f"calendar {name}"
    told: dict[Any, Statement] = {"timezone": leaf(f"{label} time zone", calendar.timezone.key)}
    told["week"] = Week(label, tuple(zip(handing_over.DAYS, map(handing_over.hours, calendar.weekly), strict=True)))
    for when, opening in calendar.special_days:
        told[when] = Value(f"{label} on {say.day(when)}", handing_over.hours(opening), opening)
    closed = calendar.closed_on
    told["country"] = leaf(f"{label} public holidays", " ".join(filter(None, (closed.country, closed.subdivision))))
    told["dates"] = members(f"{label} closed on", tuple(handing_over.closed_dates(closed)))
    return Parts(label, told, handing_over.week_in_words(calendar))


def routing(agreement: Agreement) -> Statement:
    """State each segment by its team; their order counts."""
    rules = agreement.routing
    found = []
    for one in rules.segments:
        label = f"segment {one.team}"
        words = _short(handing_over.segment_line(one))
        told = clause_of(label, one, words=words, when=condition(label, one.when), why=why_of(label, one.why))
        found.append(Item(((one.team, question(one.when)), one.team), told))
    return clause_of("", rules, segments=Items("segments", tuple(found), ordered=True), capacity=clause_of("capacity", rules.capacity))


def clocks(agreement: Agreement) -> Statement:
    """State every clock."""
    return Parts("clocks", {name: _clock(name, agreement.clocks.named(name)) for name in CLOCK_NAMES})


def _clock(name: ClockName, clock: Clock, *, leg: str = "", inherited: bool = False) -> Parts:
    """State a clock: its times by tier (a tier that is not named has the time of `normal`), and its ladder rung by rung.

    leg: the name of the leg, empty for the agreement's clocks.
    """
    of = say.plain(name)
    label = f"{leg} {of}".strip()
    start, ends = ladders.runs(name, clock)
    ladder = Items(label, tuple(_rung(label, one) for one in clock.when_missed), ordered=True)
    none = leaf("", None)
    told = clause_of(
        label,
        clock,
        from_=leaf(f"{label} from", start),
        to=members(f"{label} until", ends),
        within=_by_tier(leg, of, clock.within, none),
        total=_by_tier(leg, f"{of} in all", clock.total, none),
        calendar=leaf(f"{label} calendar", "rep" if clock.calendar == "holder" else clock.calendar),
        at=Parts(label, {share: leaf(f"{label} at {share}%", action, name=True) for share, action in clock.at.items()}),
        when_missed=ladder,
        why=why_of(label, clock.why),
    )
    return Parts(label, told.parts, say.by_tier(clock.within), inherited=inherited)


def _by_tier(leg: str, what: str, terms: Mapping[str, Any], none: Value) -> Parts:
    told = {tier: leaf(f"{leg} {tier} {what}".strip(), term) for tier, term in terms.items()}
    return Parts(what, told, otherwise=told.get("normal", none))


def _rung(label: str, rung: Rung) -> Item:
    name = f"{label} missed: {say.plain(rung.do)}"
    return Item((rung.do,), clause_of(name, rung, words=ladders.rung(rung)))


def legs(agreement: Agreement) -> Statement:
    """State each leg by its name; their order counts."""
    found = (Item((leg.name,), _leg(agreement, number, leg)) for number, leg in enumerate(agreement.legs))
    return Items("legs", tuple(found), ordered=True)


def _leg(agreement: Agreement, number: int, leg: Leg) -> Parts:
    label = f"leg {leg.name}"
    teams = []
    for one in leg.segments:
        team = f"{label} team {one.team}"
        told = clause_of(team, one, words=say.condition(one.when, otherwise="every other lead"), when=condition(team, one.when))
        teams.append(Item(((one.team, question(one.when)), one.team), told))
    own = {
        name: _clock(name, agreement.clock(name, number), leg=label, inherited=getattr(leg.clocks, name) is None)
        for name in LEG_CLOCK_NAMES
    }
    parts: dict[Any, Statement] = {"segments": Items(f"{label} teams", tuple(teams), ordered=True), "clocks": Parts(label, own)}
    words = f"teams {', '.join(one.team for one in leg.segments)}" if leg.segments else "the teams of the routing"
    return Parts(label, {"name": leaf(label, leg.name), **parts}, words)

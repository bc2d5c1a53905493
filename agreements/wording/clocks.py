"""The clocks in words: their times by tier, and what happens at shares of the time and after a miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agreements.clauses.clocks import LEG_CLOCK_NAMES, RUNS
from agreements.clauses.handover import ALWAYS_AWAKE
from agreements.model import Agreement, Clock, Leg, Rung
from agreements.wording import vocabulary as say
from agreements.wording.document import Line, Section, Table, Text, lines, told
from agreements.words import CLOCK_NAMES, ClockName

_DOES = {
    "remind": "the owner of the clock is reminded",
    "tell-manager": "the manager is told",
    "tell-marketing-ops": "marketing operations is told",
    "reassign": "the lead goes to another rep",
    "default-acceptor": "the default acceptor gets the lead",
    "manager-decides": "the manager decides",
    "nurture": "the lead goes back to nurture",
    "disqualify": "the lead is disqualified",
}


def clocks(agreement: Agreement) -> Section:
    """Return a table of every clock by tier, then each clock in sentences."""
    details = (
        block
        for name in CLOCK_NAMES
        for block in lines(*_details(name, agreement.clocks.named(name), agreement.prospect_hours), title=title(name))
    )
    return Section("clocks", "The clocks", (_table(agreement), Text(_ABOUT_TIME), *details))


_ABOUT_TIME = (
    "Working minutes, hours and days count only while the calendar is open. Plain hours and days also count at night. "
    "One working day runs to the same point of the next working day."
)


def title(name: ClockName) -> str:
    """Return a clock's name: First attempt."""
    return say.plain(name).capitalize()


def tiers_named(agreement: Agreement) -> tuple[str, ...]:
    """Return the tiers for which some clock has its own time, in the order of the file; `normal` is last."""
    told = {tier for name in CLOCK_NAMES for clock in [agreement.clocks.named(name)] for tier in (*clock.within, *clock.total)}
    known = [tier.name for tier in agreement.tiers]
    ordered = [*(name for name in known if name in told), *sorted(told - set(known))]
    return (*(name for name in ordered if name != "normal"), "normal")


def _table(agreement: Agreement) -> Table:
    tiers = tiers_named(agreement)
    heads = tiers if len(tiers) > 1 else ("within",)
    rows = []
    for name in CLOCK_NAMES:
        clock = agreement.clocks.named(name)
        start, ends = runs(name, clock)
        rows.append(
            (
                title(name),
                say.party(clock.owed_by),
                say.plain(start),
                say.listed(map(say.plain, ends), "or"),
                *(str(clock.term(tier)) for tier in tiers),
            )
        )
    return Table(("clock", "owed by", "from", "until", *heads), tuple(rows))


def runs(name: ClockName, clock: Clock) -> tuple[str, tuple[str, ...]]:
    """Say from which event a clock counts, and which events end it."""
    start, ends = RUNS.get(name, ("", ()))
    return clock.from_ or start, clock.to or ends


def _details(name: ClockName, clock: Clock, hours: str = ALWAYS_AWAKE) -> Iterator[Line]:
    yield from _counting(clock)
    yield from _leeway(clock)
    if name == "first_attempt" and hours != ALWAYS_AWAKE:
        side = "the rep is at work and " if clock.calendar else ""
        moved = f"a call that would be due at another hour moves to the next hour in which {side}the lead is awake, {_grace(clock)}"
        yield told(f"from {hours} on the lead's own clock. {say.sentence(moved)} {_UNSHARED}", "Awake is a lead:")
    if clock.at:
        yield told("; ".join(f"at {share}% {_DOES[action]}" for share, action in sorted(clock.at.items())) + ".", "Before it is due:")
    yield told(ladder(clock.when_missed), "If it is missed:")
    if clock.why:
        yield Line(clock.why, "Why:")


#: What happens where the rule has no answer.
_UNSHARED = (
    "The lead's zone is what the lead told, or follows from its country and telephone number. Where several zones are possible, the lead"
    " counts as awake when it is day in all of them, or else in one. If the zone is unknown, or if the two never share an hour, the time"
    " stays as it is, and the lead's page says so."
)


def _grace(clock: Clock) -> str:
    requested = clock.respect_requested_time
    time = requested.tolerance if requested else clock.at_least
    return f"and is due {time} later" if time else "and has its full time from then"


def _counting(clock: Clock) -> Iterator[Line]:
    if clock.calendar:
        whose = (
            "the calendar of the clock's owner" if clock.calendar in ("rep", "holder") else f"calendar {clock.calendar}, for every owner"
        )
        yield told(f"on {whose}.", "Counted:")
    if clock.total:
        yield told(f"{say.by_tier(clock.total)}, however often the lead changes hands.", "Over all reps:")
    kept = "gets the full time again" if clock.on_reassign == "restart" else "gets the time that is left"
    if clock.on_reassign != "restart" or any(rung.do == "reassign" for rung in clock.when_missed):
        yield told(f"the next rep {kept}.", "If another rep takes over:")
    if clock.pauses:
        yield told(f"{say.listed(_PAUSES.get(one, say.plain(one)) for one in clock.pauses)}.", "Paused:")


_PAUSES = {"fix_note": "while marketing corrects the note"}


def _leeway(clock: Clock) -> Iterator[Line]:
    if clock.at_least:
        yield told(f"{clock.at_least} from the acceptance, however late the acceptance was.", "The rep has at least:")
    if clock.respect_requested_time is not None:
        moves = clock.calendar and clock.respect_requested_time.outside_hours == "next-opening"
        then = "due at that time (outside working hours at the next opening)," if moves else "due at that time,"
        yield told(f"{then} plus {clock.respect_requested_time}, and not before that time.", "If the lead asks for a time:")
    if clock.touches.at_least or clock.touches.channels != 1:
        yield told(f"at least {say.touches(clock.touches)}.", "Before a lead counts as out of reach:")
    if clock.check_in:
        yield told(f"{say.plain(clock.check_in)} to the owner of the clock.", "Check-in:")


def ladder(rungs: Sequence[Rung]) -> str:
    """Say in one sentence what follows a miss, rung by rung."""
    return say.sentence("; then ".join(map(rung, rungs)))


def rung(one: Rung) -> str:
    """Return one rung in words: after another 4 working hours the lead goes to another rep, up to twice."""
    after = f"{say.later(one.after)} " if one.after else ""
    often = f", up to {say.times(one.at_most)}" if one.at_most > 1 else ""
    track = f" (track {one.track})" if one.track else ""
    return f"{after}{_DOES[one.do]}{track}{often}"


def limits_of_leg(leg: Leg) -> Iterator[Line]:
    """Return the leg's own clocks in words."""
    for name in LEG_CLOCK_NAMES:
        clock = getattr(leg.clocks, name)
        if clock is not None:
            start, ends = runs(name, clock)
            span = f"owed by {say.party(clock.owed_by)} from {start} until {say.listed(ends, 'or')}, {say.by_tier(clock.within)}."
            more = (f"{line.name} {line.words}" for line in _details(name, clock))
            yield told(" ".join([span, *more]), f"{title(name)} for this leg:")

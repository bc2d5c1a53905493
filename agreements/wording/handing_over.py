"""Who gets a lead, and by which messages, in words: tiers, routing, proof, working hours, legs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from agreements.calendar.opening_hours import Interval
from agreements.calendar.working_time import ClosedDays, WorkingCalendar
from agreements.model import Agreement, Proves, SameCompany, Segment, Tier
from agreements.wording import vocabulary as say
from agreements.wording.clocks import limits_of_leg
from agreements.wording.document import Line, Lines, Section, Text, lines, told
from agreements.words import OUTCOMES, Outcome

#: The days of a week in a calendar's order.
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STRATEGIES = {
    "": "as the segment says",
    "round-robin": "each rep of the team in turn",
    "weighted-round-robin": "each rep of the team in turn, by weight",
    "least-open": "the rep of the team with the fewest open leads",
}
_OPEN = {"assigned": "assigned", "accepted-untouched": "accepted but not yet contacted", "working": "in progress"}
_AWAY = {
    "hold": "the lead waits until somebody is back",
    "on-call-or-hold": "the rep on call gets the lead; if nobody is on call, the lead waits until somebody is back",
    "route-anyway": "the next rep in turn still gets the lead",
    "default-acceptor": "the default acceptor gets the lead",
}
_LEAVE = {
    "somebody-else": "another rep gets the lead",
    "deputy": "the deputy gets the lead; without a deputy the manager decides",
    "manager-decides": "the manager decides",
    "keep": "the lead stays with the rep, whose clock stands until then",
}
_FULL = {"manager": "the team's manager decides", "route-anyway": _AWAY["route-anyway"], "default-acceptor": _AWAY["default-acceptor"]}


def tiers(agreement: Agreement) -> Section:
    """List the tiers, in the order in which they are tested."""
    asked = lines(*(tier_line(tier) for tier in agreement.tiers), numbered=True)
    return Section("tiers", "Tiers: which leads go faster", (Text("The first tier that matches counts."), *asked))


def tier_line(tier: Tier) -> Line:
    """Return one tier in words: which leads, on which channels, how they are given out."""
    parts = [f"when {say.condition(tier.when)}" if tier.when.tests else "every lead that is not in a tier above"]
    parts.append(f"told over {say.listed(tier.channels)}" if tier.channels else "told over the usual channels")
    if tier.routing == "first-to-claim":
        several = "every rep" if tier.told == "all" else f"{tier.told} reps"
        parts.append(f"{several} at work and with room are asked at once, and the first to accept has it")
    elif tier.routing:
        parts.append(f"given out {_STRATEGIES[tier.routing]}")
    if tier.told != Tier.model_fields["told"].default and tier.routing != "first-to-claim":
        parts.append(f"`told: {tier.told}` is not used, because one rep gets the lead")
    if tier.release:
        parts.append(f"released at most {tier.release}")
    if tier.prefer == "turn":
        parts.append("given to whose turn it is, at work or not")
    return told(f"{'; '.join(parts)}{say.because(tier.why)}.", f"{tier.name}:")


def routing(agreement: Agreement) -> Section:
    """Say which team and which rep get a lead, and what happens when nobody can."""
    rules = agreement.routing
    counted = say.listed((_OPEN[one] for one in rules.capacity.open_means), "or")
    first = f" {say.sentence(f'{rules.on_call} is asked first')}" if rules.on_call else ""
    answers = lines(
        Line(f"{rules.capacity.per_rep} leads that are {counted}, unless the roster says otherwise.", "A rep is full with:"),
        told(f"{_AWAY[rules.everyone_away]}.{first}", "Everyone away:"),
        told(f"{_FULL[rules.everyone_full]}.", "Everyone full:"),
        told(
            f"a lead without an answer: {_LEAVE[rules.on_leave.assigned]}. An accepted lead: {_LEAVE[rules.on_leave.accepted]}."
            f" A lead in progress: {_LEAVE[rules.on_leave.working]}."
            + (" A lead that nobody has worked on meanwhile comes back to the rep afterwards." if rules.on_leave.back_after else ""),
            "When a rep goes on leave:",
        ),
        told(
            f"leads that come while nobody is at work go to the rep who can come to them first, at {rules.overnight_pace} for each lead"
            " that waits. Their times begin one after another in this pace, urgent tiers first."
            if rules.overnight_pace
            else "leads that come while nobody is at work go to a rep who opens first, and the times of all begin at the opening.",
            "Overnight:",
        ),
        told(f"{_same_company(rules.same_company)}.", "Colleagues:"),
        Line(f"{rules.default_acceptor}, who also gets every lead that matches no segment.", "Default acceptor:"),
    )
    asked = lines(*map(segment_line, rules.segments), title="Which team (the first match counts)", numbered=True)
    return Section("routing", "Who gets a lead", (*asked, *answers))


def _same_company(rules: SameCompany) -> str:
    if rules.to == "by-turn":
        return "the colleague of a person whom a rep has goes to whose turn it is"
    return (
        f"a lead goes to the rep who has a colleague of the same company, or had one within {rules.within}. It goes by turn if this"
        f" rep is away or full, does not serve the lead, or opens more than {rules.waits} later than the first who could take it."
        " The same company means the same e-mail domain, which is never one of free mail"
    )


def segment_line(one: Segment) -> Line:
    """Return one segment in words: which leads, and how they go round the team."""
    leads = f"when {say.condition(one.when)}" if one.when.tests else "every other lead"
    return told(f"{leads}; {_STRATEGIES[one.strategy]}{say.because(one.why)}.", f"{one.team}:")


#: What proves that the rep was told, by the word of the agreement.
_COUNTS: Mapping[Proves, str] = {
    "rep": "messages to the rep on channels that people read",
    "manager": "messages to somebody else, such as the manager",
    "unread": "messages on channels that nobody reads",
}


def notification(agreement: Agreement) -> Section:
    """Say how many channels must confirm that the rep got the message, and how long an answer may be undone."""
    rules = agreement.notify
    over = f"Told over {say.listed(rules.channels)}."
    channels = f"{say.count(rules.confirmed_on, 'channel')} {'proves' if rules.confirmed_on == 1 else 'prove'}"
    proof = f"The rep's clock starts when {channels} that the rep was told. The proof must come within {rules.within}."
    counted = f"What counts: {say.listed(_COUNTS[one] for one in rules.proof.counts)}."
    others = "" if "manager" in rules.proof.counts else " A message to the manager does not prove that the rep was told."
    fallback = f" If that fails, Baton also uses {say.listed(rules.fallback)}." if rules.fallback else " There is no fallback."
    undo = f"The rep can take an answer back for {rules.undo}. Baton tells nobody else before then."
    bounce = f"An e-mail counts as arrived when the mail server accepts it and it does not bounce for {rules.no_bounce_for}."
    return Section("notify", "Proof that the rep was told", lines(f"{over} {proof}{fallback}", f"{counted}{others}", bounce, undo))


def attention(agreement: Agreement) -> Section:
    """Say which leads interrupt, and where everything else appears."""
    tiers = [name for name in agreement.attention.interrupt if name in {tier.name for tier in agreement.tiers}]
    rest = "one digest for each person, at the start of each working day"
    if not tiers:
        words = f"Reminders, warnings and check-ins interrupt nobody. They go into {rest}."
    else:
        words = f"Reminders and warnings about leads of tier {say.listed(tiers, 'or')} are sent right away. All others go into {rest}."
    always = "New leads and requests for a decision or a note are always sent right away."
    rule = agreement.on_activity
    asks = told(
        f"{_ACTIVITY[rule.fast_lane]}. Anything else that the lead does {_ELSE[rule.other]}.", "A request by a lead that a rep has:"
    )
    return Section("attention", "What interrupts", lines(words, always, _outcomes(agreement), asks))


def _outcomes(agreement: Agreement) -> Line:
    now = [OUTCOME_WORDS[one] for one in OUTCOMES if one in agreement.attention.tell_marketing]
    others = "Marketing reads the other outcomes in its digest" if now else "Marketing reads all outcomes in its digest"
    at_once = f"marketing gets a message right away when {say.listed(now, 'or')}. " if now else ""
    late = "An answer that could then be disputed for less than 8 hours is sent right away"
    return told(f"{at_once}{others}, at the start of each working day. {late}.", "What became of a lead:")


#: When marketing gets a message about a lead, by the outcome.
OUTCOME_WORDS: Mapping[Outcome, str] = {
    "opportunity": "the lead becomes an opportunity",
    "sql": "sales qualifies the lead and hands it on",
    "accepted": "sales accepts the lead",
    "returned": "sales returns the lead",
    "rejected": "sales rejects the lead",
    "dispute-settled": "a dispute is settled",
}

#: What becomes of a request by a lead that a rep has, and of anything else that the lead does.
_ACTIVITY = {
    "raise-tier": "the lead gets the tier of the request if it is higher, its clocks run from then, and the rep gets a message right away",
    "tell": "the rep gets a message right away, and tier and clocks stay",
    "digest": "it goes into the rep's next digest",
    "page": "it is on the lead's page",
}
_ELSE = {"digest": "goes into the rep's next digest", "page": "is on the lead's page"}


def calendars(agreement: Agreement) -> Section:
    """Return the opening hours of each calendar in words."""
    blocks = (
        block
        for position, (name, clause) in enumerate(agreement.calendars.items())
        for block in lines(*_calendar(clause), title=f"{name}{': for everybody without their own calendar' if position == 0 else ''}")
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
    """Return the weekly hours. Days with the same hours share a line."""
    for opening, days in groupby(zip(DAYS, calendar.weekly, strict=True), key=lambda one: one[1]):
        names = [name for name, _ in days]
        yield f"{names[0]}{f' to {names[-1]}' if len(names) > 1 else ''}", hours(opening)


def week_in_words(calendar: WorkingCalendar) -> str:
    """Return the weekly hours in one line."""
    return "; ".join(f"{days} {opening}" for days, opening in _week(calendar))


def closed_dates(closed: ClosedDays) -> list[str]:
    """Return the single days, and the days of every year, on which nobody works."""
    return [*map(say.day, sorted(closed.dates)), *(f"{day} {_MONTHS[month - 1]} every year" for month, day in sorted(closed.yearly))]


_MONTHS = "January February March April May June July August September October November December".split()


def hours(opening: tuple[Interval, ...]) -> str:
    """Return a day's opening hours in words: 09:00 to 12:30 and 13:30 to 17:30; closed for none."""
    return say.listed(f"{_clock(opens)} to {_clock(closes)}" for opens, closes in opening) or "closed"


def _clock(seconds: int) -> str:
    day, rest = divmod(seconds, 24 * 60 * 60)
    minutes, left = divmod(rest, 60)
    words = f"{minutes // 60:02}:{minutes % 60:02}{f':{left:02}' if left else ''}"
    return "24:00" if day and not rest else f"{words}{' of the next day' if day else ''}"


def legs(agreement: Agreement) -> Section:
    """List the legs of the handover, each with its teams and clocks."""
    blocks: list[Lines] = []
    for number, leg in enumerate(agreement.legs):
        teams = [f"{one.team} {'when ' + say.condition(one.when) if one.when.tests else 'for every other lead'}" for one in leg.segments]
        where = "The teams under “Who gets a lead”" if not teams else "; ".join(teams)
        before = "every qualified lead." if number == 0 else f"every lead that {agreement.legs[number - 1].name} has made an SQL."
        blocks += lines(told(before, "Takes:"), Line(f"{where}.", "Teams:"), *limits_of_leg(leg), title=leg.name)
    return Section("legs", "Legs: one team after another", tuple(blocks))

"""The clauses about who gets a lead, and by which messages: tiers, routing, channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from agreements.calendar.durations import Duration
from agreements.calendar.opening_hours import Week, intervals_of
from agreements.calendar.problems import CalendarError
from agreements.clauses.base import ACondition, AnElapsed, Clause, Name, shown
from agreements.clauses.looks import RELEASE
from agreements.criteria import Condition
from agreements.words import DISPUTABLE, ChannelName, Outcome

#: Channels on which a rep can get messages -> what each reaches.
CHANNELS: Mapping[ChannelName, str] = {
    "crm": "the rep's list in the CRM",
    "email": "the rep's address",
    "chat": "the rep's chat",
    "manager-email": "the address of the rep's manager",
    "sms": "the rep's phone",
    "webhook": "the company's own system",
}
if TYPE_CHECKING:
    Channel = ChannelName
else:  # read as any text: a check names an unknown channel together with the one that is nearest
    Channel = Annotated[str, WithJsonSchema({"enum": list(CHANNELS)})]
_RELEASE = re.compile(r"(\d{1,4}) (?:per|a) rep (?:per|a) working day")


@dataclass(frozen=True, slots=True)
class Release:
    """How fast a tier's leads are given out: how many each rep gets in a working day of that rep's calendar."""

    per_rep: int

    def __str__(self) -> str:
        return f"{self.per_rep} per rep per working day"


def _release(value: Any) -> Any:
    if value is None or isinstance(value, Release):
        return value
    found = _RELEASE.fullmatch(" ".join(str(value).split()))
    if found is None or not int(found[1]):
        raise ValueError(f"{shown(value)} is no release plan; write '10 per rep per working day'")
    return Release(int(found[1]))


#: How a rep is chosen among those who can take a lead.
Strategy = Literal["round-robin", "weighted-round-robin", "least-open"]
#: Whether somebody who is at work now goes before somebody who is not, or the turn counts alone.
Prefer = Literal["open", "turn"]


#: The most reps that are asked at once about one lead.
ALL_AT_ONCE = 50


class Tier(Clause):
    """A class of leads with its own time limits and channels. The first match counts.

    prefer: `open` gives a lead to somebody who is at work, else to whoever opens first; `turn` to whose turn it is. told: how many
    reps at work are asked at once where the first to accept has the lead.
    """

    name: Name
    when: ACondition = Condition()
    channels: tuple[Channel, ...] = ()
    routing: Literal["", "round-robin", "first-to-claim"] = ""
    told: Annotated[int, Field(ge=2, le=50)] | Literal["all"] = 3
    release: Annotated[Release | None, BeforeValidator(_release), WithJsonSchema(RELEASE)] = None
    prefer: Prefer = "open"
    why: str = ""

    @property
    def asks_at_once(self) -> int:
        """How many reps are asked at once about a lead of this tier; 0 where one rep gets it."""
        if self.routing != "first-to-claim":
            return 0
        return ALL_AT_ONCE if self.told == "all" else self.told


class Segment(Clause):
    """Which team takes which leads."""

    when: ACondition = Condition()
    team: Name
    strategy: Strategy = "round-robin"
    why: str = ""


class Capacity(Clause):
    """How many leads a rep may have open: assigned, or accepted and not yet attempted."""

    open_means: tuple[Literal["assigned", "accepted-untouched", "working"], ...] = ("assigned", "accepted-untouched")
    per_rep: int = Field(default=15, ge=1)


class OnLeave(Clause):
    """What becomes of a rep's leads when an absence begins. A lead for a deputy goes to the manager where nobody stands in.

    back_after: what was handed over and nobody has worked on comes back at the end of the absence.
    """

    assigned: Literal["somebody-else", "deputy", "keep"] = "somebody-else"
    accepted: Literal["deputy", "somebody-else", "manager-decides", "keep"] = "deputy"
    working: Literal["deputy", "somebody-else", "manager-decides", "keep"] = "deputy"
    back_after: bool = False


def _pace(value: Any) -> Any:
    return None if value == "none" else value


class SameCompany(Clause):
    """Whether a colleague of a person whom a rep has, or had within this time, goes to the same rep.

    waits: how much later the rep may be at work than the first of those who could take the lead; a lunch does not part colleagues.
    """

    to: Literal["same-rep", "by-turn"] = "same-rep"
    within: AnElapsed = Duration(30, "days", working=False)
    waits: AnElapsed = Duration(2, "hours", working=False)


class Routing(Clause):
    """Who gets a lead, and what happens when nobody can. on_call: who gets it first when everyone is away.

    overnight_pace: how long a rep has for each of the leads that wait at the opening; None spreads nothing.
    """

    segments: tuple[Segment, ...] = Field(min_length=1)
    capacity: Capacity = Capacity()
    default_acceptor: Name
    on_call: str = ""
    everyone_away: Literal["hold", "on-call-or-hold", "route-anyway", "default-acceptor"] = "hold"
    everyone_full: Literal["manager", "route-anyway", "default-acceptor"] = "default-acceptor"
    on_leave: OnLeave = OnLeave()
    overnight_pace: Annotated[AnElapsed | None, BeforeValidator(_pace, json_schema_input_type=AnElapsed | Literal["none"])] = Duration(
        10, "minutes", working=False
    )
    same_company: SameCompany = SameCompany()


#: Whose messages prove that the rep was told. rep: those to the rep, on channels that people read; manager: also those to somebody
#: else, such as the rep's manager; unread: also those on a channel that nobody reads.
Proves = Literal["rep", "manager", "unread"]


class Proof(Clause):
    """Which messages prove that the rep was told."""

    counts: tuple[Proves, ...] = Field(default=("rep",), min_length=1)


class Notify(Clause):
    """How many channels must confirm an assignment, within which time, and how long an answer may be undone.

    no_bounce_for: how long an e-mail that the mail server took must not come back to count as arrived.
    """

    confirmed_on: int = Field(default=2, ge=1)
    within: AnElapsed = Duration(10, "minutes", working=False)
    channels: tuple[Channel, ...] = ("crm", "email", "chat")
    fallback: tuple[Channel, ...] = ("manager-email",)
    no_bounce_for: AnElapsed = Duration(2, "minutes", working=False)
    undo: AnElapsed = Duration(5, "minutes", working=False)
    proof: Proof = Proof()

    def proving(self, channels: tuple[Channel, ...]) -> set[Channel]:
        """Return the mailboxes of these channels and the fallback whose messages can count as proof.

        A message to the manager counts only where this is agreed. The manager's mailbox is another one than the rep's.
        """
        named = {*channels, *self.fallback}
        return named if "manager" in self.proof.counts else named - {"manager-email"}

    @property
    def bounces_within(self) -> timedelta:
        """How long to wait for a bounce before an e-mail counts as arrived: never longer than `within`."""
        return min(self.no_bounce_for.length, self.within.length)


class OnActivity(Clause):
    """What happens when a lead does something while a rep has it. fast_lane: a request; other: anything else.

    raise-tier: the tier it would get now, if that one stands above its tier, with the clocks of that tier, and a message at once.
    tell: only the message. digest: a line in the rep's next digest. page: only on the page.
    """

    fast_lane: Literal["raise-tier", "tell", "digest", "page"] = "raise-tier"
    other: Literal["digest", "page"] = "digest"


#: The value of `prospect_hours` by which a call may be due at any hour.
ALWAYS_AWAKE = "always"


def _waking_hours(value: Any) -> Any:
    if value != ALWAYS_AWAKE:
        try:
            hours = intervals_of(value, ("prospect_hours",))
        except CalendarError as error:
            raise ValueError(f"{error.problem}; write {error.instead.removesuffix(', or closed')}, or {ALWAYS_AWAKE}") from None
        if not hours:
            raise ValueError("a lead that nobody may ever call gets no call; write hours such as '08:00-20:00', or `always`")
    return value


#: The hours of the day, by the prospect's clock, in which a first call may be due: `08:00-20:00`, or `always`.
ProspectHours = Annotated[str, BeforeValidator(_waking_hours)]


def waking_week(hours: str) -> Week | None:
    """Return these hours for every day of a week, None for always."""
    return None if hours == ALWAYS_AWAKE else (intervals_of(hours, ("prospect_hours",)),) * 7


class Attention(Clause):
    """The tiers whose reminders and warnings are sent at once. For all other tiers they wait for the morning digest.

    tell_marketing: the outcomes that marketing is told at once, by default all that it may dispute; all others are in its morning digest.
    """

    interrupt: tuple[Name, ...] = ("hot",)
    tell_marketing: tuple[Outcome, ...] = DISPUTABLE

"""Who gets a lead and how they are told: tiers, routing, channels, legs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from agreements.calendar.durations import Duration
from agreements.clauses.base import ACondition, AnElapsed, Clause, Name, shown
from agreements.clauses.looks import RELEASE
from agreements.criteria import Condition

#: Over what a rep can be told, and what it reaches.
CHANNELS: Mapping[str, str] = {
    "crm": "the rep's list in the CRM",
    "email": "the rep's address",
    "chat": "the rep's chat",
    "manager-email": "the address of the rep's manager",
    "sms": "the rep's phone",
    "webhook": "a system of the company's own",
}
Channel = Annotated[str, WithJsonSchema({"enum": list(CHANNELS)})]
_RELEASE = re.compile(r"(\d{1,4}) (?:per|a) rep (?:per|a) working day")


@dataclass(frozen=True, slots=True)
class Release:
    """How fast leads of a tier are given out: so many to each rep in a working day of that rep's calendar."""

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


class Tier(Clause):
    """A class of leads with time limits and channels of its own; the first match counts."""

    name: Name
    when: ACondition = Condition()
    channels: tuple[Channel, ...] = ()
    routing: Literal["", "round-robin", "first-to-claim"] = ""
    release: Annotated[Release | None, BeforeValidator(_release), WithJsonSchema(RELEASE)] = None
    why: str = ""


class Segment(Clause):
    """Which team takes which leads."""

    when: ACondition = Condition()
    team: Name
    strategy: Literal["round-robin", "weighted-round-robin"] = "round-robin"
    why: str = ""


class Capacity(Clause):
    """How many leads a rep may have open: assigned, or accepted and not yet attempted."""

    open_means: tuple[Literal["assigned", "accepted-untouched", "working"], ...] = ("assigned", "accepted-untouched")
    per_rep: int = Field(default=15, ge=1)


class Routing(Clause):
    """Who gets a lead, and what happens when nobody can. on_call: who is asked first when everyone is away."""

    segments: tuple[Segment, ...] = Field(min_length=1)
    capacity: Capacity = Capacity()
    default_acceptor: Name
    on_call: str = ""
    everyone_away: Literal["hold", "on-call-or-hold", "route-anyway", "default-acceptor"] = "hold"
    everyone_full: Literal["manager", "route-anyway", "default-acceptor"] = "default-acceptor"


class Notify(Clause):
    """On how many channels an assignment must be proven, within which time, and how long an answer may be undone.

    no_bounce_for: after what time an e-mail that the mail server took has arrived, if it has not come back.
    """

    confirmed_on: int = Field(default=2, ge=1)
    within: AnElapsed = Duration(10, "minutes", working=False)
    channels: tuple[Channel, ...] = ("crm", "email", "chat")
    fallback: tuple[Channel, ...] = ("manager-email",)
    no_bounce_for: AnElapsed = Duration(2, "minutes", working=False)
    undo: AnElapsed = Duration(5, "minutes", working=False)

    @property
    def bounces_within(self) -> timedelta:
        """After what time what may come back has arrived: never later than it must be proven."""
        return min(self.no_bounce_for.length, self.within.length)


class Attention(Clause):
    """For which tiers a reminder or a warning is a message of its own; for all others it waits for the morning digest."""

    interrupt: tuple[Name, ...] = ("hot",)

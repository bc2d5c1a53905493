"""Who gets a lead and how they are told: tiers, routing, channels, legs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from agreements.clauses.base import ACondition, ADuration, Clause, Name
from agreements.criteria import Condition
from agreements.durations import Duration

_RELEASE = re.compile(r"(\d{1,4}) (?:per|a) rep (?:per|a) working day")


@dataclass(frozen=True, slots=True)
class Release:
    """How fast leads of a tier are given out: so many to each rep in a working day of that rep's calendar."""

    per_rep: int

    def __str__(self) -> str:
        return f"{self.per_rep} per rep per working day"


def _release(value: Any) -> Any:
    if isinstance(value, Release):
        return value
    found = _RELEASE.fullmatch(" ".join(str(value).split()))
    if found is None or not int(found[1]):
        raise ValueError(f"{value!r} is no release plan; write '10 per rep per working day'")
    return Release(int(found[1]))


class Tier(Clause):
    """A class of leads with time limits and channels of its own; the first match counts."""

    name: Name
    when: ACondition = Condition()
    channels: tuple[str, ...] = ()
    routing: Literal["", "round-robin", "first-to-claim"] = ""
    release: Annotated[Release | None, BeforeValidator(lambda value: value if value is None else _release(value))] = None
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
    """On how many channels an assignment must be proven, within which time, and how long an answer may be undone."""

    confirmed_on: int = Field(default=2, ge=1)
    within: ADuration = Duration(10, "minutes", working=False)
    channels: tuple[str, ...] = ("crm", "email", "chat")
    fallback: tuple[str, ...] = ("manager-email",)
    undo: ADuration = Duration(5, "minutes", working=False)

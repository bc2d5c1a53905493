"""The clauses about time limits: the clocks, their ladders, and the legs of a handover."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from agreements.calendar.durations import Term
from agreements.clauses import defaults
from agreements.clauses.base import ACondition, AnElapsed, ATerm, Clause, Misfit, Name, Path, nearest, one_of, shown
from agreements.clauses.looks import SHARES
from agreements.criteria import Condition
from agreements.words import Action, ClockName, Nudge

#: What a clock may do while it runs.
NUDGES: tuple[str, ...] = get_args(Nudge)
#: The actions of a rung that change the stage.
ENDINGS: tuple[Action, ...] = ("reassign", "default-acceptor", "manager-decides", "nurture", "disqualify")
#: Clock -> the stage it runs from, and the events that end it. If a file writes `from` or `to`, they must say the same.
RUNS: Mapping[ClockName, tuple[str, tuple[str, ...]]] = {
    "delivery": ("mql", ("assigned",)),
    "acceptance": ("assigned", ("accepted", "rejected")),
    "first_attempt": ("assigned", ("attempted",)),
    "outcome": ("attempted", ("sql", "opportunity", "returned")),
    "note": ("mql", ("documented",)),
    "decision": ("asked", ("decided",)),
}


#: Stages that Baton writes to the CRM, in the company's own words.
CrmStage = Literal["accepted", "rejected", "attempted", "sql", "opportunity", "suppressed"]
CRM_STAGES: tuple[CrmStage, ...] = get_args(CrmStage)
_SHARE = re.compile(r"([1-9]\d?)%")


def _by_tier(value: Any) -> Any:
    return value if isinstance(value, Mapping) or value is None else {"normal": value}


def _shares(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    shares: dict[int, Any] = {}
    problems: list[tuple[Path, str]] = []
    for key, action in value.items():
        if isinstance(key, int):
            shares[key] = action
        elif not (found := _SHARE.fullmatch(str(key).strip())):
            problems.append(((key,), f"{shown(key)} is no share of the clock's time; write a percentage such as '50%'"))
        elif action not in NUDGES:
            problems.append(((key,), f"{shown(action)} is nothing a clock does{nearest(action, NUDGES)}; write {one_of(NUDGES)}"))
        else:
            shares[int(found[1])] = action
    if problems:
        raise Misfit(problems)
    return shares


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class RequestedTime(Clause):
    """What a contact time that the lead asked for changes: the first attempt is due then, plus the tolerance.

    outside_hours: a time at which the rep is closed moves to the rep's next opening, or is kept.
    """

    tolerance: AnElapsed
    outside_hours: Literal["next-opening", "keep"] = "next-opening"

    def __str__(self) -> str:
        return str(self.tolerance)


def _tolerance(value: Any) -> Any:
    return value if value is None or isinstance(value, (Mapping, RequestedTime)) else {"tolerance": value}


class Rung(Clause):
    """One step of a ladder: what to do after a missed clock, after how much more time, and how often."""

    do: Action
    after: ATerm | None = None
    at_most: int = Field(default=1, ge=1, le=20)
    track: str = ""

    @property
    def ends(self) -> bool:
        """Whether the rung changes the stage."""
        return self.do in ENDINGS


class Touches(Clause):
    """How many attempts, on how many channels, must come before a lead may be returned as unreachable."""

    at_least: int = Field(default=0, ge=0)
    channels: int = Field(default=1, ge=1)


def _touches(value: Any) -> Any:
    return {"at_least": value} if isinstance(value, int) and not isinstance(value, bool) else value


ByTier = Annotated[Mapping[str, ATerm], BeforeValidator(_by_tier, json_schema_input_type=ATerm | Mapping[str, ATerm])]


#: Who owes what a clock waits for.
OwedBy = Literal["marketing", "sales", "manager"]


class Clock(Clause):
    """A time limit: who owes it, the time by tier, and what happens at shares of the time and after a miss.

    from, to: what the clock measures. Each clock has one meaning, so a written value must match it.
    calendar: `rep` (or `holder`): the calendar of the person who owes it; a name from `calendars`: that calendar for everybody.
    on_reassign: whether the next rep has the whole time again or only the rest of it.
    pauses: what stops the clock: `fix_note`, while marketing corrects the note.
    """

    owed_by: OwedBy
    from_: str = Field(default="", alias="from")
    to: Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])] = ()
    within: ByTier
    calendar: str = ""
    at_least: ATerm | None = None
    total: ByTier = Field(default_factory=dict)
    on_reassign: Literal["restart", "remainder"] = "restart"
    pauses: tuple[Literal["fix_note"], ...] = ()
    at: Annotated[Mapping[int, Nudge], BeforeValidator(_shares), WithJsonSchema(SHARES)] = Field(default_factory=dict)
    respect_requested_time: Annotated[
        RequestedTime | None, BeforeValidator(_tolerance, json_schema_input_type=AnElapsed | RequestedTime)
    ] = None
    touches: Annotated[Touches, BeforeValidator(_touches, json_schema_input_type=int | Touches)] = Touches()
    check_in: Literal["", "daily-digest"] = ""
    when_missed: tuple[Rung, ...] = Field(min_length=1)
    why: str = ""

    @model_validator(mode="after")
    def _has_normal(self) -> Clock:
        what = "has no time for tier 'normal', which counts for every tier without its own; write one, such as {normal: 4 hours}"
        lacking = [name for name in ("within", "total") if (name == "within" or self.total) and "normal" not in getattr(self, name)]
        if lacking:
            raise Misfit(((name,), what) for name in lacking)
        return self

    def term(self, tier: str) -> Term:
        """Return the agreed time for this tier. A tier that is not named has the time of `normal`."""
        return self.within.get(tier, self.within["normal"])

    def total_term(self, tier: str) -> Term | None:
        """Return the agreed limit over all assignments together, None if there is none."""
        return self.total.get(tier, self.total["normal"]) if self.total else None


def _agreed(name: str) -> Any:
    return Field(default_factory=lambda: Clock.model_validate(defaults.CLOCKS[name]))


class Clocks(Clause):
    """Every clock of the handoff. A clock that the file leaves out is as in `defaults`."""

    delivery: Clock = _agreed("delivery")
    acceptance: Clock = _agreed("acceptance")
    first_attempt: Clock = _agreed("first_attempt")
    outcome: Clock = _agreed("outcome")
    note: Clock = _agreed("note")
    decision: Clock = _agreed("decision")

    def named(self, name: ClockName) -> Clock:
        """Return the clock of that name. Raises KeyError for an unknown name."""
        if name not in type(self).model_fields:
            raise KeyError(name)
        clock: Clock = getattr(self, name)
        return clock


#: The clocks that a further leg may have of its own.
LEG_CLOCK_NAMES: tuple[ClockName, ...] = ("acceptance", "first_attempt", "outcome")


class LegClocks(Clause):
    """The clocks of a further leg. A clock that is not named is the agreement's."""

    acceptance: Clock | None = None
    first_attempt: Clock | None = None
    outcome: Clock | None = None


class LegSegment(Clause):
    """Which team takes which leads in a further leg."""

    when: ACondition = Condition()
    team: Name


class Leg(Clause):
    """One role that works a lead on the way to the opportunity, with its own teams and clocks.

    `routing` assigns the first leg. A further leg is assigned and accepted in the same way, as soon as the leg before it has
    made the lead an SQL. segments: which team takes which leads; empty uses `routing` again.
    """

    name: Name
    segments: tuple[LegSegment, ...] = ()
    clocks: LegClocks = LegClocks()


def leg(value: Any) -> Any:
    """Read a leg, which may be its bare name."""
    return {"name": value} if isinstance(value, str) else value

"""Who owes what by when: the clocks, their ladders, and the legs of a handover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from agreements.clauses.base import ACondition, ADuration, ATerm, Clause, Name
from agreements.criteria import Condition
from agreements.durations import Term

#: What a clock may do while it runs.
NUDGES = ("remind", "tell-manager", "tell-marketing-ops")
#: What a rung may do; those in ENDINGS change the stage.
ENDINGS = ("reassign", "default-acceptor", "manager-decides", "nurture", "disqualify")
#: What each clock measures: the stage it runs from and the ones that end it. Written down, it must say the same.
RUNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "delivery": ("mql", ("assigned",)),
    "acceptance": ("assigned", ("accepted", "rejected")),
    "first_attempt": ("assigned", ("attempted",)),
    "outcome": ("attempted", ("sql", "opportunity", "returned")),
    "note": ("mql", ("documented",)),
    "decision": ("asked", ("decided",)),
}


def _by_tier(value: Any) -> Any:
    return {"normal": value} if isinstance(value, str) else value


def _share(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    shares = {}
    for key, action in value.items():
        text = str(key).strip()
        if not text.endswith("%") or not text[:-1].isdigit() or not 0 < int(text[:-1]) < 100:
            raise ValueError(f"{key!r} is no share of the clock's time; write a percentage such as '50%'")
        shares[int(text[:-1])] = action
    return shares


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _tolerance(value: Any) -> Any:
    return value["tolerance"] if isinstance(value, Mapping) and set(value) == {"tolerance"} else value


class Rung(Clause):
    """One step of a ladder: what is done when a clock was missed, after which further time, and how often."""

    do: Literal["remind", "tell-manager", "tell-marketing-ops", "reassign", "default-acceptor", "manager-decides", "nurture", "disqualify"]
    after: ATerm | None = None
    at_most: int = Field(default=1, ge=1, le=20)
    track: str = ""

    @property
    def ends(self) -> bool:
        """Whether it changes the stage."""
        return self.do in ENDINGS


class Touches(Clause):
    """How often a lead must have been tried before it may be returned as unreachable, and on how many channels."""

    at_least: int = Field(default=0, ge=0)
    channels: int = Field(default=1, ge=1)


def _touches(value: Any) -> Any:
    return {"at_least": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Clock(Clause):
    """A time limit: who owes it, within which time by tier, what happens at shares of it and when it is missed.

    from, to: what the clock measures; each clock has one meaning, and what is written must say the same.
    calendar: `rep` (or `holder`): the calendar of who owes it; a name from `calendars`: that one, whoever owes it.
    on_reassign: whether the next rep has the whole time again or what is left of it.
    pauses: what stops the clock: `fix_note`, while marketing mends the note.
    """

    owed_by: Literal["marketing", "sales", "manager"]
    from_: str = Field(default="", alias="from")
    to: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    within: Annotated[Mapping[str, ATerm], BeforeValidator(_by_tier)]
    calendar: str = ""
    at_least: ATerm | None = None
    total: Annotated[Mapping[str, ATerm], BeforeValidator(_by_tier)] = Field(default_factory=dict)
    on_reassign: Literal["restart", "remainder"] = "restart"
    pauses: tuple[Literal["fix_note"], ...] = ()
    at: Annotated[Mapping[int, Literal["remind", "tell-manager", "tell-marketing-ops"]], BeforeValidator(_share)] = Field(
        default_factory=dict
    )
    respect_requested_time: Annotated[ADuration | None, BeforeValidator(_tolerance)] = None
    touches: Annotated[Touches, BeforeValidator(_touches)] = Touches()
    check_in: Literal["", "daily-digest"] = ""
    when_missed: tuple[Rung, ...] = Field(min_length=1)
    why: str = ""

    @model_validator(mode="after")
    def _has_normal(self) -> Clock:
        for name, terms in (("within", self.within), ("total", self.total)):
            if terms and "normal" not in terms:
                raise ValueError(f"`{name}` has no time for tier 'normal', which every tier that is not named takes")
        return self

    def term(self, tier: str) -> Term:
        """The agreed time for this tier; one that is not named takes that of `normal`."""
        return self.within.get(tier, self.within["normal"])

    def total_term(self, tier: str) -> Term | None:
        """The agreed bound over all assignments together, None where there is none."""
        return self.total.get(tier, self.total["normal"]) if self.total else None


def _clock(owed_by: str, within: str, *rungs: dict[str, Any], **more: Any) -> Clock:
    return Clock.model_validate({"owed_by": owed_by, "within": within, "when_missed": rungs, **more})


class Clocks(Clause):
    """Every clock of the handoff; note and decision have defaults, as few agreements speak of them."""

    delivery: Clock
    acceptance: Clock
    first_attempt: Clock
    outcome: Clock
    note: Clock = Field(
        default_factory=lambda: _clock("marketing", "12 hours", {"do": "tell-marketing-ops"}, {"do": "nurture", "after": "2 days"})
    )
    decision: Clock = Field(
        default_factory=lambda: _clock("manager", "2 working days", {"do": "nurture", "track": "unworked"}, calendar="rep")
    )

    def named(self, name: str) -> Clock:
        """The clock of that name. Raises KeyError for none."""
        if name not in type(self).model_fields:
            raise KeyError(name)
        clock: Clock = getattr(self, name)
        return clock


class LegClocks(Clause):
    """The clocks of a further leg; one that is not named is that of the agreement."""

    acceptance: Clock | None = None
    first_attempt: Clock | None = None
    outcome: Clock | None = None


class LegSegment(Clause):
    """Which team takes which leads in a further leg."""

    when: ACondition = Condition()
    team: Name


class Leg(Clause):
    """One hand that a lead passes through on the way to the opportunity, with its own teams and clocks.

    The first leg takes what `routing` gives it; a further one is assigned and accepted by the same means when the leg
    before it has made the lead an SQL. segments: whose teams; empty asks `routing` again.
    """

    name: Name
    segments: tuple[LegSegment, ...] = ()
    clocks: LegClocks = LegClocks()


def leg(value: Any) -> Any:
    """A leg may be written as its bare name."""
    return {"name": value} if isinstance(value, str) else value

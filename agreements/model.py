"""What an agreement says, as frozen values. Reading the file is in loading.py, what must fit together in checks.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from agreements.criteria import Condition, condition
from agreements.durations import Duration, Term, parse_term
from agreements.working_time import WorkingCalendar


def _term(value: Any) -> Any:
    return parse_term(value) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    term = _term(value)
    if not isinstance(term, Duration):
        raise ValueError(f"{value!r} is no duration; write a number and a unit, as in '60 days'")
    return term


def _by_tier(value: Any) -> Any:
    return {"normal": value} if isinstance(value, str) else value


def _condition(value: Any) -> Any:
    return condition(value) if isinstance(value, Mapping) else value


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


ATerm = Annotated[Term, BeforeValidator(_term)]
ADuration = Annotated[Duration, BeforeValidator(_duration)]
ACondition = Annotated[Condition, BeforeValidator(_condition)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Clause(BaseModel):
    """A part of the agreement: frozen, and refusing what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


class Effective(Clause):
    """From which day on (in the agreement's zone) new leads run under this version."""

    from_: date = Field(alias="from")
    until: date | None = None


class Persona(Clause):
    """Who buys which product, and what hurts them."""

    name: Name
    product: str = ""
    pain_points: tuple[str, ...] = ()
    match: ACondition


class ScreenRule(Clause):
    """What is sorted out before anything is scored; the first rule that matches counts."""

    when: ACondition
    then: Literal["disqualify", "suppress", "attach", "route"]
    as_: str = Field(default="", alias="as")
    to: str = ""
    tier: str = ""
    why: str = ""


class FitCriterion(Clause):
    """Points for who the lead is: by a condition or by a persona."""

    when: ACondition | None = None
    persona: str = ""
    points: int = Field(ge=-100, le=100)
    why: str = ""

    @model_validator(mode="after")
    def _one_question(self) -> FitCriterion:
        if (self.when is None) == (not self.persona):
            raise ValueError("a fit criterion asks one thing: write either `when: {field: value}` or `persona: name`")
        return self


class LastTouch(Clause):
    """Spoken to within this time."""

    within: ADuration


class EngagementCriterion(Clause):
    """Points for what the lead did: per activity, at most so many, halved after each half life; or for a recent touch."""

    activity: str = ""
    path: str = ""
    points: int = Field(ge=-100, le=100)
    at_most: int | None = Field(default=None, ge=0, le=100)
    half_life: ADuration | None = None
    last_touch: LastTouch | None = None
    why: str = ""

    @model_validator(mode="after")
    def _one_question(self) -> EngagementCriterion:
        if (self.last_touch is None) == (not self.activity):
            raise ValueError("an engagement criterion asks one thing: write either `activity:` or `last_touch: {within: 5 days}`")
        return self


class Threshold(Clause):
    """What makes a marketing-qualified lead: points from 0 to 100 in all, and minimums for either part."""

    total: int = Field(ge=0, le=100)
    fit_at_least: int = Field(default=0, ge=-100, le=100)
    engagement_at_least: int = Field(default=0, ge=-100, le=100)


class ChannelThreshold(Clause):
    """What one entry channel changes of the threshold."""

    total: int | None = Field(default=None, ge=0, le=100)
    fit_at_least: int | None = Field(default=None, ge=-100, le=100)
    engagement_at_least: int | None = Field(default=None, ge=-100, le=100)


class Qualification(Clause):
    """When a lead is ready for sales."""

    fast_lane: tuple[str, ...] = ()
    mql: Threshold
    fit: tuple[FitCriterion, ...] = ()
    engagement: tuple[EngagementCriterion, ...] = ()
    by_channel: Mapping[str, ChannelThreshold] = Field(default_factory=dict)


#: What a handoff note can be made to state.
Statement = Literal["why_qualified", "buying_signal", "next_step", "campaign", "pain_point"]
STATEMENTS: tuple[str, ...] = get_args(Statement)


class Note(Clause):
    """What must be written down before sales is told."""

    must_state: tuple[Statement, ...] = ("why_qualified", "buying_signal", "next_step")
    next_step: str = "Call, find out the need, agree the next meeting."


class Tier(Clause):
    """A class of leads with time limits and channels of its own; the first match counts."""

    name: Name
    when: ACondition = Condition()
    channels: tuple[str, ...] = ()


class Segment(Clause):
    """Which team takes which leads."""

    when: ACondition = Condition()
    team: Name
    strategy: Literal["round-robin"] = "round-robin"


class Capacity(Clause):
    """How many leads a rep may have open: assigned, or accepted and not yet attempted."""

    per_rep: int = Field(default=15, ge=1)


class Routing(Clause):
    """Who gets a lead, and what happens when nobody can."""

    segments: tuple[Segment, ...] = Field(min_length=1)
    capacity: Capacity = Capacity()
    default_acceptor: Name
    everyone_away: Literal["hold", "route-anyway", "default-acceptor"] = "hold"
    everyone_full: Literal["route-anyway", "default-acceptor"] = "default-acceptor"


class Notify(Clause):
    """On how many channels an assignment must be proven, within which time, and how long an answer may be undone."""

    confirmed_on: int = Field(default=2, ge=1)
    within: ADuration = Duration(10, "minutes", working=False)
    channels: tuple[str, ...] = ("crm", "email", "chat")
    fallback: tuple[str, ...] = ("manager-email",)
    undo: ADuration = Duration(5, "minutes", working=False)


#: What a clock may do while it runs.
NUDGES = ("remind", "tell-manager", "tell-marketing-ops")
#: What a rung may do; those in ENDINGS change the stage.
ENDINGS = ("reassign", "default-acceptor", "manager-decides", "nurture", "disqualify")


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


class Clock(Clause):
    """A time limit: who owes it, within which time by tier, what happens at shares of it and when it is missed."""

    owed_by: Literal["marketing", "sales", "manager"]
    within: Annotated[Mapping[str, ATerm], BeforeValidator(_by_tier)]
    calendar: str = ""
    at_least: ATerm | None = None
    total: Annotated[Mapping[str, ATerm], BeforeValidator(_by_tier)] = Field(default_factory=dict)
    on_reassign: Literal["restart"] = "restart"
    at: Annotated[Mapping[int, Literal["remind", "tell-manager", "tell-marketing-ops"]], BeforeValidator(_share)] = Field(
        default_factory=dict
    )
    respect_requested_time: ADuration | None = None
    touches: int = Field(default=0, ge=0)
    when_missed: tuple[Rung, ...] = Field(min_length=1)

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


class Revisit(Clause):
    """When a lead in nurture is looked at again: the date it asked for, else after this time."""

    asked_date_or: ADuration


def _revisit(value: Any) -> Any:
    return {"asked_date_or": value} if isinstance(value, str) else value


class Reason(Clause):
    """Why sales rejects or returns a lead, and what follows."""

    code: Name
    label: str = ""
    then: Literal["nurture", "disqualify", "attach", "merge", "suppress", "hand-to", "fix-note", "marketing-triage"]
    track: str = ""
    revisit: Annotated[Revisit | None, BeforeValidator(_revisit)] = None
    back_to: Literal["same-rep", "other-rep", "anyone"] = "anyone"
    counts_against: Literal["marketing", "routing", "nobody"] = "nobody"
    text: Literal["optional", "required"] = "optional"

    @property
    def words(self) -> str:
        """How people read it."""
        return self.label or self.code.replace("-", " ").capitalize()


class Recycling(Clause):
    """How often and when nurtured leads are looked at again, and what must be new."""

    at_most: int = Field(default=3, ge=0)
    revisit: ADuration = Duration(90, "days", working=False)
    score_rise: int = Field(default=10, ge=1, le=100)


class Agreement(Clause):
    """One version of the contract between marketing and sales.

    All times of day are in `timezone` unless a calendar says otherwise; points run from 0 to 100.
    """

    agreement: Name
    version: int = Field(ge=1)
    effective: Effective
    timezone: str
    default: bool = True
    signers: Mapping[Literal["marketing", "sales"], tuple[str, ...]]
    definitions: Mapping[str, str] = Field(default_factory=dict)
    objectives: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    personas: tuple[Persona, ...] = ()
    screen: tuple[ScreenRule, ...] = ()
    qualification: Qualification
    note: Note = Note()
    tiers: tuple[Tier, ...] = (Tier(name="normal"),)
    calendars: Mapping[str, Mapping[str, Any]] = Field(min_length=1)
    routing: Routing
    notify: Notify = Notify()
    clocks: Clocks
    legs: tuple[Literal["sdr"], ...] = ("sdr",)
    reasons: tuple[Reason, ...] = Field(min_length=1)
    recycling: Recycling = Recycling()
    crm: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)

    @property
    def reference(self) -> str:
        """How people and commands name it: name@version."""
        return f"{self.agreement}@{self.version}"

    @cached_property
    def calendar_values(self) -> Mapping[str, WorkingCalendar]:
        """The calendars, ready to reckon with. Raises CalendarError for a faulty clause."""
        return {name: WorkingCalendar.from_clause(clause) for name, clause in self.calendars.items()}

    def calendar(self, name: str = "") -> WorkingCalendar:
        """The calendar of that name; the first one for a name that is not here."""
        return self.calendar_values.get(name) or next(iter(self.calendar_values.values()))

    def reason(self, code: str) -> Reason | None:
        """The reason with that code, None where the agreement has none such."""
        return next((reason for reason in self.reasons if reason.code == code), None)

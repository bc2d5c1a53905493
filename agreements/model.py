"""What an agreement says, as frozen values. Reading the file is in loading.py, what must fit together in checks.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema

from agreements.calendar.kept_holidays import Resolved, with_resolved
from agreements.calendar.working_time import WorkingCalendar
from agreements.clauses import defaults
from agreements.clauses.after import Dispute, Evidence, InFlight, Needs, Reason, Recycling, Retention, Review, Revisit
from agreements.clauses.aims import Aim, Objectives
from agreements.clauses.base import ACondition, Clause, Name
from agreements.clauses.clocks import ENDINGS, NUDGES, Clock, Clocks, Leg, LegClocks, LegSegment, Rung, Touches, leg
from agreements.clauses.facts import DeclaredField, Persona, ScreenRule
from agreements.clauses.handover import Attention, Capacity, Notify, Release, Routing, Segment, Tier
from agreements.clauses.looks import CALENDAR
from agreements.clauses.scoring import (
    STATEMENTS,
    ChannelThreshold,
    EngagementCriterion,
    FitCriterion,
    LastTouch,
    Note,
    OnChange,
    Qualification,
    SalesSourced,
    Threshold,
)
from agreements.criteria import Condition

# fmt: off
__all__ = [
    "Agreement", "Aim", "Attention", "Capacity", "ChannelThreshold", "Clause", "Clock", "Clocks", "DeclaredField", "Dispute",
    "ENDINGS", "Effective", "EngagementCriterion", "Evidence", "FitCriterion", "InFlight", "LastTouch", "Leg",
    "LegClocks", "LegSegment", "NUDGES", "Name", "Needs", "Note", "Notify", "Objectives", "OnChange", "Persona",
    "Qualification", "Reason", "Recycling", "Release", "Retention", "Review", "Revisit", "Routing", "Rung",
    "STATEMENTS", "SalesSourced", "ScreenRule", "Segment", "Threshold", "Tier", "Touches",
]
# fmt: on


class Effective(Clause):
    """From which day on (in the agreement's zone) new leads run under this version, and until which day it does not any more."""

    from_: date = Field(alias="from")
    until: date | None = None


ALeg = Annotated[Leg, BeforeValidator(leg, json_schema_input_type=Name | Leg)]
ACalendar = Annotated[Mapping[str, Any], WithJsonSchema(CALENDAR)]


def _usual_reasons() -> tuple[Reason, ...]:
    return tuple(Reason.model_validate(one) for one in defaults.REASONS)


def _usual_calendars(data: dict[str, Any]) -> dict[str, Any]:
    return defaults.calendars(data.get("timezone", "UTC"))


class Agreement(Clause):
    """One version of the contract between marketing and sales.

    applies_to: which leads it is for; of the agreements in force exactly one matches a lead, else the one that is `default`.
    All times of day are in `timezone` unless a calendar says otherwise; points run from 0 to 100.
    """

    agreement: Name
    version: int = Field(ge=1)
    effective: Effective
    timezone: str
    applies_to: ACondition = Condition()
    default: bool | None = None
    signers: Mapping[Literal["marketing", "sales"], tuple[str, ...]]
    definitions: Mapping[str, str] = Field(default_factory=dict)
    objectives: Objectives = Objectives()
    fields: Mapping[Name, DeclaredField] = Field(default_factory=dict)
    personas: tuple[Persona, ...] = ()
    screen: tuple[ScreenRule, ...] = ()
    qualification: Qualification
    note: Note = Note()
    tiers: tuple[Tier, ...] = (Tier(name="normal"),)
    calendars: Mapping[str, ACalendar] = Field(default_factory=_usual_calendars, min_length=1)
    routing: Routing
    notify: Notify = Notify()
    attention: Attention = Attention()
    clocks: Clocks = Field(default_factory=Clocks)
    legs: Annotated[tuple[ALeg, ...], Field(min_length=1)] = (Leg(name="sdr"),)
    reasons: tuple[Reason, ...] = Field(default_factory=_usual_reasons, min_length=1)
    dispute: Dispute = Dispute()
    recycling: Recycling = Recycling()
    crm: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    in_flight: InFlight = InFlight()
    retention: Retention = Retention()
    review: Review = Review()
    _holidays: Resolved = PrivateAttr(default_factory=dict)

    @property
    def reference(self) -> str:
        """How people and commands name it: name@version."""
        return f"{self.agreement}@{self.version}"

    @property
    def is_default(self) -> bool:
        """Whether it takes the leads that no other agreement is for; unless it says so itself, when it applies to all."""
        return not self.applies_to.tests if self.default is None else self.default

    @cached_property
    def calendar_values(self) -> Mapping[str, WorkingCalendar]:
        """The calendars, ready to reckon with. Raises CalendarError for a faulty clause."""
        return with_resolved(self.calendars, self._holidays)

    @property
    def holiday_years(self) -> range:
        """The years for which its public holidays are kept when it is published: all in which something may fall due."""
        return range(self.effective.from_.year - 1, self.effective.from_.year + 11)

    def with_holidays(self, resolved: Resolved) -> Self:
        """The same agreement with these public holidays, as `resolved_holidays` gave them when it was published."""
        kept = self.model_copy()
        kept.__dict__.pop("calendar_values", None)  # which this one may have reckoned out already, and a copy takes along
        kept._holidays = resolved
        return kept

    def calendar(self, name: str = "") -> WorkingCalendar:
        """The calendar of that name; the first one for a name that is not here."""
        return self.calendar_values.get(name) or next(iter(self.calendar_values.values()))

    def clock(self, name: str, leg: int = 0) -> Clock:
        """The clock of that name for a leg, counted from 0. Raises KeyError for none."""
        own = getattr(self.legs[leg].clocks, name, None) if leg < len(self.legs) else None
        return own or self.clocks.named(name)

    def interrupts(self, tier: str) -> bool:
        """Whether reminders and warnings about leads of this tier are messages of their own."""
        return tier in self.attention.interrupt

    def reason(self, code: str) -> Reason | None:
        """The reason with that code, None where the agreement has none such."""
        return next((reason for reason in self.reasons if reason.code == code), None)

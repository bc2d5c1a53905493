"""What an agreement says, as frozen values. loading.py reads the file; checks/ finds what does not fit together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, WithJsonSchema

from agreements.calendar.kept_holidays import Resolved, with_resolved
from agreements.calendar.opening_hours import Week
from agreements.calendar.working_time import WorkingCalendar
from agreements.clauses import defaults
from agreements.clauses.after import Dispute, Evidence, InFlight, Needs, Reason, Recycling, Retention, Review, Revisit
from agreements.clauses.aims import Aim, Objectives
from agreements.clauses.base import ACondition, Clause, Name
from agreements.clauses.clocks import ENDINGS, NUDGES, Clock, Clocks, Leg, LegClocks, LegSegment, RequestedTime, Rung, Touches, leg
from agreements.clauses.facts import DeclaredField, Persona, ScreenRule, with_country_codes
from agreements.clauses.handover import (
    Attention,
    Capacity,
    Notify,
    OnActivity,
    OnLeave,
    Prefer,
    Proof,
    ProspectHours,
    Proves,
    Release,
    Routing,
    SameCompany,
    Segment,
    Strategy,
    Tier,
    waking_week,
)
from agreements.clauses.looks import CALENDAR
from agreements.clauses.nurturing import Nurture
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
from agreements.words import ClockName, Party

# fmt: off
__all__ = [
    "Agreement", "Aim", "Attention", "Capacity", "ChannelThreshold", "Clause", "Clock", "Clocks", "DeclaredField", "Dispute",
    "ENDINGS", "Effective", "EngagementCriterion", "Evidence", "FitCriterion", "InFlight", "LastTouch", "Leg",
    "LegClocks", "LegSegment", "NUDGES", "Name", "Needs", "Note", "Notify", "Nurture", "Objectives", "OnActivity", "OnChange", "OnLeave",
    "Persona", "Prefer",
    "Proof", "Proves", "Qualification", "Reason", "Recycling", "Release", "RequestedTime", "Retention", "Review", "Revisit", "Routing",
    "Rung", "STATEMENTS", "SalesSourced", "SameCompany", "ScreenRule", "Segment", "Strategy", "Threshold", "Tier", "Touches",
]
# fmt: on


class Effective(Clause):
    """The first day on which new leads run under this version, and the day from which they no longer do, in the agreement's zone."""

    from_: date = Field(alias="from")
    until: date | None = None


ALeg = Annotated[Leg, BeforeValidator(leg, json_schema_input_type=Name | Leg)]
ACalendar = Annotated[Mapping[str, Any], WithJsonSchema(CALENDAR)]


def _usual_reasons(data: dict[str, Any]) -> tuple[Reason, ...]:
    clocks = data.get("clocks") or Clocks()
    return tuple(Reason.model_validate(one) for one in defaults.reasons(clocks.outcome.touches.at_least))


def _usual_calendars(data: dict[str, Any]) -> dict[str, Any]:
    return defaults.calendars(data.get("timezone", "UTC"))


class Agreement(Clause):
    """One version of the contract between marketing and sales.

    applies_to: which leads it is for. At most one agreement in force matches a lead; the `default` takes the leads that none matches.
    All times of day are in `timezone` unless a calendar says otherwise. Points run from 0 to 100.
    """

    agreement: Name
    version: int = Field(ge=1)
    effective: Effective
    timezone: str
    applies_to: ACondition = Condition()
    default: bool | None = None
    signers: Mapping[Party, tuple[str, ...]]
    definitions: Mapping[str, str] = Field(default_factory=dict)
    objectives: Objectives = Objectives()
    fields: Annotated[Mapping[Name, DeclaredField], AfterValidator(with_country_codes)] = Field(default_factory=dict)
    personas: tuple[Persona, ...] = ()
    screen: tuple[ScreenRule, ...] = ()
    qualification: Qualification
    note: Note = Note()
    tiers: tuple[Tier, ...] = (Tier(name="normal"),)
    calendars: Mapping[str, ACalendar] = Field(default_factory=_usual_calendars, min_length=1)
    routing: Routing
    notify: Notify = Notify()
    attention: Attention = Attention()
    on_activity: OnActivity = OnActivity()
    prospect_hours: ProspectHours = "08:00-20:00"
    clocks: Clocks = Field(default_factory=Clocks)
    legs: Annotated[tuple[ALeg, ...], Field(min_length=1)] = (Leg(name="sdr"),)
    reasons: tuple[Reason, ...] = Field(default_factory=_usual_reasons, min_length=1)
    dispute: Dispute = Dispute()
    recycling: Recycling = Recycling()
    nurture: Nurture = Nurture()
    crm: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    in_flight: InFlight = InFlight()
    retention: Retention = Retention()
    review: Review = Review()
    _holidays: Resolved = PrivateAttr(default_factory=dict)

    @property
    def reference(self) -> str:
        """The name that people and commands use: name@version."""
        return f"{self.agreement}@{self.version}"

    @property
    def is_default(self) -> bool:
        """Whether it takes the leads that no other agreement matches. Without a `default` key: true if it applies to all leads."""
        return not self.applies_to.tests if self.default is None else self.default

    @cached_property
    def calendar_values(self) -> Mapping[str, WorkingCalendar]:
        """Return the calendars, ready to calculate with. Raises CalendarError for a faulty clause."""
        return with_resolved(self.calendars, self._holidays)

    @property
    def holiday_years(self) -> range:
        """The years of public holidays to keep when it is published: every year in which something may fall due."""
        return range(self.effective.from_.year - 1, self.effective.from_.year + 11)

    def with_holidays(self, resolved: Resolved) -> Self:
        """Return the agreement with these public holidays, which `resolved_holidays` returned when it was published."""
        kept = self.model_copy()
        kept.__dict__.pop("calendar_values", None)  # the copy would keep calendars already calculated with other holidays
        kept._holidays = resolved
        return kept

    def calendar(self, name: str = "") -> WorkingCalendar:
        """Return the calendar of that name, or the first calendar if there is none of that name."""
        return self.calendar_values.get(name) or next(iter(self.calendar_values.values()))

    @property
    def waking_hours(self) -> Week | None:
        """The hours, by the lead's own clock, in which a first call may be due; None for any hour."""
        return waking_week(self.prospect_hours)

    def clock(self, name: ClockName, leg: int = 0) -> Clock:
        """Return the clock of that name for a leg, counted from 0. Raises KeyError for an unknown name."""
        own = getattr(self.legs[leg].clocks, name, None) if leg < len(self.legs) else None
        return own or self.clocks.named(name)

    def day(self, at: datetime) -> date:
        """Return the date at that instant, in the agreement's zone."""
        return at.astimezone(ZoneInfo(self.timezone)).date()

    def interrupts(self, tier: str) -> bool:
        """Whether reminders and warnings about leads of this tier are sent at once, not in the digest."""
        return tier in self.attention.interrupt

    def reason(self, code: str) -> Reason | None:
        """Return the reason with that code, None if the agreement has no such reason."""
        return next((reason for reason in self.reasons if reason.code == code), None)

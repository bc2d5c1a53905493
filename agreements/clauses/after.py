"""The clauses about what comes after: reasons, disputes, recycling, versions in flight, retention, reviews."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from agreements.calendar.durations import Duration
from agreements.clauses.base import ADuration, AnElapsed, Clause, Name, percentage, shown
from agreements.clauses.looks import KEPT, MONTHLY, PERCENTAGE, WEEKLY
from agreements.words import InFlightPolicy

#: What follows from a reason.
Then = Literal["nurture", "disqualify", "attach", "merge", "suppress", "hand-to", "fix-note", "marketing-triage"]
#: The consequences that name into what the lead goes: another lead, a customer or a deal.
GOES_INTO: tuple[Then, ...] = ("merge", "attach")
#: To whom a lead may come back.
BackTo = Literal["same-rep", "other-rep", "anyone"]
#: Whose figures a reason counts against.
CountsAgainst = Literal["marketing", "routing", "nobody"]
Asked = Literal["colleague", "renewal_date", "channel", "all"]


class Revisit(Clause):
    """When to revisit a lead in nurture: on the date it asked for, else after this time."""

    asked_date_or: AnElapsed


def _revisit(value: Any) -> Any:
    return value if value is None or isinstance(value, (Revisit, Mapping)) else {"asked_date_or": value}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _maybe_percentage(value: Any) -> Any:
    return value if value is None else percentage(value)


class Reason(Clause):
    """Why sales rejects or returns a lead, and what follows.

    needs: `touches` allows the reason only after as many attempts as the outcome clock requires. ask: what else the rep is asked;
    `channel` and `all` ask the same, which ways of contact the person refuses: the phone, e-mail, or all of them.
    alert_above: the signers get a message when this reason has more than this share of a month's rejections, in percent.
    crm: the values in the CRM, by field, that say this reason.
    """

    code: Name
    label: str = ""
    then: Then
    track: str = ""
    revisit: Annotated[Revisit | None, BeforeValidator(_revisit, json_schema_input_type=Revisit | AnElapsed | None)] = None
    back_to: BackTo = "anyone"
    counts_against: CountsAgainst = "nobody"
    text: Literal["optional", "required"] = "optional"
    needs: Literal["", "touches"] = ""
    ask: Annotated[tuple[Asked, ...], BeforeValidator(_listed, json_schema_input_type=Asked | tuple[Asked, ...])] = ()
    alert_above: Annotated[int | None, BeforeValidator(_maybe_percentage), WithJsonSchema(PERCENTAGE)] = None
    crm: Mapping[str, str] = Field(default_factory=dict)
    why: str = ""

    @model_validator(mode="before")
    @classmethod
    def _asks_whom(cls, value: Any) -> Any:
        """A rep who hands a lead on must name the colleague, even if the agreement leaves out `ask`."""
        if isinstance(value, Mapping) and value.get("then") == "hand-to" and "ask" not in value:
            return {**value, "ask": "colleague"}
        return value

    @property
    def asks_channel(self) -> bool:
        """Whether the rep says which ways of contact the person refuses."""
        return bool({"channel", "all"} & set(self.ask))

    @property
    def words(self) -> str:
        """Return the text that people read."""
        return self.label or self.code.replace("-", " ").capitalize()


class Dispute(Clause):
    """How long marketing may dispute a rejection, and who decides. Silence counts as agreement."""

    within: ADuration = Duration(2, "days", working=True)
    decided_by: Literal["manager"] = "manager"


class Evidence(Clause):
    """One thing that brings a nurtured lead back: a rise in points since it left, or a new activity."""

    score_rise: int | None = Field(default=None, ge=1, le=100)
    new_activity: bool = False

    @model_validator(mode="after")
    def _one(self) -> Evidence:
        if (self.score_rise is not None) == self.new_activity:
            raise ValueError("evidence is one thing; write `{score_rise: 10}` or `{new_activity: true}`")
        return self

    def holds(self, *, rise: int, fresh: bool) -> bool:
        """Whether this evidence exists. rise: points gained since the lead left; fresh: whether it has done something since."""
        return fresh if self.score_rise is None else rise >= self.score_rise

    def __str__(self) -> str:
        return "something new that the lead did" if self.score_rise is None else f"{self.score_rise} points more"


class Needs(Clause):
    """What must be new before a nurtured lead comes back: any of these, or all of them."""

    any: tuple[Evidence, ...] = ()
    all: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> Needs:
        if bool(self.any) == bool(self.all):
            raise ValueError("what must be new is one list; write {any: [{new_activity: true}]}, or the same with `all`")
        return self

    def met(self, *, rise: int, fresh: bool) -> bool:
        """Return whether enough is new."""
        if self.all:
            return all(one.holds(rise=rise, fresh=fresh) for one in self.all)
        return any(one.holds(rise=rise, fresh=fresh) for one in self.any)


class Recycling(Clause):
    """How often and when to revisit nurtured leads, and what must be new."""

    at_most: int = Field(default=3, ge=0)
    revisit: AnElapsed = Duration(90, "days", working=False)
    needs: Needs = Needs(any=(Evidence(score_rise=10), Evidence(new_activity=True)))


class InFlight(Clause):
    """What happens to handoffs under the previous version, unless the deploy says otherwise."""

    default: InFlightPolicy = "finish"


_KEPT = re.compile(r"(\d{1,3}) (day|month|year)s?(?: (after last activity))?")
_DAYS = {"day": 1, "month": 30, "year": 365}


def _kept(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    found = _KEPT.fullmatch(" ".join(str(value).lower().split()))
    if found is None:
        raise ValueError(f"{shown(value)} is no time to keep something; write '3 years', '18 months' or '2 years after last activity'")
    return timedelta(days=int(found[1]) * _DAYS[found[2]])


AKept = Annotated[timedelta, BeforeValidator(_kept), WithJsonSchema(KEPT)]


class Retention(Clause):
    """How long to keep the trail, and personal data. Personal data counts from the lead's last activity."""

    trail: AKept = timedelta(days=3 * 365)
    personal: AKept = timedelta(days=2 * 365)


_DAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_TIME = r"([01]\d|2[0-3]):[0-5]\d"


def _moment(pattern: str, example: str) -> Any:
    def check(value: Any) -> Any:
        words = " ".join(str(value).lower().split())
        if not re.fullmatch(pattern, words):
            raise ValueError(f"{shown(value)} is no time for a review; write '{example}'")
        return words

    return BeforeValidator(check)


class Review(Clause):
    """When marketing and sales review the leads, in the agreement's zone."""

    weekly: Annotated[str, _moment(rf"({_DAY}) {_TIME}", "monday 09:00"), WithJsonSchema(WEEKLY)] = "monday 09:00"
    monthly: Annotated[str, _moment(rf"first working day {_TIME}", "first working day 09:00"), WithJsonSchema(MONTHLY)] = (
        "first working day 09:00"
    )

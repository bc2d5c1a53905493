"""The results of a review as plain values. They are the JSON report too: docs/review.schema.json describes their shape."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from agreements.clauses.after import CountsAgainst
from agreements.review.cohorts import Cohort, Maturity
from agreements.review.deals import Campaign, DaysToWon, Money, OpenMoney
from agreements.review.followed import Followed
from agreements.review.funnel import Attempts, BySource, Funnel, Recycled, Speed, TouchedInTime
from agreements.review.notes import Note
from agreements.review.objectives import Objective
from agreements.review.promises import Kept, WeekKept
from agreements.review.proposal import Proposal
from agreements.review.reasons import Disputes, ReasonCount
from agreements.review.share import Share, Value
from agreements.review.to_decide import ToDecide
from agreements.review.to_discuss import ToDiscuss
from agreements.where_time_went import TimeParty
from agreements.words import Party

#: What an open lead waited for at the end of the period. moving: nothing; Baton was at work on it.
WaitsFor = Literal["moving", "note", "delivery", "acceptance", "first_attempt", "outcome", "decision"]


class Side(Value):
    """The promises of one side that were due in the period, over all its clocks."""

    side: Party
    kept: Share


class OpenByAge(Value):
    """The leads that were open at the end of the period, by age since their pass began. days: below this many, null for all older ones.

    waits_for: how many waited for what.
    """

    days: int | None
    leads: int
    waits_for: dict[WaitsFor, int]


class Load(Value):
    """How many open leads a person had at the end of the period. rep: an id of the roster; name: as people know the person."""

    rep: str
    name: str
    open: int


class TimeSpent(Value):
    """The time that one party had of the leads of the period, within the period."""

    party: TimeParty
    seconds: int


class Tick(Value):
    """What reps ticked as wrong or missing in the notes of leads that they accepted in the period."""

    statement: str
    ticked: Share


class Decision(Value):
    """What was decided in a review. until: by which day; done_on: the day on which somebody said that it is done. Null for none.

    about: the proposal that it is about, and what became of it; null where it is about none.
    """

    number: int
    text: str
    by: str
    decided_on: date
    until: date | None
    done_on: date | None
    overdue: bool
    about: Followed | None = None


class Tried(Value):
    """What the present version and a draft make of the same past leads. leads: how many; newest: whether older ones were left out.

    first, last: the days on which the first and the last of them was judged, null where an older review did not say.

    now, then: MQLs under the present version and under the draft: how many, and of those with a known outcome
    the ones that became opportunities.
    """

    leads: int
    newest: bool
    now: int
    now_won: Share
    then: int
    then_won: Share
    first: date | None = None
    last: date | None = None


class Proposed(Value):
    """A proposal, with the changed agreement as a text and what it would have made of past leads.

    draft: empty where the proposal changes nothing in the agreement, or the change does not fit the rest of it; reference: its name and
    number. tried: null without one. follows: the version that it changes. figure: of the period, which the change is to move.
    """

    proposal: Proposal
    draft: str
    tried: Tried | None
    reference: str = ""
    follows: int = 0
    figure: Share = Share()


class Review(Value):
    """What marketing and sales did in a period, under one agreement.

    agreement: its name; version: the newest in force at the end; versions: every version under which a lead of the period ran. first,
    last: days in the zone, both included. as_of: up to when facts are known. sides, promises, weeks: what both sides kept. against: how
    many rejections and returns count against whom. time_spent: of how many leads. Notes say what cannot be right. proposals: changes to the
    agreement, null where nobody asked for them.
    """

    report: Literal["baton-review-1"] = "baton-review-1"
    agreement: str
    version: int
    versions: tuple[int, ...]
    timezone: str
    first: date
    last: date
    as_of: datetime
    objectives: tuple[Objective, ...]
    to_decide: tuple[ToDecide, ...]
    sides: tuple[Side, ...]
    promises: tuple[Kept, ...]
    weeks: tuple[WeekKept, ...]
    funnel: Funnel
    speeds: tuple[Speed, ...]
    touched_in_time: TouchedInTime
    attempts: Attempts
    maturities: tuple[Maturity, ...]
    cohorts: tuple[Cohort, ...]
    money: tuple[Money, ...]
    open_money: tuple[OpenMoney, ...]
    campaigns: tuple[Campaign, ...]
    days_to_won: DaysToWon
    by_source: tuple[BySource, ...]
    recycled: Recycled
    open_leads: int
    open_by_age: tuple[OpenByAge, ...]
    load: tuple[Load, ...]
    time_of_leads: int
    time_spent: tuple[TimeSpent, ...]
    ticks: tuple[Tick, ...]
    disputes: Disputes
    reasons: tuple[ReasonCount, ...]
    against: dict[CountsAgainst, int]
    to_discuss: tuple[ToDiscuss, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[Note, ...]
    proposals: tuple[Proposed, ...] | None = None


def as_json(found: Review) -> dict[str, Any]:
    """Return the whole report as plain values."""
    return found.model_dump(mode="json")


def from_json(text: str) -> Review:
    """Return the review of such a report. Figures that are calculated from others, as shares are, are calculated anew."""
    return Review.model_validate_json(text, extra="ignore")


def schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    return Review.model_json_schema(mode="serialization")

"""The clauses about when a lead is ready for sales: the fast lane, points, minimums, and what the note must state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import Field, model_validator

from agreements.clauses.base import ACondition, AnElapsed, Clause


class FitCriterion(Clause):
    """Points for who the lead is: by a condition, by a persona, or in proportion to an external score."""

    when: ACondition | None = None
    persona: str = ""
    external_score: str = ""
    out_of: float = Field(default=100, gt=0)
    points: int = Field(ge=-100, le=100)
    why: str = ""

    @model_validator(mode="after")
    def _one_question(self) -> FitCriterion:
        if (self.when is not None) + bool(self.persona) + bool(self.external_score) != 1:
            raise ValueError("a fit criterion asks one thing; write `when: {fact: value}`, `persona: name` or `external_score: field`")
        return self


class LastTouch(Clause):
    """The lead was contacted within this time."""

    within: AnElapsed


class EngagementCriterion(Clause):
    """Points for what the lead did: per activity, up to a maximum and halved after each half life; for a recent touch; or in
    proportion to an external score."""

    activity: str = ""
    path: str = ""
    points: int = Field(ge=-100, le=100)
    at_most: int | None = Field(default=None, ge=0, le=100)
    half_life: AnElapsed | None = None
    last_touch: LastTouch | None = None
    external_score: str = ""
    out_of: float = Field(default=100, gt=0)
    why: str = ""

    @model_validator(mode="after")
    def _one_question(self) -> EngagementCriterion:
        if (self.last_touch is not None) + bool(self.activity) + bool(self.external_score) != 1:
            raise ValueError(
                "an engagement criterion asks one thing; write `activity: name`, `last_touch: {within: 5 days}` or `external_score: field`"
            )
        if not self.activity and (self.path or self.at_most is not None or self.half_life):
            raise ValueError("`path`, `at_most` and `half_life` belong to an `activity`; write one, or leave them out")
        return self


class Threshold(Clause):
    """The points that make a marketing-qualified lead: in total from 0 to 100, and minimums for fit and engagement."""

    total: int = Field(ge=0, le=100)
    fit_at_least: int = Field(default=0, ge=-100, le=100)
    engagement_at_least: int = Field(default=0, ge=-100, le=100)


class ChannelThreshold(Clause):
    """How the threshold differs for one entry channel."""

    total: int | None = Field(default=None, ge=0, le=100)
    fit_at_least: int | None = Field(default=None, ge=-100, le=100)
    engagement_at_least: int | None = Field(default=None, ge=-100, le=100)


class OnChange(Clause):
    """What a change of role or company does to a known lead."""

    job_title: Literal["rescore", "ignore"] = "rescore"
    company: Literal["new-linked-lead", "rescore", "ignore"] = "new-linked-lead"


#: The clocks that can run for a lead that a rep brought in.
SalesClock = Literal["first_attempt", "outcome"]


class SalesSourced(Clause):
    """Leads that sales brings in: whether they must qualify by the same rules, and which clocks run for their rep."""

    same_rules: bool = True
    clocks: tuple[SalesClock, ...] = ("first_attempt", "outcome")


#: The four BANT requirements.
Requirement = Literal["budget", "authority", "need", "timeline"]
REQUIREMENTS: tuple[str, ...] = get_args(Requirement)


class Qualification(Clause):
    """When a lead is ready for sales."""

    fast_lane: tuple[str, ...] = ()
    mql: Threshold
    fit: tuple[FitCriterion, ...] = ()
    engagement: tuple[EngagementCriterion, ...] = ()
    by_channel: Mapping[str, ChannelThreshold] = Field(default_factory=dict)
    require: tuple[Requirement, ...] = ()
    on_change: OnChange = OnChange()
    sales_sourced: SalesSourced = SalesSourced()


#: What an agreement can require a handoff note to state.
Statement = Literal["why_qualified", "buying_signal", "next_step", "campaign", "pain_point"]
STATEMENTS: tuple[str, ...] = get_args(Statement)


class Note(Clause):
    """What the handoff note must state before sales gets the lead."""

    must_state: tuple[Statement, ...] = ("why_qualified", "buying_signal", "next_step")
    next_step: str = "Call, find out the need, agree the next meeting."

"""The table of the lifecycle: it leads somewhere from everywhere, and there is a step for all that can happen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import get_args

import pytest

from agreements import words
from agreements.errors import TransitionNotAllowed
from agreements.lifecycle import AT_ONCE, ENDS, OPEN_STAGES, PARKED_NAMES, TAKERS, TRANSITIONS, Position, Stage, To, next_step, transition
from agreements.words import Move, NoWord, StepName, WaitKind, word
from flows.steps import STEPS
from tasks.replies.answering import LABELS, REP_CHOICES
from tasks.steps.escalate import MISSED
from tasks.steps.remind import OWED
from tests.present import the

EXITS = {"recycled", "disqualified", "attached", "merged", "suppressed", "withdrawn", "erased", "got-stuck"}
EVERYTHING = [(stage, event, to) for stage, events in TRANSITIONS.items() for event, to in events.items()]


def test_every_stage_is_open_or_an_end_and_never_both() -> None:
    assert set(OPEN_STAGES) | set(ENDS) == set(Stage)
    assert not set(OPEN_STAGES) & set(ENDS)


def test_every_open_stage_and_no_end_but_nurture_can_be_left() -> None:
    assert set(TRANSITIONS) == {*OPEN_STAGES, Stage.NURTURING, Stage.OPPORTUNITY}


@pytest.mark.parametrize(("stage", "event", "to"), EVERYTHING, ids=[f"{stage}-{event}" for stage, event, _ in EVERYTHING])
def test_every_event_leads_to_a_stage_and_an_open_one_has_a_step(stage: Stage, event: str, to: To) -> None:
    assert to.stage in Stage
    if to.stage in ENDS or to.stage == Stage.STUCK:
        assert to.step == ""
    else:
        assert to.step in STEPS


@pytest.mark.parametrize("stage", OPEN_STAGES)
def test_every_open_stage_can_end(stage: Stage) -> None:
    reached, new = {stage}, {stage}
    while new:
        new = {to.stage for one in new for to in TRANSITIONS.get(one, {}).values()} - reached
        reached |= new

    assert reached & set(ENDS)
    assert any(to.stage in ENDS for to in TRANSITIONS[stage].values())


@pytest.mark.parametrize("stage", [stage for stage in OPEN_STAGES if stage != Stage.STUCK])
def test_from_every_open_stage_a_lead_may_be_taken_out(stage: Stage) -> None:
    assert set(TRANSITIONS[stage]) >= EXITS


def test_a_stuck_lead_goes_on_where_it_stood() -> None:
    for stage in OPEN_STAGES:
        if stage != Stage.STUCK:
            assert transition(Stage.STUCK, the(word(f"{stage.value}-again", get_args(words.Move)))).stage == stage


def test_every_stage_can_be_reached_from_an_inquiry() -> None:
    reached, new = {Stage.INQUIRY}, {Stage.INQUIRY}
    while new:
        new = {to.stage for one in new for to in TRANSITIONS.get(one, {}).values()} - reached
        reached |= new

    assert reached == set(Stage)


@pytest.mark.parametrize(
    ("stage", "event"),
    [("inquiry", "accepted"), ("assigned", "attempted"), ("opportunity", "accepted"), ("nowhere", "accepted"), ("mql", "")],
)
def test_what_is_not_in_the_table_is_refused(stage: Stage, event: Move) -> None:
    with pytest.raises(TransitionNotAllowed, match=f"Can't {event} when in {stage}."):
        transition(stage, event)


def test_every_step_is_taken_by_something_and_every_taker_is_a_step() -> None:
    named = {to.step for _, _, to in EVERYTHING if to.step}

    assert named | set(TAKERS.values()) | {"screen", "undo", "escalate", "remind", "speak"} == set(STEPS)


def test_every_kind_of_wait_has_a_taker_a_name_a_ladder_and_words() -> None:
    assert set(TAKERS) == set(PARKED_NAMES) == set(MISSED) == set(OWED)


def test_what_acts_at_once_is_something_that_can_be_answered() -> None:
    assert AT_ONCE - set(words.NOBODYS) <= set(LABELS)
    assert {kind for kinds in REP_CHOICES.values() for kind in kinds} <= set(LABELS)


def positions() -> Iterator[Position]:
    flags = ("answered", "missed", "undone", "nudge_due", "speech_due")
    steps: list[StepName | NoWord] = ["", *STEPS]
    kinds: list[WaitKind | NoWord] = ["", *TAKERS]
    for stage, step, kind in product(Stage, steps, kinds):
        for values in product((False, True), repeat=len(flags)):
            yield Position(stage, step, kind, **dict(zip(flags, values, strict=True)))


def test_whatever_the_position_the_next_step_is_one_that_exists_or_none() -> None:
    seen = {next_step(at) or None for at in positions()}

    assert seen == {None, *STEPS}


@pytest.mark.parametrize(
    ("name", "at", "step"),
    [
        ("a new lead is screened", Position(Stage.INQUIRY, "screen"), "screen"),
        ("a lead that waits for its rep rests", Position(Stage.ASSIGNED, "acceptance", "acceptance"), None),
        ("an answer is taken", Position(Stage.ASSIGNED, "acceptance", "acceptance", answered=True), "acceptance"),
        ("a missed deadline climbs", Position(Stage.ASSIGNED, "acceptance", "acceptance", answered=True, missed=True), "escalate"),
        ("an undo comes before the answer", Position(Stage.ASSIGNED, "acceptance", "acceptance", answered=True, undone=True), "undo"),
        ("an undo comes before a nudge", Position(Stage.ACCEPTED, "follow_up", "first_attempt", undone=True, nudge_due=True), "undo"),
        ("a nudge that is due is given", Position(Stage.ASSIGNED, "acceptance", "acceptance", nudge_due=True), "remind"),
        (
            "an answer comes before a nudge",
            Position(Stage.ASSIGNED, "acceptance", "acceptance", answered=True, nudge_due=True),
            "acceptance",
        ),
        ("what is to be said is said", Position(Stage.ACCEPTED, "follow_up", "first_attempt", speech_due=True), "speak"),
        ("a nudge comes before a message", Position(Stage.ACCEPTED, "follow_up", "outcome", nudge_due=True, speech_due=True), "remind"),
        ("an unproven delivery is looked at again", Position(Stage.ASSIGNED, "notify", "delivery", nudge_due=True), "notify"),
        ("an unproven delivery speaks by notifying", Position(Stage.ASSIGNED, "notify", "delivery", speech_due=True), "notify"),
        ("a held lead is looked at again", Position(Stage.MQL, "assign", "delivery", nudge_due=True), "assign"),
        ("a held lead may speak", Position(Stage.MQL, "assign", "delivery", speech_due=True), "speak"),
        (
            "a delivery that is answered before it is proven is taken",
            Position(Stage.ASSIGNED, "notify", "delivery", answered=True),
            "notify",
        ),
        ("an end may still have to be told", Position(Stage.NURTURING, "", speech_due=True), "speak"),
        ("an end that is told is the end", Position(Stage.NURTURING, "", answered=True, missed=True, undone=True), None),
        ("a stuck lead tells and then waits", Position(Stage.STUCK, "", "acceptance", answered=True, speech_due=True), "speak"),
        ("a stuck lead does nothing else", Position(Stage.STUCK, "", "acceptance", answered=True), None),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_the_next_step(name: str, at: Position, step: str | None) -> None:
    assert next_step(at) == step

"""The life of a lead: which stage follows which, and which step comes next. TRANSITIONS is the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agreements.errors import TransitionNotAllowed
from agreements.words import AnswerKind, Move, NoWord, StepName, WaitKind, word


class Stage(StrEnum):
    """The stage of a handoff, named as marketing and sales name it."""

    INQUIRY = "inquiry"
    NURTURING = "nurturing"
    MQL = "mql"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    WORKING = "working"
    OPPORTUNITY = "opportunity"
    DISQUALIFIED = "disqualified"
    MERGED = "merged"
    SUPPRESSED = "suppressed"
    ATTACHED = "attached"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    STUCK = "stuck"


OPEN_STAGES = (Stage.INQUIRY, Stage.MQL, Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING, Stage.STUCK)
ENDS = tuple(stage for stage in Stage if stage not in OPEN_STAGES)


@dataclass(frozen=True, slots=True)
class To:
    """The stage to which an event leads, and the step to take once no wait is open (none in an end stage)."""

    stage: Stage
    step: StepName | NoWord = ""


_EXITS: dict[Move, To] = {
    "recycled": To(Stage.NURTURING),
    "disqualified": To(Stage.DISQUALIFIED),
    "attached": To(Stage.ATTACHED),
    "merged": To(Stage.MERGED),
    "suppressed": To(Stage.SUPPRESSED),
    "withdrawn": To(Stage.WITHDRAWN),
    "erased": To(Stage.ERASED),
    "got-stuck": To(Stage.STUCK),
}
#: A rep who brings in a lead has it at once, either for the first attempt or as a lead already being worked.
_BROUGHT_IN: dict[Move, To] = {"taken": To(Stage.ACCEPTED, "follow_up"), "taken-at-work": To(Stage.WORKING, "follow_up")}
_WITH_SALES: dict[Move, To] = {
    "reassigned": To(Stage.MQL, "assign"),
    "note-returned": To(Stage.MQL, "document"),
    "opportunity": To(Stage.OPPORTUNITY),
}

#: stage -> event -> where the event leads. Any other event is refused.
TRANSITIONS: Mapping[Stage, Mapping[Move, To]] = {
    Stage.NURTURING: {
        "disqualified": To(Stage.DISQUALIFIED),
        "suppressed": To(Stage.SUPPRESSED),
        "merged": To(Stage.MERGED),
        "erased": To(Stage.ERASED),
    },
    Stage.OPPORTUNITY: {"recycled": To(Stage.NURTURING), "disqualified": To(Stage.DISQUALIFIED)},
    Stage.INQUIRY: {
        "screened": To(Stage.INQUIRY, "qualify"),
        "routed": To(Stage.MQL, "document"),
        "qualified": To(Stage.MQL, "document"),
        "assigned-again": To(Stage.MQL, "assign"),
        **_BROUGHT_IN,
        **_EXITS,
    },
    Stage.MQL: {
        "note-incomplete": To(Stage.MQL, "document"),
        "documented": To(Stage.MQL, "assign"),
        "held": To(Stage.MQL, "assign"),
        "assigned": To(Stage.ASSIGNED, "notify"),
        **_BROUGHT_IN,
        "decision-asked": To(Stage.MQL, "decide"),
        "reassigned": To(Stage.MQL, "assign"),
        **_EXITS,
    },
    Stage.ASSIGNED: {
        "notified": To(Stage.ASSIGNED, "acceptance"),
        "unproven": To(Stage.ASSIGNED, "notify"),
        "accepted": To(Stage.ACCEPTED, "follow_up"),
        "decision-asked": To(Stage.ASSIGNED, "decide"),
        "given-back": To(Stage.ASSIGNED, "acceptance"),
        **_WITH_SALES,
        **_EXITS,
    },
    Stage.ACCEPTED: {
        "acceptance-undone": To(Stage.ASSIGNED, "acceptance"),
        "attempted": To(Stage.WORKING, "follow_up"),
        "decision-asked": To(Stage.ACCEPTED, "decide"),
        "given-back": To(Stage.ACCEPTED, "follow_up"),
        "sql": To(Stage.MQL, "assign"),
        **_WITH_SALES,
        **_EXITS,
    },
    Stage.WORKING: {
        "attempt-undone": To(Stage.ACCEPTED, "follow_up"),
        "decision-asked": To(Stage.WORKING, "decide"),
        "given-back": To(Stage.WORKING, "follow_up"),
        "sql": To(Stage.MQL, "assign"),
        **_WITH_SALES,
        **_EXITS,
    },
    Stage.STUCK: {
        "inquiry-again": To(Stage.INQUIRY, "screen"),
        "mql-again": To(Stage.MQL, "document"),
        "assigned-again": To(Stage.ASSIGNED, "notify"),
        "accepted-again": To(Stage.ACCEPTED, "follow_up"),
        "working-again": To(Stage.WORKING, "follow_up"),
        **_EXITS,
    },
}


def transition(stage: Stage, event: Move) -> To:
    """Return where this event leads from this stage. Raises TransitionNotAllowed."""
    try:
        return TRANSITIONS[Stage(stage)][event]
    except (KeyError, ValueError):
        raise TransitionNotAllowed(stage, event) from None


def again(stage: str) -> Move:
    """Return the event with which a handoff that was stuck goes on in this stage. Raises TransitionNotAllowed."""
    event = word(f"{stage}-again", TRANSITIONS[Stage.STUCK])
    if event is None:
        raise TransitionNotAllowed(Stage.STUCK, f"{stage}-again")
    return event


#: Kind of wait -> the step that takes its answer.
TAKERS: Mapping[WaitKind, StepName] = {
    "note": "document",
    "delivery": "notify",
    "acceptance": "acceptance",
    "first_attempt": "follow_up",
    "outcome": "follow_up",
    "decision": "decide",
}
#: Kind of wait -> its name in Prefect's windows.
PARKED_NAMES: Mapping[WaitKind, str] = {
    "note": "AwaitingNote",
    "delivery": "AwaitingDelivery",
    "acceptance": "AwaitingAcceptance",
    "first_attempt": "AwaitingFirstAttempt",
    "outcome": "AwaitingOutcome",
    "decision": "AwaitingDecision",
}


#: The waits of an assignment that its rep has not answered.
UNANSWERED: tuple[WaitKind, ...] = ("delivery", "acceptance")
#: Answers that act at once. Any other answer acts when it can no longer be undone.
AT_ONCE: frozenset[AnswerKind] = frozenset(
    {"accepted", "attempted", "connected", "completed", "decided", "deadline", "away", "left", "back"}
)


@dataclass(frozen=True, slots=True)
class Position:
    """Everything that decides the next step: the stage, its step, and what has happened to the open wait.

    rescore: something that a lead's score depends on has changed while no rep has the lead. bounced: a message that told the
    rep about the lead came back.
    """

    stage: Stage
    step: StepName | NoWord
    wait_kind: WaitKind | NoWord = ""
    answered: bool = False
    missed: bool = False
    undone: bool = False
    nudge_due: bool = False
    speech_due: bool = False
    rescore: bool = False
    bounced: bool = False


def next_step(at: Position) -> StepName | None:
    """Return the name of the step to take now; None if the handoff has ended or waits for somebody."""
    if at.stage in ENDS or at.stage == Stage.STUCK:
        return "speak" if at.speech_due else None
    if at.undone:
        return "undo"
    if at.rescore and at.stage == Stage.MQL:
        return "qualify"
    if not at.wait_kind:
        return at.step or None
    if at.missed:
        return "escalate"
    if at.answered:
        return TAKERS[at.wait_kind]
    if at.bounced and at.wait_kind in UNANSWERED and at.stage == Stage.ASSIGNED:
        return "notify"
    if at.wait_kind == "delivery" and (at.nudge_due or (at.speech_due and at.step == "notify")):
        return at.step or None
    if at.nudge_due:
        return "remind"
    return "speak" if at.speech_due else None

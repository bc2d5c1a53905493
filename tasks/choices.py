"""The answers that each open task allows, and their words for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from agreements.lifecycle import UNANSWERED
from agreements.model import Agreement
from agreements.words import SEVERAL, About, AnswerKind, Decision, GivenAnswer, NoWord, OptOutChannel, TouchChannel, WaitKind, word
from storage.tables import Handoff, Wait

#: The extra input that an answer may need.
Need = Literal["reason", "colleague", "choice", "statements"]
#: The subject of a decision when everyone in the team has as many leads as agreed.
EVERYONE_FULL: Final = "everyone-full"
#: The subject of a decision about a lead that its rep gave up; marketing decides.
TRIAGE: Final = "triage"
#: The words for an answer that was given, to follow a name.
DID: Mapping[AnswerKind, str] = {
    "accepted": "accepted",
    "rejected": "rejected",
    "returned": "returned",
    "handed": "handed it to a colleague",
    "attempted": "tried to reach the lead",
    "connected": "reached the lead",
    "sql": "qualified it and handed it on",
    "opportunity": "made it an opportunity",
    "completed": "completed the note",
    "decided": "decided",
    "deadline": "not answered in time",
    "away": "away, so that somebody else has it",
    "left": "has left, so that somebody else has it",
    "back": "gave it back to whoever was away",
}
#: The answers that a rep may give, by the kind of wait; `sql` only while another leg follows.
REP_CHOICES: Mapping[About, tuple[GivenAnswer, ...]] = {
    "acceptance": ("accepted", "rejected", "handed"),
    "delivery": ("accepted", "rejected", "handed"),
    "first_attempt": ("attempted", "connected", "sql", "opportunity", "returned", "handed"),
    "outcome": ("attempted", "connected", "sql", "opportunity", "returned", "handed"),
}
#: The answers that each of several reps may give who are asked at once.
OFFERED: tuple[GivenAnswer, ...] = ("accepted", "rejected")
#: The answers that somebody else may give while several reps are asked: name the one who gets the lead.
FOR_SEVERAL: tuple[GivenAnswer, ...] = ("handed",)
LABELS: Mapping[GivenAnswer, str] = {
    "accepted": "Accept: I take this lead",
    "rejected": "Reject, with a reason",
    "handed": "Hand to a colleague",
    "attempted": "I tried to reach them",
    "connected": "I reached them",
    "sql": "Qualified: hand on",
    "opportunity": "It is an opportunity",
    "returned": "Return it, with a reason",
    "completed": "The note is complete now",
    "decided": "Decide",
}
#: The labels that a manager sees who answers for a rep.
LABELS_FOR: Mapping[GivenAnswer, str] = {
    "accepted": "{name} takes it",
    "rejected": "{name} rejects it, with a reason",
    "handed": "A colleague of {name} takes it",
    "attempted": "{name} tried to reach them",
    "connected": "{name} reached them",
    "opportunity": "It is an opportunity",
    "returned": "{name} returns it, with a reason",
}
#: The answers that somebody other than a rep may give.
DUTIES: Mapping[WaitKind, tuple[GivenAnswer, ...]] = {"decision": ("decided",), "note": ("completed",)}
#: The possible decisions, and their words for people.
CHOICES: Mapping[Decision, str] = {
    "reassign": "Give it to somebody else",
    "give-back": "Leave it with the rep, with a new clock",
    "nurture": "Back to marketing, into nurture",
    "disqualify": "Not a lead for us",
}
#: The extra input that an answer needs.
NEEDS: Mapping[GivenAnswer, Need] = {
    "rejected": "reason",
    "returned": "reason",
    "handed": "colleague",
    "decided": "choice",
    "completed": "statements",
}
#: The channels over which somebody can be tried.
CHANNELS: Mapping[TouchChannel, str] = {
    "phone": "by phone",
    "email": "by e-mail",
    "message": "by text message or chat",
    "social": "over a social network",
    "in-person": "in person",
}
#: The ways of contact that somebody may refuse, to follow "they refuse".
REFUSED: Mapping[OptOutChannel, str] = {"all": "every contact", "phone": "calls and text messages", "email": "e-mail"}


@dataclass(frozen=True, slots=True)
class Option:
    """An answer that a person may choose. needs: reason, colleague, choice or statements, empty for nothing more."""

    kind: GivenAnswer
    label: str
    needs: Need | NoWord = ""


def did(kind: str) -> str:
    """Return the words for an answer that was given, to follow a name; the text itself where it is no answer."""
    known = word(kind, DID)
    return DID[known] if known else kind


def rep_choices(agreement: Agreement, handoff: Handoff, wait: Wait) -> tuple[GivenAnswer, ...]:
    """Return the answers that the rep with the lead may give to this wait, also while a manager is asked to decide about it."""
    if wait.kind == "delivery" and wait.about != "proof":
        return ()  # the lead is held or in the queue: no rep has it, so nobody can answer
    if handoff.rep == SEVERAL and wait.kind in UNANSWERED:
        return FOR_SEVERAL  # who accepts must be known, and only the link of each rep says that
    kinds = REP_CHOICES.get(wait.about if wait.kind == "decision" else wait.kind, ())
    return kinds if next_leg(agreement, handoff) else tuple(kind for kind in kinds if kind != "sql")


def options(agreement: Agreement, handoff: Handoff, kinds: tuple[GivenAnswer, ...], *, name: str = "") -> tuple[Option, ...]:
    """Return these answers with their labels. name: the rep for whom somebody else answers, empty where the rep answers."""
    labels = dict(LABELS) | ({kind: words.format(name=name) for kind, words in LABELS_FOR.items()} if name else {})
    if handoff.rep == SEVERAL and kinds == FOR_SEVERAL:
        labels["handed"] = "Give it to one rep"
    labels["sql"] = f"Qualified: hand on to {next_leg(agreement, handoff)}"
    return tuple(Option(kind, labels[kind], NEEDS.get(kind, "")) for kind in kinds)


def next_leg(agreement: Agreement, handoff: Handoff) -> str:
    """The name of the next leg, empty for none."""
    return agreement.legs[handoff.leg + 1].name if handoff.leg + 1 < len(agreement.legs) else ""


def decisions(wait: Wait) -> dict[Decision, str]:
    """The possible decisions, and their words for people. A lead that no rep has or had cannot be left with one."""
    has_a_rep = bool(wait.assignment_id) or wait.about == TRIAGE
    return {name: words for name, words in CHOICES.items() if has_a_rep or name != "give-back"}

"""What can be answered to what is owed, and how people read it."""

from __future__ import annotations

from dataclasses import dataclass

from agreements.model import Agreement
from storage.tables import Handoff, Wait

#: What a manager is asked about when everyone in the team has as many leads as agreed.
EVERYONE_FULL = "everyone-full"
#: What was answered, as people read it behind a name.
DID = {
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
}
#: What a rep may answer, by what is owed; `sql` only while another leg follows.
REP_CHOICES = {
    "acceptance": ("accepted", "rejected", "handed"),
    "delivery": ("accepted", "rejected", "handed"),
    "first_attempt": ("attempted", "connected", "sql", "opportunity", "returned", "handed"),
    "outcome": ("attempted", "connected", "sql", "opportunity", "returned", "handed"),
}
LABELS = {
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
#: What somebody else than a rep may answer.
DUTIES = {"decision": ("decided",), "note": ("completed",)}
#: What can be decided, and how people read it.
CHOICES = {
    "reassign": "Give it to somebody else",
    "give-back": "Leave it with the rep, with a new clock",
    "nurture": "Back to marketing, into nurture",
    "disqualify": "Not a lead for us",
}
#: What goes with an answer.
NEEDS = {"rejected": "reason", "returned": "reason", "handed": "colleague", "decided": "choice", "completed": "statements"}
#: By what somebody can be tried.
CHANNELS = {
    "phone": "by phone",
    "email": "by e-mail",
    "message": "by text message or chat",
    "social": "over a social network",
    "in-person": "in person",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a person may choose. needs: reason, colleague, choice or statements, empty for nothing more."""

    kind: str
    label: str
    needs: str = ""


def rep_choices(agreement: Agreement, handoff: Handoff, wait: Wait) -> tuple[str, ...]:
    """What the rep who has the lead may answer to this wait, also while a manager is asked to decide about it."""
    if wait.kind == "delivery" and wait.about != "proof":
        return ()  # it is held or stands in line: nobody has it who could answer
    kinds = REP_CHOICES.get(wait.about if wait.kind == "decision" else wait.kind, ())
    return kinds if next_leg(agreement, handoff) else tuple(kind for kind in kinds if kind != "sql")


def options(agreement: Agreement, handoff: Handoff, kinds: tuple[str, ...]) -> tuple[Option, ...]:
    """These answers as people read them."""
    following = {"sql": f"Qualified: hand on to {next_leg(agreement, handoff)}"}
    return tuple(Option(kind, following.get(kind, LABELS[kind]), NEEDS.get(kind, "")) for kind in kinds)


def next_leg(agreement: Agreement, handoff: Handoff) -> str:
    """The name of the leg that follows, empty for none."""
    return agreement.legs[handoff.leg + 1].name if handoff.leg + 1 < len(agreement.legs) else ""


def decisions(wait: Wait) -> dict[str, str]:
    """What can be decided, and how people read it; nothing can be left with a rep where nobody has the lead."""
    return {name: words for name, words in CHOICES.items() if wait.about != EVERYONE_FULL or name != "give-back"}

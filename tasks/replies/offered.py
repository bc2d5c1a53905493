"""Offered: what one of several reps may do with a lead that each of them may take, and what their link says afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlmodel import Session

from agreements.model import Agreement
from agreements.words import SEVERAL, AnswerKind, Ended, NoWord
from storage import offers, trail, undoing, waits
from storage.tables import Answer, Assignment, Handoff, Offer, PersonalText, Wait
from tasks.steps.offering import taken_by

#: Why the lead can no longer be taken, in words.
_OVER: dict[Ended | NoWord, str] = {
    "rejected": "You declined this lead",
    "away": "You were away, so you were no longer asked",
    "not claimed in time": "None of the reps who were asked took it in time, so it went on to one rep",
    "not delivered in time": "Baton had no proof in time that the message arrived, so the lead went on to one rep",
}
_ELSEWHERE = "This lead is no longer offered to you"


#: declines: only this rep is no longer asked; all-declined: nobody is left to ask; nothing: only what it does to the wait.
Effect = Literal["", "nothing", "declines", "all-declined"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an offer allows now. mine: the rep may still take the lead; free: nobody has answered; over: why not, in words."""

    mine: bool
    free: bool
    over: str


def is_open_offer(row: Assignment, offer: Offer) -> bool:
    """Whether nobody has this lead yet, so that the offer and not the assignment says what its rep may do."""
    return row.rep != offer.rep and (row.rep == SEVERAL or offer.ended_because != "accepted")


def standing(session: Session, offer: Offer, row: Assignment, wait: Wait | None) -> Standing:
    """Return what this offer allows its rep now."""
    asked = wait is not None and wait.assignment_id == row.id and row.rep == SEVERAL and offer.ended_at is None
    answer = waits.answer_of(session, wait) if asked and wait else None
    if asked and answer is not None and answer.kind == "accepted" and answer.by != offer.rep:
        return Standing(True, False, f"This lead is already taken: {taken_by(session, answer.by, answer.answered_at, offer.rep)}.")
    if asked:
        free = answer is None and not undoing.is_under_way(session, row.handoff_id)
        return Standing(True, free, "")
    if offer.ended_because == "claimed":
        return Standing(False, False, f"This lead is already taken: {_taken(session, offer, row)}.")
    return Standing(False, False, f"{_OVER.get(offer.ended_because, _ELSEWHERE)}.")


def _taken(session: Session, offer: Offer, row: Assignment) -> str:
    winner = next((one for one in offers.of(session, row.id) if one.ended_because == "accepted"), None)
    assert winner is not None, "an offer is claimed when another one of the same lead is accepted"
    return taken_by(session, winner.rep, winner.ended_at or winner.offered_at, offer.rep)


def effect_of(session: Session, agreement: Agreement, row: Assignment | None, wait: Wait, kind: AnswerKind, *, reason: str) -> Effect:
    """Return what an answer of one of several reps does, apart from settling the wait as any answer does.

    A reason that suppresses the lead settles the wait for everybody: nobody may contact this person.
    """
    if row is None or row.rep != SEVERAL or wait.closed_at is not None or wait.answer_id is not None:
        return ""
    known = agreement.reason(reason)
    if kind != "rejected" or (known is not None and known.then == "suppress"):
        return "nothing"
    return "declines" if len(offers.open_of(session, row.id)) > 1 else "all-declined"


def decline(session: Session, handoff: Handoff, wait: Wait, answer: Answer, rep: str) -> None:
    """Notes that this rep, whose offer is open, declined. The others are still asked."""
    offer = next(one for one in offers.open_of(session, wait.assignment_id) if one.rep == rep)
    offers.end(session, offer, because="rejected", now=answer.answered_at)
    text = session.get(PersonalText, answer.text_id) if answer.text_id else None
    facts: dict[str, Any] = {"rep": rep, "reason": str(answer.data.get("reason", "")), "via": answer.via}
    trail.record(session, "declined", now=answer.answered_at, handoff=handoff, actor=answer.by, text=text, **facts)

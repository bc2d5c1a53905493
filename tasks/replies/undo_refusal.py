"""Refusals to undo: why an answer stays, in words for the person who wanted to take it back."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.roster import Roster
from storage import undoing
from storage.tables import Answer
from storage.undoing import Bar, Refusal
from tasks.choices import DID

_WORDS = {
    Bar.TOO_LATE: "The time to take it back is over, and your answer has been carried out.",
    Bar.STUCK: "The lead is stuck right now. The operator knows. Please ask them.",
    Bar.ELSEWHERE: "The lead has moved on since your answer.",
    Bar.UNDER_WAY: "A later answer is being taken back right now. Please try again in a minute.",
    Bar.MISSED: "The agreed time for the next step has passed since then, and Baton is doing what the agreement says for that.",
    Bar.TRIED: "Another attempt to reach the lead was noted since then.",
}


def why_not(session: Session, row: Answer, people: Roster, *, now: datetime) -> str:
    """Return why this answer cannot be taken back, in a sentence or two; empty if it can. Reads only."""
    refused = undoing.why_not(session, row, now=now)
    return in_words(refused, row, people, now=now) if refused else ""


def in_words(refused: Refusal, row: Answer, people: Roster, *, now: datetime) -> str:
    """Return a known refusal in words."""
    if refused.bar == Bar.ENDED:
        return f"The handoff has ended since then: {refused.stage}."
    if refused.bar != Bar.ANSWERED or refused.since is None:
        return _WORDS[refused.bar]
    since, own = refused.since, refused.since.by == row.by
    said = f"{'You have' if own else people.name_of(since.by) + ' has'} given a later answer: {DID.get(since.kind, since.kind)}."
    return f"{said} Take that back first." if own and since.effective_at > now else said

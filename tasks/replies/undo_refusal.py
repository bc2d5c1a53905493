"""Taking back: why an answer stays, in words for the person who wanted to take it back."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.roster import Roster
from storage import undoing
from storage.tables import Answer
from storage.undoing import Bar, Refusal
from tasks.choices import DID

_WORDS = {
    Bar.TOO_LATE: "The time for that is over, and what you answered has been carried out.",
    Bar.STUCK: "The lead is stuck just now, and whoever runs Baton was told. Ask them.",
    Bar.ELSEWHERE: "The lead has gone on since, and is no longer where your answer left it.",
    Bar.UNDER_WAY: "A later answer is being taken back just now. Please try again in a minute.",
    Bar.MISSED: "The agreed time for what came after it has passed since, and what was agreed for that is being done.",
    Bar.TRIED: "A further attempt to reach the lead was noted since.",
}


def why_not(session: Session, row: Answer, people: Roster, *, now: datetime) -> str:
    """Why this answer cannot be taken back, in a sentence or two; empty where it can. Reads only."""
    refused = undoing.why_not(session, row, now=now)
    return in_words(refused, row, people, now=now) if refused else ""


def in_words(refused: Refusal, row: Answer, people: Roster, *, now: datetime) -> str:
    """The same of a refusal that is known."""
    if refused.bar == Bar.ENDED:
        return f"The lead has come to an end since: {refused.stage}."
    if refused.bar != Bar.ANSWERED or refused.since is None:
        return _WORDS[refused.bar]
    since, own = refused.since, refused.since.by == row.by
    said = f"After it {'you have' if own else people.name_of(since.by)} answered further: {DID.get(since.kind, since.kind)}."
    return f"{said} Take that back first." if own and since.effective_at > now else said

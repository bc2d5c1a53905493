"""Telling marketing: which messages interrupt, and which wait for the morning digest.

A message that asks marketing for something goes at once: a note to complete, a lead to decide about, an enrolment that is not
confirmed, an account that a rule of the screening names. What became of a lead goes at once where the agreement names that outcome, by
default where marketing may dispute it, or where the time to dispute it would be nearly over by the morning. Everything else waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from agreements.clauses.handover import Attention
from agreements.words import OUTCOMES, AnswerKind, MessageKind, NoWord, Outcome, word

#: The message about an answer of sales, and the one about the end of a dispute: all others ask for something.
ANSWERED: Final = "feedback"
SETTLED: Final = "dispute-settled"
#: An answer that can be disputed waits for the morning only if at least this much of the time for it is left then.
LEAST_TO_DISPUTE: Final = timedelta(hours=8)
#: Why a message goes at once. asks: it asks for something; agreed: the agreement names the outcome; disputable: the time to dispute it
#: would be nearly over; nobody-there: nobody of marketing reads a digest on the next working day.
AtOnce = Literal["asks", "agreed", "disputable", "nobody-there"]


@dataclass(frozen=True, slots=True)
class News:
    """A message to marketing. answer: the one that it tells of, empty for none; dispute_until: until when marketing may dispute it, aware,
    None where it cannot."""

    message: MessageKind
    answer: AnswerKind | NoWord = ""
    dispute_until: datetime | None = None

    @property
    def outcome(self) -> Outcome | NoWord:
        """What became of the lead, empty where the message asks for something instead."""
        if self.message == SETTLED:
            return SETTLED
        return (word(self.answer, OUTCOMES) or "") if self.message == ANSWERED else ""


def why_at_once(news: News, attention: Attention, *, morning: datetime | None) -> AtOnce | NoWord:
    """Return why this message goes to marketing at once; empty if it waits for the digest.

    morning: when the next digest goes out, aware, None where there is nobody to read it.
    """
    if not news.outcome:
        return "asks"
    if news.outcome in attention.tell_marketing:
        return "agreed"
    if morning is None:
        return "nobody-there"
    if news.dispute_until is not None and news.dispute_until - morning < LEAST_TO_DISPUTE:
        return "disputable"
    return ""

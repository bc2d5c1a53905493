"""What marketing is told at once, and what waits for its morning digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from agreements.clauses.handover import Attention
from agreements.telling_marketing import ANSWERED, LEAST_TO_DISPUTE, SETTLED, AtOnce, News, why_at_once
from agreements.words import DISPUTABLE, OUTCOMES, AnswerKind, MessageKind, NoWord, Outcome

MORNING = datetime(2027, 2, 2, 9, tzinfo=UTC)
LONG = MORNING + timedelta(days=2)
SHORT = MORNING + LEAST_TO_DISPUTE - timedelta(minutes=1)
USUAL = Attention()


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        (News(ANSWERED, "accepted"), ""),
        (News(ANSWERED, "sql"), ""),
        (News(ANSWERED, "opportunity"), ""),
        (News(ANSWERED, "rejected", LONG), "agreed"),
        (News(ANSWERED, "returned", LONG), "agreed"),
        (News(ANSWERED, "returned"), "agreed"),
        (News(SETTLED), ""),
        (News("note-needed"), "asks"),
        (News("decision-asked"), "asks"),
        (News("told"), "asks"),
    ],
)
def test_what_became_of_a_lead_waits_and_what_asks_for_something_does_not(news: News, expected: AtOnce | NoWord) -> None:
    assert why_at_once(news, USUAL, morning=MORNING) == expected


def test_where_the_agreement_says_nothing_exactly_what_can_be_disputed_comes_at_once() -> None:
    answers: tuple[AnswerKind, ...] = get_args(AnswerKind)

    at_once = {answer for answer in answers if why_at_once(News(ANSWERED, answer, LONG), USUAL, morning=MORNING) == "agreed"}

    assert at_once == set(DISPUTABLE)


@pytest.mark.parametrize("answer", DISPUTABLE)
def test_what_the_agreement_lets_wait_comes_at_once_where_the_morning_would_leave_little_time_to_dispute_it(answer: AnswerKind) -> None:
    named_none = Attention(tell_marketing=())

    assert why_at_once(News(ANSWERED, answer, LONG), named_none, morning=MORNING) == ""
    assert why_at_once(News(ANSWERED, answer, SHORT), named_none, morning=MORNING) == "disputable"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_comes_at_once_where_the_agreement_names_it_and_waits_where_it_names_none(outcome: Outcome) -> None:
    news = News(SETTLED) if outcome == "dispute-settled" else News(ANSWERED, outcome)

    assert why_at_once(news, Attention(tell_marketing=(outcome,)), morning=MORNING) == "agreed"
    assert why_at_once(news, Attention(tell_marketing=()), morning=MORNING) == ""


def test_where_nobody_reads_a_digest_everything_comes_at_once() -> None:
    assert why_at_once(News(ANSWERED, "accepted"), USUAL, morning=None) == "nobody-there"


def test_every_other_message_asks_for_something() -> None:
    """A new kind of message interrupts until this rule says otherwise."""
    kinds: tuple[MessageKind, ...] = tuple(one for part in get_args(MessageKind) for one in (get_args(part) or (part,)))
    answers: tuple[AnswerKind, ...] = ("accepted", "rejected", "attempted")

    waiting = {
        kind
        for kind in kinds
        for answer in answers
        if why_at_once(News(kind, answer), Attention(tell_marketing=()), morning=MORNING) != "asks"
    }

    assert waiting == {ANSWERED, SETTLED}

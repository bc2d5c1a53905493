"""What the values of a CRM mean: which answer, for which reason, and whether they say anything new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.crm_words import Known, Said, creates_opportunity, is_news, meaning, reason_named, values_at, values_of, watched
from agreements.model import Agreement
from tests.deal import example_tree

MINUTE = timedelta(minutes=1)
NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


def agreed(crm: dict[str, dict[str, str]], **reasons: dict[str, str]) -> Agreement:
    """Return the whole example agreement with these CRM words, and with these words of reasons by code."""
    tree = example_tree()
    listed = [{"code": code.replace("_", "-"), "then": "nurture", "crm": values} for code, values in reasons.items()]
    return Agreement.model_validate({**tree, "crm": crm, "reasons": listed or [{"code": "not-now", "then": "nurture"}]})


STATUS = agreed(
    {
        "accepted": {"status": "Working", "create": "opportunity"},
        "attempted": {"status": "Attempted"},
        "rejected": {"status": "Unqualified"},
        "opportunity": {"status": "Working", "deal": "yes"},
        "suppressed": {"do_not_call": "true"},
    },
    not_now={"status": "Nurture"},
    bad_data={"why": "Bad data"},
    no_budget={"why": "No budget", "size": "small"},
)


@pytest.mark.parametrize(
    ("known", "new", "said"),
    [
        ({"status": "Working"}, {"status"}, Said("accepted")),
        ({"status": "Attempted"}, {"status"}, Said("attempted")),
        ({"status": "Looked at"}, {"status"}, Said()),
        ({"status": "Working"}, {"size"}, Said()),
        ({"status": "Working", "deal": "yes"}, {"deal"}, Said("opportunity")),
        ({"status": "Working", "deal": "yes"}, {"status"}, Said("opportunity")),
        ({"do_not_call": "true"}, {"do_not_call"}, Said("suppressed")),
        ({"status": "Nurture"}, {"status"}, Said("rejected", "not-now")),
        ({"status": "Unqualified"}, {"status"}, Said("rejected")),
        ({"status": "Unqualified", "why": "Bad data"}, {"status"}, Said("rejected", "bad-data")),
        ({"status": "Unqualified", "why": "Bad data"}, {"why"}, Said("rejected", "bad-data")),
        ({"status": "Working", "why": "Bad data"}, {"why"}, Said()),
        ({"status": "Unqualified", "why": "No budget"}, {"why"}, Said()),
        ({"status": "Unqualified", "why": "No budget", "size": "small"}, {"size"}, Said("rejected", "no-budget")),
        ({"create": "opportunity", "status": "Open"}, {"create"}, Said()),
        ({}, {"status"}, Said()),
    ],
)
def test_values_mean_what_the_agreement_says_of_them(known: dict[str, str], new: set[str], said: Said) -> None:
    assert meaning(STATUS, known, new) == said


def test_a_reason_alone_says_a_rejection_where_no_rejection_has_values() -> None:
    agreement = agreed({"accepted": {"status": "Working"}}, bad_data={"why": "Bad data"})

    assert meaning(agreement, {"why": "Bad data", "status": "Working"}, {"why"}) == Said("rejected", "bad-data")


def test_what_is_created_is_no_field_of_the_crm() -> None:
    assert creates_opportunity(STATUS)
    assert values_at(STATUS, "accepted") == {"status": "Working"}
    assert values_of(STATUS, STATUS.reasons[1]) == {"status": "Unqualified", "why": "Bad data"}
    assert watched(STATUS) == {"owner", "status", "deal", "do_not_call", "why", "size"}


BORN = NOON - timedelta(hours=1)


@pytest.mark.parametrize(
    ("known", "value", "at", "news"),
    [
        (None, "Working", NOON, True),
        # Baton wrote it
        (Known("Working", NOON, True), "Working", NOON, False),
        (Known("Working", NOON, True), "Working", NOON + 9 * MINUTE, False),
        (Known("Working", NOON, True), "Working", NOON - MINUTE, False),
        (Known("Working", NOON, True), "Working", NOON - 3 * MINUTE, True),
        (Known("Working", NOON, True), "Attempted", NOON, True),
        (Known("Working", NOON, True), "Attempted", NOON - 5 * MINUTE, True),
        # a person set it
        (Known("Working", NOON, False, NOON), "Working", NOON + MINUTE, False),
        (Known("Working", NOON, False, NOON), "Attempted", NOON + MINUTE, True),
        (Known("Attempted", NOON, False, NOON), "Working", NOON - MINUTE, False),
        (Known("Working", BORN - MINUTE, False, BORN - MINUTE), "Working", NOON, True),
        # a person set it, then Baton wrote over it
        (Known("Working", NOON, True, NOON - 5 * MINUTE), "Attempted", NOON - 9 * MINUTE, False),
        (Known("Working", NOON, True, NOON - 5 * MINUTE), "Attempted", NOON - 4 * MINUTE, True),
    ],
)
def test_only_what_a_person_newly_says_is_an_answer(known: Known | None, value: str, at: datetime, news: bool) -> None:
    assert is_news(known, value, at=at, since=BORN) is news


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bad data", "bad-data"),
        ("bad DATA", "bad-data"),
        ("bad-data", "bad-data"),
        (" No budget ", "no-budget"),
        ("not now", "not-now"),
        ("", None),
        ("because", None),
    ],
)
def test_a_reason_is_named_by_its_value_its_code_or_its_label(text: str, code: str | None) -> None:
    found = reason_named(STATUS, text, field="why")

    assert (found.code if found else None) == code

"""Who kept a promise, who missed it, and who is charged for a miss."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agreements.review.delivery import delivery
from agreements.review.promises import Cause, Verdict, decided, kept, of_clock, side, trend
from agreements.review.share import Share
from agreements.words import SEVERAL
from tests.agreements.review.values import DAY, HOUR, START, WEEK, a_pass, a_promise, example


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"given": "accepted", "answered_at": START + HOUR}, "kept"),
        ({"given": "accepted", "answered_at": START + HOUR + timedelta(seconds=1)}, "missed"),
        ({"given": "deadline", "answered_at": START + HOUR, "closed_at": START + HOUR}, "missed"),
        ({"given": "away", "answered_at": START}, "void"),
        ({"about": "hold"}, "void"),
        ({"about": "release"}, "void"),
        ({"about": "no-clock"}, "void"),
        ({"closed_at": START, "closed_because": "merged"}, "void"),
        ({"closed_at": START, "closed_because": "proven"}, "kept"),
        ({"closed_at": START + 2 * HOUR, "closed_because": "proven"}, "missed"),
        ({}, "missed"),
        ({"promised_at": START + 90 * DAY}, "open"),
    ],
)
def test_how_a_promise_stands(changes: dict[str, Any], verdict: Verdict) -> None:
    assert a_promise(**changes).verdict(WEEK.as_of) == verdict


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "sales"),
        ({"against": "marketing"}, "marketing"),
        ({"against": "routing"}, "routing"),
        ({"holder": SEVERAL}, "nobody"),
        ({"owed_by": "marketing", "against": "routing"}, "marketing"),
        ({"owed_by": "baton", "about": "proof"}, "baton"),
        ({"owed_by": "manager"}, "manager"),
    ],
)
def test_a_miss_is_charged_to_whoever_caused_it(changes: dict[str, Any], cause: Cause) -> None:
    assert a_promise(**changes).cause == cause


def test_a_rep_is_not_charged_for_what_marketing_or_routing_caused() -> None:
    promises = [
        a_promise(1, given="accepted", answered_at=START),
        a_promise(2),
        a_promise(3, against="marketing"),
        a_promise(4, against="routing"),
        a_promise(5, holder=SEVERAL),
    ]

    [found] = kept(promises, WEEK)

    assert (found.kept, found.caused_by) == (Share(count=1, of=2), {"marketing": 1, "nobody": 1, "routing": 1})
    assert side([found], "sales") == of_clock([found], "acceptance") == Share(count=1, of=2)


def test_a_promise_counts_in_the_period_in_which_it_was_due() -> None:
    before, within, after = (a_promise(at, promised_at=START + days * DAY) for at, days in enumerate((-1, 3, 7)))

    assert [one.pass_id for one, _ in decided([before, within, after], WEEK)] == [1]


def test_the_trend_has_thirteen_weeks_and_each_is_judged_at_the_end() -> None:
    promises = [a_promise(promised_at=START - weeks * 7 * DAY + HOUR) for weeks in (0, 1, 12, 13)]

    found = trend([*promises, a_promise(owed_by="marketing", kind="note")], WEEK)

    assert [one.sales.of for one in found] == [1, *[0] * 10, 1, 1]
    assert [one.marketing.of for one in found] == [*[0] * 12, 1]
    assert (found[-1].monday, found[0].monday) == (WEEK.first, WEEK.first - timedelta(weeks=12))


@pytest.mark.parametrize(
    ("changes", "verdict", "cause"),
    [
        ({"proven_at": START + HOUR}, "kept", ""),
        ({"proven_at": START + 2 * HOUR}, "missed", "baton"),
        ({"proven_at": START + 3 * HOUR, "assigned_at": START + 2 * HOUR}, "missed", "marketing"),
        ({"assigned_at": None}, "missed", "marketing"),
        ({"assigned_at": None, "ended_at": START + HOUR}, "void", ""),
        ({"assigned_at": None, "held": True}, "void", ""),
    ],
)
def test_an_mql_reaches_a_rep_within_the_delivery_clock(changes: dict[str, Any], verdict: Verdict, cause: str) -> None:
    """In the tier hot the clock is an hour."""
    found = delivery(a_pass(tier="hot", **changes), example())

    assert found is not None
    assert found.verdict(WEEK.as_of) == verdict
    assert cause in ("", found.cause)


@pytest.mark.parametrize("changes", [{"mql_at": None}, {"merged": True}])
def test_who_is_no_mql_has_no_promise_of_delivery(changes: dict[str, Any]) -> None:
    assert delivery(a_pass(**changes), example()) is None

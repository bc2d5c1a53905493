"""Values that reviews are tried on: passes and promises of a made-up company, at times counted from one Monday."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.review.deals import Deal
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise
from agreements.review.reasons import GivenBack
from tests.conftest import AGREEMENT

#: A Monday, nine o'clock in London.
START = datetime(2027, 2, 1, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = Period(date(2027, 2, 1), date(2027, 2, 7), "Europe/London", START + 30 * DAY)


@cache
def example() -> Agreement:
    """Return the example agreement."""
    return read_agreement(AGREEMENT)


def a_pass(number: int = 1, at: datetime = START, **changes: Any) -> Pass:
    """Return an MQL that was given to a rep at once. changes: fields that matter to the test."""
    base = {
        "id": number,
        "lead_id": number,
        "began_at": at,
        "lead_began_at": at,
        "mql_at": at,
        "assigned_at": at,
        "company": f"Company {number}",
    }
    return Pass(**{**base, "version": 1, "rep": "ana", "reps": 1, **changes})


def a_promise(number: int = 1, **changes: Any) -> Promise:
    """Return an acceptance that was due an hour after the start. changes: fields that matter to the test."""
    base = {
        "pass_id": number,
        "kind": "acceptance",
        "owed_by": "sales",
        "promised_at": START + HOUR,
        "about": "acceptance",
        "holder": "ana",
    }
    return Promise(**{**base, **changes})


def given_back(number: int = 1, reason: str = "not-icp", **changes: Any) -> GivenBack:
    """Return a rejection on the first day. changes: fields that matter to the test."""
    base = {"pass_id": number, "lead_id": number, "at": START + HOUR, "reason": reason, "source": "web", "against": "marketing"}
    return GivenBack(**{**base, **changes})


def a_deal(number: int = 1, **changes: Any) -> Deal:
    """Return an opportunity of 1,000 EUR that was opened on the first day. changes: fields that matter to the test."""
    base = {"crm_id": f"D{number}", "lead_id": number, "pass_id": number, "opened_at": START, "amount": 100_000, "currency": "EUR"}
    return Deal(**{**base, **changes})

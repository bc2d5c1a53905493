"""What a reason leads to, and when a nurtured lead is looked at again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest

from agreements.disposition import EVENTS, UnknownReason, consequence, revisit_at, touches_lacking
from agreements.lifecycle import TRANSITIONS, Stage
from agreements.loading import read_agreement
from agreements.model import Reason, Touches
from tests.conftest import AGREEMENT
from tests.present import the

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
EXAMPLE = read_agreement(AGREEMENT)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("code", "event", "track", "days", "counts_against"),
    [
        ("not-now", "recycled", "", 60, "nobody"),
        ("no-response", "recycled", "reactivation", 90, "nobody"),
        ("no-authority", "recycled", "find-authority", 90, "marketing"),
        ("no-budget", "recycled", "value", 120, "nobody"),
        ("uses-competitor", "recycled", "competitor", 270, "nobody"),
        ("not-icp", "disqualified", "", None, "marketing"),
        ("customer-or-open-deal", "attached", "", None, "routing"),
        ("wrong-rep", "reassigned", "", None, "routing"),
        ("bad-data", "note-returned", "", None, "marketing"),
        ("duplicate", "merged", "", None, "routing"),
        ("do-not-contact", "suppressed", "", None, "nobody"),
        ("other", "decision-asked", "", None, "nobody"),
    ],
)
def test_a_reason_leads_where_the_agreement_says(code: str, event: str, track: str, days: int | None, counts_against: str) -> None:
    found = consequence(EXAMPLE, code, now=NOW)

    assert (found.event, found.reason, found.track, found.counts_against) == (event, code, track, counts_against)
    assert found.revisit_at == (None if days is None else NOW + days * DAY)


def test_every_consequence_an_agreement_can_name_is_an_event_that_sales_may_cause() -> None:
    named = set(get_args(Reason.model_fields["then"].annotation))

    assert named == set(EVENTS)
    for stage in (Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING):
        assert set(EVENTS.values()) <= set(TRANSITIONS[stage])


def test_a_reason_that_is_not_agreed_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownReason, match="b2b-saas@1 has no reason 'because'; it has not-now, no-response, "):
        consequence(EXAMPLE, "because", now=NOW)


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        (date(2027, 3, 1), "2027-03-01T09:00:00+00:00"),
        (date(2027, 6, 14), "2027-06-14T09:00:00+01:00"),
        (date(2027, 2, 2), "2027-02-02T09:00:00+00:00"),
    ],
    ids=str,
)
def test_the_day_that_was_asked_for_begins_at_nine_in_the_agreements_zone(asked: date, at: str) -> None:
    assert revisit_at(EXAMPLE, EXAMPLE.reason("not-now"), now=NOW, asked=asked) == datetime.fromisoformat(at)


@pytest.mark.parametrize("asked", [date(2027, 2, 1), date(2026, 12, 24), None], ids=str)
def test_a_day_that_is_over_or_none_gives_the_agreed_time(asked: date | None) -> None:
    assert revisit_at(EXAMPLE, EXAMPLE.reason("not-now"), now=NOW, asked=asked) == NOW + 60 * DAY


def test_without_a_reason_or_a_time_of_its_own_the_agreements_time_counts() -> None:
    assert revisit_at(EXAMPLE, None, now=NOW) == NOW + 90 * DAY
    assert revisit_at(EXAMPLE, EXAMPLE.reason("no-response"), now=NOW) == NOW + 90 * DAY


def test_a_reason_reads_as_its_label_or_its_code() -> None:
    assert the(EXAMPLE.reason("not-icp")).words == "Not a company we sell to"
    assert Reason(code="no-fit-at-all", then="disqualify").words == "No fit at all"


@pytest.mark.parametrize(
    ("at_least", "channels", "made", "lacking"),
    [
        (0, 1, [], (0, 0)),
        (0, 3, [], (0, 0)),
        (6, 1, [], (6, 0)),
        (6, 2, [], (6, 1)),
        (6, 2, ["phone", "phone"], (4, 1)),
        (2, 2, ["phone", "email"], (0, 0)),
        (2, 2, ["", "", ""], (0, 1)),
        (2, 1, ["", ""], (0, 0)),
        (3, 3, ["phone", "", "email"], (0, 1)),
    ],
)
def test_what_is_lacking_until_a_lead_may_be_called_unreachable(
    at_least: int, channels: int, made: list[str], lacking: tuple[int, int]
) -> None:
    assert touches_lacking(Touches(at_least=at_least, channels=channels), made) == lacking

"""When a lead is ready for sales: the example agreement's points, as a table and criterion by criterion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agreements.lead import Done, LeadFacts
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.qualification import every_criterion, qualify, threshold_for
from tests.agreements.tables import cases
from tests.conftest import AGREEMENT

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
EXAMPLE = read_agreement(AGREEMENT)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def ago_if_any(days: float | None) -> datetime | None:
    return None if days is None else ago(days)


def facts(case: dict[str, Any]) -> LeadFacts:
    """The lead of a row."""
    done = [Done(one["kind"], ago(one.get("days", 0)), one.get("path", "")) for one in case["did"]]
    return LeadFacts(case["who"], tuple(done), ago_if_any(case.get("touched")), case.get("channel", "web"), ago_if_any(case.get("since")))


@pytest.mark.parametrize("case", cases("qualification_cases.yaml"))
def test_a_lead_is_judged_as_the_table_says(case: dict[str, Any]) -> None:
    verdict = qualify(EXAMPLE, facts(case), now=NOW)

    seen = {name: getattr(verdict, name) for name in case["expect"]}
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in seen.items()} == case["expect"]


def changed(*changes: tuple[str, str]) -> Agreement:
    text = AGREEMENT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read_agreement(text)


def test_every_criterion_that_counted_says_what_it_saw_and_why() -> None:
    who = {"industry": "software", "employees": 300, "job_title": "VP Sales", "email": "lee@gmail.com"}
    did = (Done("page_viewed", ago(14), "/pricing"), Done("page_viewed", ago(0), "/pricing"))

    points = qualify(EXAMPLE, LeadFacts(who, did, ago(1)), now=NOW).points

    assert [(one.rule, one.value, one.points) for one in points] == [
        ("industry in software, logistics, manufacturing", "software", 20),
        ("employees at least 200", "300", 15),
        ("persona sales-leader", "job_title contains sales, revenue, commercial, growth and employees at least 20", 20),
        ("email is free", "an address at gmail.com", -15),
        ("page viewed /pricing", "2 times", 15),
        ("spoken to within 2 days", "2027-01-31", -20),
    ]
    assert points[0].why == "two thirds of last year's wins"
    assert points[4].at == NOW


def test_no_criterion_shows_more_of_an_address_than_where_it_is() -> None:
    points = qualify(EXAMPLE, LeadFacts({"email": "lee.ohara@gmail.com"}), now=NOW).points

    assert "lee" not in str(points)


def test_points_taken_away_are_held_within_the_same_bound() -> None:
    agreement = changed(("points: 10, at_most: 20, half_life: 14 days", "points: -10, at_most: 20, half_life: 14 days"))
    views = tuple(Done("page_viewed", NOW, "/pricing") for _ in range(5))

    assert qualify(agreement, LeadFacts({}, views), now=NOW).engagement == -20


def test_an_activity_without_a_half_life_keeps_its_points() -> None:
    agreement = changed(("{activity: webinar_attended, points: 20, half_life: 30 days}", "{activity: webinar_attended, points: 20}"))

    assert qualify(agreement, LeadFacts({}, (Done("webinar_attended", ago(3000)),)), now=NOW).engagement == 20


def test_a_minimum_that_is_met_exactly_is_met() -> None:
    agreement = changed(("mql: {total: 60, fit_at_least: 30,", "mql: {total: 35, fit_at_least: 20,"))
    lead = LeadFacts({"industry": "software"}, (Done("form_submitted", NOW),))

    assert qualify(agreement, lead, now=NOW).is_mql


def test_a_channel_changes_only_what_it_names() -> None:
    agreement = changed(("trade_show: {engagement_at_least: 0}", "trade_show: {engagement_at_least: 0, total: 40}"))

    at_show, elsewhere = threshold_for(agreement, "trade_show"), threshold_for(agreement, "web")

    assert (at_show.total, at_show.fit_at_least, at_show.engagement_at_least) == (40, 30, 0)
    assert (elsewhere.total, elsewhere.fit_at_least, elsewhere.engagement_at_least) == (60, 30, 15)


def test_a_verdict_is_the_same_whatever_the_zone_of_now() -> None:
    lead = LeadFacts({"industry": "software"}, (Done("webinar_attended", ago(30)),))

    assert qualify(EXAMPLE, lead, now=NOW.astimezone(ZoneInfo("Asia/Tokyo"))) == qualify(EXAMPLE, lead, now=NOW)


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ({}, ["authority is required and not known", "budget is required and not known"]),
        ({"authority": True, "budget": "none"}, ["budget is required and not known"]),
        ({"authority": "no", "budget": "40,000 EUR"}, ["authority is required and not known"]),
        ({"authority": "yes", "budget": "40,000 EUR"}, []),
    ],
)
def test_what_is_required_must_be_known_and_not_be_a_no(known: dict[str, Any], missing: list[str]) -> None:
    strict = changed(("mql: {total: 60, fit_at_least: 30, engagement_at_least: 15}", "mql: {total: 0}\n  require: [authority, budget]"))

    verdict = qualify(strict, LeadFacts(known), now=NOW)

    assert verdict.is_mql == (not missing)
    assert verdict.reasons == (tuple(missing) or ("reaches every minimum",))


def test_who_asked_by_itself_is_not_asked_for_a_budget() -> None:
    strict = changed(("mql: {total: 60", "require: [budget]\n  mql: {total: 60"))

    assert qualify(strict, LeadFacts({}, (Done("demo_requested", NOW),)), now=NOW).is_mql


@pytest.mark.parametrize(
    ("score", "points"), [(None, 0), ("many", 0), (0, 0), ("50", 10), (50, 10), (100, 20), (250, 20), (-5, 0), (37, 7), (37.5, 8)]
)
def test_a_score_from_somebody_else_gives_its_share_of_the_points(score: Any, points: int) -> None:
    scored = changed(
        ("fields:\n", "fields:\n  lead_score: {type: number}\n"),
        ("  fit:\n", "  fit:\n    - {external_score: lead_score, out_of: 100, points: 20}\n"),
    )

    assert qualify(scored, LeadFacts({"lead_score": score}), now=NOW).fit == points


def test_what_is_done_later_does_not_count_yet() -> None:
    later = (Done("demo_requested", NOW + timedelta(seconds=1)), Done("webinar_attended", NOW + timedelta(seconds=1)))

    verdict = qualify(EXAMPLE, LeadFacts({}, later), now=NOW)

    assert (verdict.fast_lane, verdict.engagement) == ("", 0)


def test_every_criterion_is_listed_also_those_that_do_not_apply() -> None:
    listed = every_criterion(EXAMPLE, LeadFacts({"industry": "software"}), now=NOW)

    rules = EXAMPLE.qualification
    assert len(listed) == len(rules.fit) + len(rules.engagement)
    assert [(one.rule, one.value, one.points) for one in listed if one.applies] == [
        ("industry in software, logistics, manufacturing", "software", 20)
    ]
    assert {one.value for one in listed if not one.applies} <= {"unknown", "unknown, unknown", "never"}

"""What counts in a review: leads, speed, pace, cohorts, money, reasons; each share with its whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from agreements.clauses.aims import aim
from agreements.review import cohorts, deals, funnel, reasons
from agreements.review.objectives import Measured, Objective, behind, objectives
from agreements.review.pace import days_of, pace
from agreements.review.passes import Became
from agreements.review.period import Period, last_month, last_week
from agreements.review.share import Share, ninth_of_ten
from agreements.words import OpportunityState
from tests.agreements.review.values import DAY, HOUR, START, WEEK, a_deal, a_pass, a_promise, example, given_back

AT = START + HOUR


def measured(**changes: Any) -> dict[str, Objective]:
    """Return every objective by its name."""
    base: dict[str, Any] = {"passes": (), "promises": (), "deals": (), "not_shown": (), "agreement": example()}
    return {one.aim: one for one in objectives(Measured(**{**base, **changes}), WEEK)}


def test_a_share_below_twenty_says_so() -> None:
    assert [(Share(count=1, of=of).few, Share(count=1, of=of).share) for of in (0, 19, 20)] == [
        (True, None),
        (True, 0.052632),
        (False, 0.05),
    ]


@pytest.mark.parametrize(("values", "found"), [([], None), ([5], 5), (list(range(1, 11)), 9), (list(range(1, 21)), 18)])
def test_nine_of_ten_are_within(values: list[float], found: float | None) -> None:
    assert ninth_of_ten(values) == found


@pytest.mark.parametrize(
    ("today", "week", "month"),
    [
        (date(2027, 2, 1), (date(2027, 1, 25), date(2027, 1, 31)), (date(2027, 1, 1), date(2027, 1, 31))),
        (date(2027, 3, 7), (date(2027, 2, 22), date(2027, 2, 28)), (date(2027, 2, 1), date(2027, 2, 28))),
    ],
)
def test_the_last_whole_week_and_month(today: date, week: tuple[date, date], month: tuple[date, date]) -> None:
    assert (last_week(today), last_month(today)) == (week, month)


def test_a_period_ends_at_midnight_of_its_zone_also_when_the_clocks_change() -> None:
    of = Period(date(2027, 3, 28), date(2027, 3, 28), "Europe/London", START + 90 * DAY)

    assert (of.begins, of.ends) == (datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 3, 28, 23, tzinfo=UTC))
    assert not of.holds(None)
    assert of.holds(of.begins)
    assert not of.holds(of.ends)


@pytest.mark.parametrize(
    ("changes", "became"),
    [
        ({"accepted_at": AT, "given_back_at": AT, "missed_at": AT}, "accepted"),
        ({"given_back_at": AT, "missed_at": AT}, "rejected"),
        ({"missed_at": AT}, "unanswered"),
        ({}, "waiting"),
        ({"ended_at": AT}, "otherwise"),
    ],
)
def test_what_became_of_a_lead(changes: dict[str, Any], became: Became) -> None:
    assert a_pass(**changes).became == became


def test_what_became_of_the_mqls_adds_up_and_a_lead_that_came_twice_counts_once() -> None:
    passes = [
        a_pass(1, accepted_at=AT, touches=2),
        a_pass(2, given_back_at=AT, came_back=True),
        a_pass(3, missed_at=AT),
        a_pass(4, assigned_at=None),
        a_pass(5, ended_at=AT),
        a_pass(6, merged=True, ended_at=AT),
        a_pass(7, at=START - DAY),
    ]

    found = funnel.funnel(passes, WEEK)

    assert (found.began, found.came_back, found.mqls, found.merged) == (5, 1, 5, 1)
    parts = (found.accepted, found.rejected, found.unanswered, found.waiting, found.otherwise)
    assert [(one.count, one.of) for one in parts] == [(1, 5)] * 5
    assert (found.assigned, found.never_touched) == (Share(count=4, of=5), Share(count=3, of=4))


def test_speed_is_told_by_tier_and_leaves_out_a_touch_before_the_lead_began() -> None:
    passes = [
        a_pass(1, tier="hot", touches=1, first_touch_at=START + HOUR),
        a_pass(2, tier="hot", touches=1, first_touch_at=START - HOUR),
        a_pass(3, tier="normal"),
        a_pass(4, tier="hot", by_sales=True),
    ]
    promises = [a_promise(1, kind="first_attempt", tier="hot", given="attempted", answered_at=START), a_promise(3, kind="first_attempt")]

    every, hot, normal = funnel.speeds(passes, promises, WEEK, ["hot", "normal"])

    assert (every.tier, every.touched, every.median_seconds, every.in_time) == ("", Share(count=2, of=3), 3600, Share(count=1, of=2))
    assert (hot.touched, hot.p90_seconds, hot.in_time) == (Share(count=2, of=2), 3600, Share(count=1, of=1))
    assert (normal.touched, normal.median_seconds, normal.in_time) == (Share(count=0, of=1), None, Share(count=0, of=1))


def test_touches_are_counted_for_what_sales_gave_up() -> None:
    passes = [a_pass(at, ended_at=AT, touches=touches) for at, touches in enumerate((0, 1, 1, 6, 9))]
    passes += [a_pass(8, ended_at=AT, opportunity_at=AT), a_pass(9)]

    found = funnel.attempts(passes, WEEK)

    assert (found.passes, found.median, found.by_touches) == (5, 1, (1, 2, 0, 0, 0, 0, 2))


def test_leads_touched_in_time_are_compared_with_late_ones_by_their_first_promise() -> None:
    passes = {1: a_pass(1, opportunity_at=AT), 2: a_pass(2), 3: a_pass(3, opportunity_at=AT)}
    first = {"kind": "first_attempt", "given": "attempted"}
    promises = [
        a_promise(1, **first, answered_at=START),
        a_promise(1, **first, answered_at=START + 9 * DAY, promised_at=START + 2 * HOUR),
        a_promise(2, **first, answered_at=START),
        a_promise(3, **first, answered_at=START + DAY),
    ]

    found = funnel.touched_in_time(passes, promises, WEEK)

    assert (found.in_time, found.late) == (Share(count=1, of=2), Share(count=1, of=1))


def test_recycled_leads_have_a_yield_of_their_own() -> None:
    passes = [
        a_pass(1, ended_at=AT, opportunity_at=AT, came_back=True),
        a_pass(2, ended_at=AT, came_back=True),
        a_pass(3, ended_at=AT),
        a_pass(4, ended_at=AT, mql_at=None),
    ]

    found = funnel.recycled(passes, WEEK)

    assert (found.came_back, found.new) == (Share(count=1, of=2), Share(count=0, of=1))


@pytest.mark.parametrize(
    ("words", "day", "first", "last"),
    [
        ("9 per week", date(2027, 2, 7), date(2027, 2, 1), date(2027, 2, 7)),
        ("9 per month", date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        ("9 per month", date(2027, 12, 31), date(2027, 12, 1), date(2027, 12, 31)),
        ("9 per quarter", date(2027, 8, 15), date(2027, 7, 1), date(2027, 9, 30)),
        ("9 per quarter", date(2027, 12, 1), date(2027, 10, 1), date(2027, 12, 31)),
        ("9 per year", date(2028, 6, 1), date(2028, 1, 1), date(2028, 12, 31)),
    ],
)
def test_the_days_of_an_aim(words: str, day: date, first: date, last: date) -> None:
    assert days_of(aim(words), day) == (first, last)


def test_a_share_has_no_days() -> None:
    with pytest.raises(ValueError, match="has no period"):
        days_of(aim("70%"), date(2027, 2, 1))


def test_pace_counts_working_days_and_says_what_is_still_needed() -> None:
    """February 2027 has 20 working days in London, 5 of them in the first week."""
    found = pace(aim("120 per month"), 25, WEEK, example().calendar())

    assert (found.working_days_passed, found.working_days, found.expected, found.on_pace) == (5, 20, 30, False)
    assert found.needed_a_day == pytest.approx(95 / 15, abs=0.01)


def test_a_day_that_is_not_over_has_not_passed() -> None:
    so_far = Period(WEEK.first, WEEK.last, WEEK.zone, START + 2 * DAY)

    assert pace(aim("120 per month"), 12, so_far, example().calendar()).working_days_passed == 2


def test_nothing_is_needed_after_the_last_day() -> None:
    month = Period(date(2027, 2, 1), date(2027, 2, 28), "Europe/London", START + 60 * DAY)

    found = pace(aim("120 per month"), 121, month, example().calendar())

    assert (found.expected, found.needed_a_day, found.on_pace) == (120, None, True)


def test_all_nine_aims_are_measured_with_or_without_a_target() -> None:
    passes = [a_pass(1, accepted_at=AT, touches=1, ended_at=AT, opportunity_at=AT), a_pass(2, given_back_at=AT, ended_at=AT), a_pass(3)]
    promises = [
        a_promise(1, given="accepted", answered_at=START),
        a_promise(1, kind="first_attempt"),
        a_promise(1, kind="delivery", owed_by="marketing"),
    ]

    found = measured(passes=passes, promises=promises, deals=[a_deal(1)], not_shown=[a_pass(4, opportunity_at=AT)])

    shares = {name: (one.share.count, one.share.of) for name, one in found.items() if one.share}
    assert shares == {
        "accepted": (1, 2), "delivery": (0, 1), "speed_to_lead": (0, 1), "worked": (1, 1), "mql_to_opportunity": (1, 2), "answered": (1, 1),
    }  # fmt: skip
    assert (found["mqls"].count, found["opportunities"].count, found["pipeline"].amount, found["pipeline"].currency) == (3, 2, 1000, "EUR")
    assert {name for name, one in found.items() if one.target} == {"mqls", "accepted", "speed_to_lead", "worked", "mql_to_opportunity"}
    assert [found[name].reached for name in ("accepted", "worked", "mqls", "answered")] == [False, True, False, None]


def test_a_period_without_anything_reaches_and_misses_no_share() -> None:
    found = measured()

    assert len(found) == 9
    assert {one.reached for one in found.values() if one.share} == {None}
    assert behind(found["accepted"]) == 0
    assert found["pipeline"].amount == 0


def test_a_first_attempt_that_is_not_due_yet_is_no_unworked_lead() -> None:
    waiting, ended = a_pass(1, accepted_at=AT), a_pass(3, accepted_at=AT, ended_at=AT)
    missed = a_pass(2, accepted_at=AT, not_attempted_at=AT + HOUR)

    found = measured(passes=[waiting, missed, ended])

    assert found["worked"].share == Share(count=0, of=2)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("accepted", {"accepted_at": AT}),
        ("accepted", {"missed_at": AT, "accepted_at": AT + 8 * DAY}),
        ("accepted", {"given_back_at": AT, "accepted_at": AT + 8 * DAY}),
        ("accepted", {"at": START - DAY, "accepted_at": AT}),
        ("accepted", {"at": START - DAY, "missed_at": AT, "given_back_at": AT + 8 * DAY}),
        ("worked", {"accepted_at": START - DAY, "first_touch_at": AT, "touches": 1}),
        ("worked", {"accepted_at": AT, "first_touch_at": START - DAY, "touches": 1}),
        ("worked", {"accepted_at": START - DAY, "not_attempted_at": AT, "first_touch_at": AT + 8 * DAY, "touches": 1}),
        ("worked", {"accepted_at": START - DAY, "not_attempted_at": AT, "ended_at": AT + 8 * DAY}),
    ],
)
def test_a_lead_counts_in_the_one_week_in_which_it_is_decided(name: str, changes: dict[str, Any]) -> None:
    known = Period(WEEK.first - timedelta(days=7), WEEK.last + timedelta(days=14), WEEK.zone, START + 60 * DAY)
    weeks = [
        Period(known.first + timedelta(days=7 * number), known.first + timedelta(days=7 * number + 6), WEEK.zone, known.now)
        for number in range(4)
    ]
    by = Measured((a_pass(1, **changes),), (), (), (), example())

    assert [by.shares(week)[name].of for week in weeks] == [0, 1, 0, 0]
    assert by.shares(known)[name].of == 1


def test_currencies_are_never_mixed_and_each_has_its_worth() -> None:
    own = [
        a_deal(1, campaigns=("spring", "fair")),
        a_deal(2, currency="GBP", amount=None, campaigns=("spring", "spring")),
        a_deal(3, opened_at=START - 90 * DAY, settled_at=AT, state=OpportunityState.WON, days=14),
        a_deal(4, opened_at=START - 90 * DAY, settled_at=AT, state=OpportunityState.LOST),
        a_deal(5, opened_at=START - 90 * DAY),
    ]

    euros, pounds = deals.money(own, WEEK)

    assert (euros.currency, euros.opened, euros.opened_amount) == ("EUR", Share(count=1, of=1), 1000)
    assert (euros.won.of, euros.won_amount, euros.lost.of, euros.lost_amount) == (1, 1000, 1, 1000)
    assert (pounds.currency, pounds.opened, pounds.opened_amount) == ("GBP", Share(count=0, of=1), 0)
    listed = [(one.which, one.campaign, one.money.currency, one.money.opened.of) for one in deals.by_campaign(own, WEEK)]
    assert listed == [
        ("first", "", "EUR", 0), ("first", "spring", "EUR", 1), ("first", "spring", "GBP", 1),
        ("last", "", "EUR", 0), ("last", "fair", "EUR", 1), ("last", "spring", "GBP", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "quartiles"), [([], None), ([-2], None), ([14], (14, 14, 14)), ([1, 5, 14, 55, 427, -2], (5, 14, 55)), ([None], None)]
)
def test_days_to_a_win_leave_out_what_cannot_be(days: list[int | None], quartiles: tuple[float, ...] | None) -> None:
    own = [a_deal(at, settled_at=AT, state=OpportunityState.WON, days=one) for at, one in enumerate(days)]

    found = deals.days_to_won(own, WEEK)

    assert (found.won, found.quartiles, found.counted) == (len(days), quartiles, sum(one is not None and one >= 0 for one in days))
    assert found.longest == (max(one for one in days if one is not None) if quartiles else None)


def test_a_young_month_is_marked_by_nine_of_ten_or_by_the_clocks() -> None:
    """Twenty MQLs were accepted within a day, so a month is old enough a day after its end; nobody knows yet how long wins take."""
    older = [a_pass(at, START - 40 * DAY, accepted_at=START - 40 * DAY + at * HOUR) for at in range(1, 21)]
    newer = [a_pass(30, accepted_at=AT), a_pass(31, accepted_at=AT, sql_at=AT, opportunity_at=AT)]
    own = [*older, *newer]

    found = {one.step: one for one in cohorts.maturities(own, {31: AT}, example(), WEEK.begins)}
    [december, february] = cohorts.cohorts(own, {31: AT}, WEEK, list(found.values()))

    assert (found["sal"].because, found["sal"].seconds) == ("nine of ten", 18 * 3600)
    assert (found["sql"].because, found["won"].because, found["won"].seconds) == ("clocks", "unknown", None)
    assert timedelta(seconds=found["sql"].seconds or 0) > 12 * DAY
    assert (december.month, december.mqls, december.sal.young, december.won.young) == ("2026-12", 20, False, True)
    assert (february.month, february.sal.young, february.opportunity.reached) == ("2027-02", True, Share(count=1, of=2))
    assert february.won.reached == Share(count=1, of=2)


def test_reasons_are_counted_by_source_and_an_alert_needs_twenty() -> None:
    given = [*(given_back(at, source="fair") for at in range(15)), *(given_back(at, "not-now", against="nobody") for at in range(20, 25))]
    reason = example().reason("not-icp")
    assert reason is not None
    alerting = example().model_copy(update={"reasons": (reason.model_copy(update={"alert_above": 70}),)})

    first, second = reasons.reasons(given, alerting, WEEK)
    fewer, _ = reasons.reasons(given[1:], alerting, WEEK)

    assert (first.reason, first.given, first.by_source, first.alert) == ("not-icp", Share(count=15, of=20), {"fair": 15}, True)
    assert (second.label, second.counts_against, second.alert) == ("not-now", "nobody", False)
    assert fewer.alert is False
    assert reasons.against(given, WEEK) == {"marketing": 15, "routing": 0, "nobody": 5}


def test_an_overturned_rejection_counts_against_nobody() -> None:
    given = [given_back(1, disputed=True, ruling="overturned"), given_back(2, disputed=True), given_back(3, disputed=True, ruling="upheld")]

    found = reasons.disputes(given, WEEK)

    assert reasons.against(given, WEEK) == {"marketing": 2, "routing": 0, "nobody": 0}
    assert [one.count for one in (found.raised, found.upheld, found.overturned, found.open)] == [3, 1, 1, 1]


def test_the_sources_are_in_alphabetical_order() -> None:
    passes = [a_pass(1, source="web", accepted_at=AT), a_pass(2, source="fair"), a_pass(3, source="web")]

    found = funnel.by_source(passes, WEEK, {3})

    assert [(one.source, one.mqls, one.accepted.count, one.won.count) for one in found] == [("fair", 1, 0, 0), ("web", 2, 1, 1)]


def test_an_opportunity_of_no_pass_is_no_pipeline_and_a_currency_without_news_no_line() -> None:
    own = deals.from_leads([a_deal(1, pass_id=None), a_deal(2, currency="USD", opened_at=START - 90 * DAY)])

    assert [one.crm_id for one in own] == ["D2"]
    assert deals.money(own, WEEK) == ()


def test_the_pipeline_is_told_in_a_currency_in_which_something_is_worth() -> None:
    bare = [a_deal(at, amount=None, currency="") for at in range(5)]

    assert (found := measured(deals=[*bare, a_deal(9, currency="BRL")])["pipeline"]).amount == 1000
    assert found.currency == "BRL"


def test_every_month_of_a_long_period_is_followed() -> None:
    long = Period(date(2025, 6, 14), date(2026, 11, 2), "Europe/London", START)

    assert (long.months[0], len(long.months), long.months[-1]) == (date(2025, 6, 1), 18, date(2026, 11, 1))


def test_a_day_that_the_crm_named_is_a_day_of_the_zone() -> None:
    west, east = (Period(WEEK.first, WEEK.last, zone, START) for zone in ("America/Sao_Paulo", "Asia/Tokyo"))

    assert [one.named(datetime(2027, 2, 1, tzinfo=UTC)).astimezone(UTC).hour for one in (west, east)] == [3, 15]
    assert west.holds(west.named(datetime(2027, 2, 1, tzinfo=UTC)))
    assert west.named(START) == START


def test_a_won_lead_is_an_opportunity_whatever_its_rep_told() -> None:
    own = [a_deal(1, state=OpportunityState.WON, settled_at=START - DAY), a_deal(2), a_deal(3, state=OpportunityState.WON, settled_at=AT)]

    found = deals.won_too([a_pass(1), a_pass(2), a_pass(3, opportunity_at=START, sql_at=START)], own)

    assert [(one.opportunity_at, one.sql_at) for one in found] == [(START, START), (None, None), (START, START)]


def test_an_opportunity_that_ended_before_it_began_has_no_days() -> None:
    own = [a_deal(1, settled_at=AT, state=OpportunityState.WON, days=7, faults=("closed-before-opened",))]

    assert deals.days_to_won(own, WEEK) == deals.DaysToWon(won=1, quartiles=None)


def test_facts_are_read_from_the_oldest_month_that_is_followed() -> None:
    assert WEEK.months[0] == date(2026, 2, 1)
    assert WEEK.known_since == datetime(2026, 2, 1, tzinfo=UTC)

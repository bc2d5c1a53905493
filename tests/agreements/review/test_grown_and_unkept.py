"""Proposals about reasons and clocks: what was planted in a made-up quarter is named, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.review.grown_reasons import grown_reasons
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise
from agreements.review.proposal import Change, Proposal, chosen
from agreements.review.reasons import GivenBack
from agreements.review.unkept_clocks import unkept_clocks
from tests.agreements.review.values import DAY, HOUR, START, a_pass, a_promise, example, given_back
from tests.conftest import AGREEMENT

MARCH = Period(date(2027, 3, 1), date(2027, 3, 31), "Europe/London", START + 90 * DAY)
SOURCES = ("website", "fair", "partner")
#: Of ten leads given back, how many for which reason.
USUAL = ("not-now", "not-now", "not-now", "no-response", "no-response", "no-budget", "no-budget", "not-icp", "other", "bad-data")


def quarter(seed: int, *, doubled: str = "", source: str = "") -> tuple[list[Pass], list[GivenBack]]:
    """Return four months of leads, of which sales gives back four of ten; in March one reason comes twice as often, from one source."""
    dice, passes, given = Random(seed), [], []
    for number in range(4_000):
        at = MARCH.begins - 91 * DAY + timedelta(minutes=number * 43)
        one = a_pass(number, at, source=dice.choice(SOURCES))
        passes.append(one)
        reason = dice.choice(USUAL) if dice.random() < 0.4 else ""
        if not reason and doubled and at >= MARCH.begins and source in ("", one.source) and dice.random() < (0.4 if source else 0.1):
            reason = doubled
        if reason:
            given.append(given_back(number, reason, at=at + HOUR, source=one.source))
    return passes, given


def named(seed: int, *, doubled: str = "", source: str = "") -> list[Proposal]:
    passes, given = quarter(seed, doubled=doubled, source=source)
    return list(grown_reasons(passes, given, {}, example(), MARCH))


@pytest.mark.parametrize("seed", range(5))
def test_a_reason_that_grew_is_named_and_no_other(seed: int) -> None:
    assert named(seed) == []
    assert [one.subject for one in named(seed, doubled="not-icp")] == ["not-icp"]


@pytest.mark.long
def test_over_a_hundred_quarters_no_reason_is_named_that_did_not_grow() -> None:
    assert [one for seed in range(100, 200) for one in named(seed)] == []
    assert {one.subject for seed in range(100, 200) for one in named(seed, doubled="not-icp")} == {"not-icp"}


def test_a_reason_that_grew_for_one_source_only_names_the_source() -> None:
    (found,) = named(3, doubled="not-icp", source="fair")

    assert "has grown for leads from fair, and for no others" in found.what
    assert found.grounds[1].startswith("Of those from fair, ")


def test_a_grown_reason_gets_the_limit_it_kept_before_and_names_whom_to_talk_with() -> None:
    (found,) = named(3, doubled="not-icp")
    place = [one.code for one in example().reasons].index("not-icp")

    assert found.changes == (Change(path=("reasons", place, "alert_above"), value="15%"),)
    assert "Talk with marketing about it" in found.what


def test_leads_of_a_version_that_qualifies_otherwise_or_lacks_the_reason_are_not_compared() -> None:
    passes, given = quarter(3, doubled="not-icp")
    before = [replace(one, version=1) if one.began_at < MARCH.begins else replace(one, version=2) for one in passes]
    stricter = example().model_copy(update={"qualification": example().qualification.model_copy(update={"fast_lane": ()})})
    without = example().model_copy(update={"reasons": tuple(one for one in example().reasons if one.code != "not-icp")})

    for other in (stricter, without):
        assert list(grown_reasons(before, given, {1: other, 2: example()}, example(), MARCH)) == []
    assert len(list(grown_reasons(before, given, {1: example(), 2: example()}, example(), MARCH))) == 1


def test_a_reason_that_came_often_in_one_week_only_has_not_grown() -> None:
    passes, given = quarter(1)
    of_week = [one for one in passes if MARCH.week(one.began_at) == date(2027, 3, 8)]
    more = [given_back(one.id, "not-icp", at=one.began_at + HOUR, source=one.source) for one in of_week]

    assert len(of_week) > 200
    assert list(grown_reasons(passes, [*given, *more], {}, example(), MARCH)) == []


def test_rejections_that_a_manager_overturned_make_no_reason_grow() -> None:
    passes, given = quarter(1)
    more = [given_back(one.id, "not-icp", at=one.began_at, ruling="overturned") for one in passes if one.began_at >= MARCH.begins]

    assert list(grown_reasons(passes, [*given, *more], {}, example(), MARCH)) == []


def answers(count: int, *, late: int, after: timedelta, weeks: int = 4) -> list[Promise]:
    """Return acceptances that were due after four hours, on Mondays of March: all in time but so many, which came so long after it."""
    mondays = [datetime(2027, 3, 1, 9, tzinfo=UTC) + timedelta(weeks=number % weeks) for number in range(count)]
    return [
        a_promise(number, began_at=at, promised_at=at + 4 * HOUR, given="accepted", answered_at=at + (after if number < late else HOUR))
        for number, at in enumerate(mondays)
    ]


def clocks(promises: list[Promise], versions: Mapping[int, Agreement] | None = None) -> list[Proposal]:
    return list(unkept_clocks(promises, versions or {}, example(), MARCH))


def test_a_clock_that_is_kept_or_has_few_promises_calls_for_nothing() -> None:
    assert clocks(answers(40, late=15, after=DAY)) == []
    assert clocks(answers(19, late=19, after=DAY)) == []


def test_a_clock_that_nobody_keeps_gets_the_time_that_is_enough_for_four_of_five() -> None:
    (found,) = clocks(answers(40, late=36, after=6 * HOUR))

    assert found.what.startswith("Nobody keeps the clock for 'acceptance'. Agree 2 times as long")
    assert found.changes == (
        Change(path=("clocks", "acceptance", "within"), value={"hot": "60 working minutes", "normal": "8 working hours"}),
        Change(path=("clocks", "acceptance", "total"), value={"hot": "4 working hours", "normal": "24 working hours"}),
    )


def test_no_longer_time_is_proposed_where_it_would_not_help() -> None:
    (found,) = clocks(answers(40, late=36, after=25 * DAY))

    assert (found.changes, "a longer time would not help" in found.what) == ((), True)


def test_one_week_without_anybody_makes_no_clock_unkept() -> None:
    assert clocks([*answers(40, late=40, after=DAY, weeks=1), *answers(30, late=10, after=DAY)]) == []


def test_promises_under_a_version_with_another_clock_do_not_count() -> None:
    other = read_agreement(AGREEMENT.replace("normal: 4 working hours", "normal: 2 working hours"))
    late = answers(40, late=36, after=6 * HOUR)

    assert len(clocks(late, dict.fromkeys(range(40), example()))) == 1
    assert clocks(late, dict.fromkeys(range(40), other)) == []


def test_misses_that_others_caused_make_no_clock_unkept() -> None:
    sent_wrongly = [
        a_promise(number, promised_at=at, given="returned", answered_at=at + HOUR, against="routing", began_at=at)
        for at in [datetime(2027, 3, 2, 9, tzinfo=UTC)]
        for number in range(60)
    ]

    assert clocks([*answers(25, late=2, after=DAY), *sent_wrongly]) == []


def test_at_most_three_proposals_stand_the_widest_first_and_none_twice() -> None:
    def one(subject: str, leads: int) -> Proposal:
        return Proposal(kind="reason", subject=subject, what="", grounds=(), leads=leads)

    assert [each.subject for each in chosen([one("a", 1), one("b", 9), one("b", 8), one("c", 3), one("d", 5)])] == ["b", "d", "c"]

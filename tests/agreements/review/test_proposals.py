"""What a review puts before both sides: three things to decide, eight leads to discuss, and notes about what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from agreements.lifecycle import Stage
from agreements.review.cohorts import Cohort, Step
from agreements.review.funnel import left_alone
from agreements.review.notes import notes
from agreements.review.objectives import Objective
from agreements.review.pace import Pace
from agreements.review.period import Period
from agreements.review.reasons import Disputes, ReasonCount
from agreements.review.share import Share
from agreements.review.to_decide import ToDecide, to_decide
from agreements.review.to_discuss import to_discuss
from agreements.words import OpportunityState
from tests.agreements.review.values import DAY, HOUR, START, WEEK, a_deal, a_pass, a_promise, given_back

AT = START + HOUR
NONE = Share()
NO_DISPUTES = Disputes(raised=NONE, upheld=NONE, overturned=NONE, open=NONE)


def an_objective(count: int, of: int, **changes: Any) -> Objective:
    base = {
        "side": "sales",
        "aim": "answered",
        "words": "answers in time",
        "target": "90%",
        "share": Share(count=count, of=of),
        "reached": False,
    }
    return Objective(**{**base, "share": Share(count=count, of=of), **changes})


def a_month(month: str, count: int, of: int, *, young: bool = False) -> Cohort:
    step = Step(reached=Share(count=count, of=of), young=young)
    return Cohort(month=month, mqls=of, sal=step, sql=step, opportunity=step, won=step)


def a_reason(count: int, of: int, *, alert: bool) -> ReasonCount:
    share = Share(count=count, of=of)
    plain: dict[str, Any] = {"reason": "not-icp", "label": "Not ours", "counts_against": "marketing", "by_source": {}}
    return ReasonCount(**plain, given=share, of_month=share, alert_above=20, alert=alert)


def decided(**changes: Any) -> tuple[ToDecide, ...]:
    base: dict[str, Any] = {"objectives": (), "reasons": (), "cohorts": (), "alone": NONE, "disputes": NO_DISPUTES}
    return to_decide(**{**base, **changes})


def test_a_quiet_period_has_nothing_to_decide() -> None:
    assert decided(objectives=[an_objective(95, 100, reached=True)], reasons=[a_reason(5, 100, alert=False)]) == ()


def test_the_promise_that_is_farthest_off_comes_first_and_each_kind_once() -> None:
    found = decided(objectives=[an_objective(80, 100, aim="worked"), an_objective(45, 90)], reasons=[a_reason(30, 100, alert=True)])

    assert [(one.kind, one.subject, one.side, one.weight) for one in found] == [
        ("missed-promise", "answered", "sales", 0.444444),
        ("reason-above-alert", "not-icp", "marketing", 0.3),
    ]
    assert found[0].what == "Sales promised 90% for 'answers in time' and reached 45 of 90 (50 %)."


def test_a_share_of_few_is_no_matter_to_decide() -> None:
    assert decided(objectives=[an_objective(0, 19)]) == ()


def test_a_number_that_is_behind_its_pace_is_one() -> None:
    pace = Pace(
        per="month", first=WEEK.first, last=WEEK.last, target=120, done=15, expected=30,
        working_days_passed=5, working_days=20, needed_a_day=7, on_pace=False,
    )  # fmt: skip

    [found] = decided(objectives=[an_objective(0, 0, side="marketing", aim="mqls", target="120 per month", share=None, pace=pace)])

    assert (found.weight, found.evidence) == (0.5, None)
    assert found.what.endswith("has 15 of the 30 expected so far.")


@pytest.mark.parametrize(
    ("months", "found"),
    [
        ([a_month("2027-01", 20, 100), a_month("2027-02", 10, 100)], ["2027-02"]),
        ([a_month("2027-01", 20, 100), a_month("2027-02", 15, 100)], []),
        ([a_month("2027-01", 20, 100), a_month("2027-02", 1, 100, young=True)], []),
        ([a_month("2027-01", 20, 100), a_month("2027-02", 0, 19)], []),
        ([a_month("2027-02", 0, 100)], []),
        ([a_month("2027-01", 0, 100), a_month("2027-02", 0, 100)], []),
    ],
)
def test_a_cohort_that_fell_by_more_than_a_quarter_is_one(months: list[Cohort], found: list[str]) -> None:
    assert [one.subject for one in decided(cohorts=months)] == found


def test_leads_that_nobody_touches_and_overturned_rejections_are_matters_too() -> None:
    passes = [a_pass(at, accepted_at=AT, touches=int(at < 5)) for at in range(20)]
    disputes = Disputes(
        raised=Share(count=30, of=40), upheld=Share(count=14, of=30), overturned=Share(count=6, of=30), open=Share(count=10, of=30)
    )

    found = decided(alone=left_alone(passes, WEEK), disputes=disputes)

    assert [(one.kind, one.evidence) for one in found] == [
        ("never-touched", Share(count=15, of=20)),
        ("overturned", Share(count=6, of=20)),
    ]


def test_leads_that_sales_gave_back_or_may_still_answer_are_not_left_alone() -> None:
    passes = [
        *(a_pass(at, accepted_at=AT, touches=1) for at in range(20)),
        *(a_pass(at, given_back_at=AT, ended_at=AT) for at in range(20, 50)),
        *(a_pass(at) for at in range(50, 70)),
        a_pass(70, missed_at=AT),
    ]

    assert left_alone(passes, WEEK) == Share(count=1, of=21)
    assert decided(alone=left_alone(passes, WEEK)) == ()


def test_there_are_never_more_than_three() -> None:
    found = decided(
        objectives=[an_objective(10, 100)],
        reasons=[a_reason(30, 100, alert=True)],
        cohorts=[a_month("2027-01", 20, 100), a_month("2027-02", 1, 100)],
        alone=Share(count=20, of=20),
    )

    assert [one.kind for one in found] == ["never-touched", "cohort-fell", "missed-promise"]


def test_the_leads_to_discuss_are_of_different_kinds_and_none_comes_twice() -> None:
    passes = {at: a_pass(at) for at in range(1, 30)}
    passes[2] = a_pass(2, accepted_at=AT)
    passes[3] = a_pass(3, stage=Stage.STUCK)
    passes[4] = a_pass(4, reps=4)
    passes[9] = a_pass(9, at=START - HOUR, accepted_at=START, opportunity_at=AT)
    given = [given_back(5), given_back(6, disputed=True, ruling="overturned")]
    promises = [a_promise(at) for at in (7, 7, 5, *range(10, 20))]

    found = to_discuss(passes, promises, given, [a_deal(8, settled_at=AT, state=OpportunityState.LOST)], WEEK)

    assert [(one.lead, one.why) for one in found] == [
        (6, "overturned"), (8, "lost"), (2, "never-touched"), (3, "stuck"), (4, "many-reps"),
        (5, "sent-wrongly"), (7, "missed"), (10, "missed"),
    ]  # fmt: skip
    assert found[1].what == "An opportunity of 1,000 EUR was lost."
    assert found[6].what == "2 promises about it were missed."


def test_what_cannot_be_is_said() -> None:
    passes = [a_pass(1, touches=1, first_touch_at=START - DAY), a_pass(2, merged=True, ended_at=AT), a_pass(3, version=2)]
    own = [
        a_deal(1, lead_id=None, pass_id=None),
        a_deal(2, pass_id=None),
        a_deal(3, faults=("closed-before-opened",), days=-2, state=OpportunityState.WON, settled_at=AT),
        a_deal(4, amount=None, faults=("amount-no-number",)),
        a_deal(5, currency=""),
    ]

    found = {one.code: one for one in notes(passes, own, [a_pass(9, opportunity_at=AT)], WEEK)}

    assert {code: (one.count, one.which) for code, one in found.items()} == {
        "several-versions": (2, ()),
        "came-twice": (1, ("2",)),
        "out-of-order": (1, ("1",)),
        "opportunity-not-shown": (1, ("9",)),
        "opportunity-without-lead": (1, ("D1",)),
        "opportunity-without-pass": (1, ("D2",)),
        "closed-before-opened": (1, ("D3",)),
        "won-before-the-lead-came": (1, ("D3",)),
        "faulty-opportunity": (1, ("D4",)),
        "no-currency": (1, ("D5",)),
        "no-amount": (1, ("D4",)),
    }


def test_an_empty_period_and_one_that_is_not_over_are_named() -> None:
    so_far = Period(WEEK.first, WEEK.last, WEEK.zone, START)

    assert [one.code for one in notes((), (), (), WEEK)] == ["empty-period"]
    assert [one.code for one in notes((), (), (), so_far)] == ["empty-period", "period-not-over"]

"""Proposals about points: the planted cause of a made-up quarter is named, and nothing is named in a quarter without one."""

from __future__ import annotations

import pytest

from agreements.checks import problems_of
from agreements.differences import differences_by_part
from agreements.loading import read_agreement
from agreements.review.better_threshold import AtLeast, better_threshold
from agreements.review.share import Share
from app.backtest.compare import compare
from app.review.proposing import of_points, with_draft
from tests.agreements.review.values import WEEK
from tests.app.review.made_quarter import IDLE, quarter, the_agreement, the_text, without_law
from tests.examples import at_night
from tests.present import the

FEW = range(1)
#: As many as there is time for.
MANY = range(1, at_night(101, before_a_change=31))


def named(agreement: object, past: object) -> list[tuple[str, str]]:
    return [(one.kind, one.subject) for one in of_points(agreement, past)]  # type: ignore[arg-type]


def planted(seed: int) -> tuple[list[tuple[str, str]], ...]:
    """Return what is named without a cause, with a criterion that says nothing, and with a threshold ten points too low."""
    return (
        named(the_agreement(), quarter(seed, **without_law(seed))),
        named(the_agreement(idle=20), quarter(seed)),
        named(the_agreement(), quarter(seed, middle=60, steep=4)),
    )


@pytest.mark.parametrize("seed", FEW)
def test_the_planted_cause_is_named_and_nothing_else(seed: int) -> None:
    nothing, criterion, threshold = planted(seed)

    assert nothing == []
    assert [kind for kind, _ in criterion] == ["criterion"]
    assert IDLE in criterion[0][1]
    assert threshold == [("threshold", "total")]


@pytest.mark.long
def test_over_many_quarters_the_cause_is_nearly_always_named_and_never_a_wrong_one() -> None:
    found = [planted(seed) for seed in MANY]

    assert [one for one, _, _ in found if one] == []
    assert [one for _, one, _ in found if any(kind != "criterion" or IDLE not in words for kind, words in one)] == []
    assert [one for _, _, one in found if set(one) - {("threshold", "total")}] == []
    assert sum(bool(one) for _, one, _ in found) >= 0.99 * len(MANY)
    assert sum(bool(one) for _, _, one in found) >= 0.95 * len(MANY)


def test_the_proposed_threshold_is_ten_points_higher_and_says_why() -> None:
    (found,) = of_points(the_agreement(), quarter(1, middle=60, steep=4))

    assert [(one.path, one.value) for one in found.changes] == [(("qualification", "mql", "total"), 60)]
    assert found.grounds[0].startswith("Of the leads with 50 to 59 points, ")
    assert found.leads > 100


def test_a_criterion_that_changes_no_verdict_is_named_by_its_place() -> None:
    agreement = the_agreement(never=True)

    (found,) = of_points(agreement, quarter(1))

    assert "changed the verdict on none of them" in found.grounds[0]
    assert [(one.path, one.value) for one in found.changes] == [(("qualification", "fit", 6), None)]


@pytest.mark.parametrize(("idle", "middle", "steep"), [(20, 50, 6), (0, 60, 4)])
def test_each_has_a_draft_that_passes_its_check_and_is_better_on_the_same_leads(idle: int, middle: float, steep: float) -> None:
    past = quarter(1, middle=middle, steep=steep)
    (one,) = of_points(the_agreement(idle=idle), past)

    found = with_draft(one, the_agreement(idle=idle), the_text(idle=idle), past, WEEK, version=7)
    draft, tried = read_agreement(found.draft), the(found.tried)

    assert (draft.version, problems_of(draft)) == (7, [])
    assert differences_by_part(the_agreement(idle=idle), draft)["qualification"] != ()
    assert tried.then < tried.now
    assert (tried.then_won.share or 0) > (tried.now_won.share or 1)
    assert tried.then == compare(draft, None, past).draft.qualified.leads


def test_a_criterion_that_every_lead_has_goes_with_its_points_of_the_threshold() -> None:
    past = quarter(1, leads=700)
    agreement, text = the_agreement(always=10, total=60), the_text(always=10, total=60)

    (one,) = of_points(agreement, past)
    found = with_draft(one, agreement, text, past, WEEK, version=7)

    assert one.what.endswith("and change the threshold by as many points: every lead has it.")
    assert one.grounds == ("It held for all of the 700 leads that points alone decided about, so it does not tell them apart.",)
    assert [change.value for change in one.changes] == [None, 50]
    assert (the(found.tried).now, the(found.tried).now_won) == (the(found.tried).then, the(found.tried).then_won)


def test_wins_that_follow_the_points_without_exception_tell_which_criterion_says_nothing() -> None:
    past = quarter(1, leads=1_000, steep=0.1, highest=1.0)

    assert [(one.kind, IDLE in one.subject) for one in of_points(the_agreement(idle=20), past)] == [("criterion", True)]
    assert list(of_points(the_agreement(), past)) == []


@pytest.mark.parametrize(("won", "named"), [(14, True), (4, False)])
def test_a_band_in_which_nobody_wins_is_named_where_chance_cannot_explain_it_with_so_few_wins(won: int, named: bool) -> None:
    above, below = AtLeast(48, Share(count=won, of=48)), AtLeast(110, Share(count=won, of=110))

    found = better_threshold([below] * 51 + [above] * 50, 50, agreed=0.15)

    assert (found is not None) is named


def test_few_leads_call_for_nothing() -> None:
    assert named(the_agreement(idle=20), quarter(1, leads=150, middle=60, steep=4)) == []

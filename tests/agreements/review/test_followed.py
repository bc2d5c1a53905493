"""What became of a proposal: whether a later version has its change, and the figure that it was to move before and since."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from agreements.model import Agreement
from agreements.review.followed import Figures, Source, followed, has_change
from agreements.review.proposal import Change, ProposalKind
from agreements.review.share import Share
from tests.agreements.review.values import DAY, HOUR, START, WEEK, a_pass, a_promise, given_back
from tests.app.backtest.ground import an_agreement, example

LONGER = {"hot": "60 working minutes", "normal": "8 working hours"}
#: What each kind of proposal wants, what the agreement says afterwards, and about what it is.
WANTED: dict[ProposalKind, tuple[str, Change, dict[str, Any]]] = {
    "threshold": ("total", Change(path=("qualification", "mql", "total"), value=60), {"qualification": {"mql": {"total": 60}}}),
    "criterion": (
        "industry is software",
        Change(path=("qualification", "fit", 0), value=None),
        {"qualification": {"fit": [{"when": {"employees": {"at_least": 100}}, "points": 20}]}},
    ),
    "reason": (
        "not-icp",
        Change(path=("reasons", 4, "alert_above"), value="15%"),
        {"reasons": [{**one, **({"alert_above": "15%"} if one["code"] == "not-icp" else {})} for one in example("reasons")]},
    ),
    "clock": (
        "acceptance",
        Change(path=("clocks", "acceptance", "within"), value=LONGER),
        {"clocks": {**example("clocks"), "acceptance": {**example("clocks")["acceptance"], "within": LONGER}}},
    ),
}


def source(kind: ProposalKind, *, changes: tuple[Change, ...] | None = None) -> Source:
    subject, change, _ = WANTED[kind]
    return Source(
        kind=kind, subject=subject, what="", changes=(change,) if changes is None else changes, version=1, first=WEEK.first,
        last=WEEK.last, figure=Share(count=1, of=40),
    )  # fmt: skip


@pytest.mark.parametrize("kind", list(WANTED))
def test_a_version_has_the_change_or_not(kind: ProposalKind) -> None:
    assert not has_change(an_agreement(), source(kind))
    assert has_change(an_agreement(2, **WANTED[kind][2]), source(kind))


def test_the_first_later_version_in_force_with_the_change_has_adopted_it() -> None:
    with_it: dict[str, Any] = WANTED["threshold"][2]
    versions: dict[int, Agreement] = {
        1: an_agreement(1, **with_it),
        2: an_agreement(2, effective={"from": date(2027, 1, 4)}),
        3: an_agreement(3, effective={"from": date(2027, 1, 11)}, **with_it),
        4: an_agreement(4, effective={"from": date(2027, 1, 18)}, **with_it),
    }
    nothing = Figures((), (), ())

    assert (found := followed(source("threshold"), nothing, versions, WEEK)).adopted == 3
    assert found.adopted_on == date(2027, 1, 11)
    assert followed(source("threshold", changes=()), nothing, versions, WEEK).adopted is None
    later = {1: versions[1], 2: an_agreement(2, effective={"from": WEEK.last + DAY}, **with_it)}
    assert followed(source("threshold"), nothing, later, WEEK).adopted is None


def test_the_figure_of_each_kind_is_counted_in_the_period_and_under_the_version() -> None:
    passes = [
        a_pass(1, version=1, ended_at=START + HOUR),
        a_pass(2, version=2, ended_at=START + HOUR, opportunity_at=START + HOUR),
        a_pass(3, version=2, ended_at=START + HOUR),
        a_pass(4, version=2, at=START - 30 * DAY, ended_at=START + HOUR, opportunity_at=START + HOUR),
        a_pass(5, version=2, merged=True, ended_at=START + HOUR),
    ]
    given = [given_back(1), given_back(3), given_back(4), given_back(2, ruling="overturned"), given_back(2, "no-budget")]
    promises = [a_promise(at, given="accepted", answered_at=START + (at - 1) * HOUR, against="nobody") for at in (1, 2, 3)]
    figures = Figures(passes, given, promises)

    found = {
        (kind, since): figures.of(kind, WANTED[kind][0], WEEK, since=since)
        for kind in ("threshold", "criterion", "reason", "clock")
        for since in (0, 2)
    }

    assert {key: (one.count, one.of) for key, one in found.items()} == {
        ("threshold", 0): (2, 4), ("threshold", 2): (2, 3), ("criterion", 0): (2, 4), ("criterion", 2): (2, 3),
        ("reason", 0): (2, 3), ("reason", 2): (1, 2), ("clock", 0): (2, 3), ("clock", 2): (1, 2),
    }  # fmt: skip

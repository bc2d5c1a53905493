"""Drafts: an agreement's own text with one change, with its comments and its layout."""

from __future__ import annotations

from datetime import date
from difflib import ndiff
from importlib.resources import files

import pytest

from agreements.loading import read_agreement
from agreements.review.proposal import Change, Proposal
from app.review.drafts import draft
from app.review.entry_removal import without

ON = date(2027, 4, 1)
EXAMPLES = ("starter", "b2b-saas", "multi-product", "marketplace")


def text_of(name: str) -> str:
    return files("agreements").joinpath("examples", f"{name}.yaml").read_text(encoding="utf-8")


def proposal(*changes: Change) -> Proposal:
    return Proposal(kind="threshold", subject="total", what="Raise it.", grounds=("Few were won.",), leads=1, changes=changes)


def made(text: str, *changes: Change) -> str:
    found = draft(text, proposal(*changes), version=2, effective=ON, origin="From a review.")
    assert found is not None
    return found[0]


@pytest.mark.parametrize("name", EXAMPLES)
def test_only_the_version_the_first_day_and_the_changed_line_differ(name: str) -> None:
    before = text_of(name)
    total = read_agreement(before).qualification.mql.total + 5

    after = made(before, Change(path=("qualification", "mql", "total"), value=total))
    added = [line for line in ndiff(before.splitlines(), after.splitlines()) if line.startswith("+ ")]

    assert added[:3] == ["+ # From a review.", "+ # Raise it.", "+ # Few were won."]
    assert len(added) == 6, added
    assert sum("#" in line for line in after.splitlines()) == sum("#" in line for line in before.splitlines()) + 3
    agreement = read_agreement(after)
    assert (agreement.version, agreement.effective.from_, agreement.qualification.mql.total) == (2, ON, total)


def test_a_criterion_is_taken_out_and_the_others_stay() -> None:
    before = text_of("b2b-saas")

    after = read_agreement(made(before, Change(path=("qualification", "fit", 1), value=None)))

    rules = read_agreement(before).qualification.fit
    assert after.qualification.fit == (rules[0], *rules[2:])


LISTED = """\
qualification:
  fit:
    # the first
    - {persona: ops-leader, points: 25}  # since May
    # the second
    - when: {email: free}
      # seldom a company
      points: -15

    # the third
    - {persona: sales-leader, points: 20}

  # what they did
  engagement: [{activity: form_submitted, points: 15}]
"""


@pytest.mark.parametrize(
    ("place", "gone"),
    [
        (0, "    - {persona: ops-leader, points: 25}  # since May\n"),
        (1, "    - when: {email: free}\n      # seldom a company\n      points: -15\n"),
        (2, "    - {persona: sales-leader, points: 20}\n"),
    ],
)
def test_an_entry_is_taken_out_with_its_own_lines_and_no_others(place: int, gone: str) -> None:
    assert without(LISTED, ("qualification", "fit", place)) == LISTED.replace(gone, "")


@pytest.mark.parametrize("path", [("qualification", "fit", 3), ("qualification", "engagement", 0), ("nothing", "fit", 0)])
def test_what_is_not_there_or_is_the_only_one_is_not_taken_out(path: tuple[str | int, ...]) -> None:
    assert without(LISTED, path) is None


def test_a_clock_that_the_text_leaves_out_is_written_whole_with_its_new_time() -> None:
    before = text_of("starter")

    after = read_agreement(made(before, Change(path=("clocks", "acceptance", "within"), value={"normal": "8 working hours"})))

    assert str(after.clock("acceptance").term("normal")) == "8 working hours"
    assert after.clock("acceptance").when_missed == read_agreement(before).clock("acceptance").when_missed


@pytest.mark.parametrize(
    "change",
    [
        Change(path=("qualification", "mql", "total"), value=400),
        Change(path=("qualification", "fit", 99), value=None),
        Change(path=("reasons", 99, "alert_above"), value=20),
    ],
    ids=["a value that check refuses", "no such criterion", "a reason that the text leaves out"],
)
def test_a_change_that_does_not_fit_gives_no_draft(change: Change) -> None:
    assert draft(text_of("starter"), proposal(change), version=2, effective=ON, origin="From a review.") is None

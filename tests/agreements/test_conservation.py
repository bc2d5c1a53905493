"""What counts as lost: the two counts side by side, what an open lead lacks, and whether its run fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from agreements.conservation import MEANS, FindingCode, OpenLead, RunSeen, compared, of_counts, of_open, of_run
from agreements.lifecycle import Stage

PEOPLE = ("ana", "ben")
ASKED = OpenLead(
    7,
    8,
    Stage.ASSIGNED,
    "ana",
    is_held=False,
    is_leased=False,
    is_woken=False,
    is_due=False,
    wait_kind="acceptance",
    is_answered=False,
    run_id="a-run",
)
PARKED = RunSeen("AwaitingAcceptance", is_over=False, is_parked=True)


def test_every_finding_says_what_to_do() -> None:
    assert set(MEANS) == set(get_args(FindingCode))
    assert all(todo for _, todo in MEANS.values())


def test_the_two_counts_stand_side_by_side_and_the_rows_that_differ_are_named() -> None:
    came = [("web", "2027-02-01", 2), ("web", "2027-02-02", 1), ("web", "2027-02-02", 1), ("fair", "2027-02-02", 1)]
    now = [("web", "2027-02-01", "assigned", 1), ("web", "2027-02-01", "nurturing", 1), ("web", "2027-02-02", "mql", 1)]

    rows = compared(came, [*now, ("list", "2027-02-03", "inquiry", 1)])

    assert [(one.day[-1], one.source, one.taken_in, one.in_stages) for one in rows] == [
        ("1", "web", 2, 2),
        ("2", "fair", 1, 0),
        ("2", "web", 2, 1),
        ("3", "list", 0, 1),
    ]
    assert [one.what for one in of_counts(rows)] == [
        "fair, 2027-02-02: 1 taken in, 0 in a stage.",
        "web, 2027-02-02: 2 taken in, 1 in a stage.",
        "list, 2027-02-03: 0 taken in, 1 in a stage.",
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"owner": ""}, ["no-owner"]),
        ({"owner": "zoe"}, ["unknown-owner"]),
        ({"owner": "system"}, []),
        ({"wait_kind": ""}, ["no-due-time"]),
        ({"wait_kind": "", "is_woken": True}, []),
        ({"wait_kind": "", "is_leased": True}, []),
        ({"wait_kind": "", "stage": Stage.INQUIRY, "owner": "operator"}, ["nothing-moves"]),
        ({"wait_kind": "", "stage": Stage.INQUIRY, "owner": "operator", "is_held": True}, []),
        ({"wait_kind": "", "stage": Stage.STUCK, "owner": "operator"}, []),
        ({"is_answered": True}, ["nothing-moves"]),
        ({"is_answered": True, "is_woken": True}, []),
        ({"owner": "", "wait_kind": ""}, ["no-owner", "no-due-time"]),
        ({"stage": Stage.NURTURING}, ["end-differs"]),
    ],
)
def test_an_open_lead_has_an_owner_a_due_time_and_something_that_moves_it(changes: dict[str, Any], found: list[str]) -> None:
    assert of_open(replace(ASKED, **changes), people=PEOPLE) == found


def test_without_a_roster_nobody_knows_who_is_in_it() -> None:
    assert of_open(replace(ASKED, owner="zoe"), people=()) == []


@pytest.mark.parametrize(
    ("lead", "run", "found"),
    [
        ({}, PARKED, None),
        ({}, RunSeen("Running", is_over=False, is_parked=False), None),
        ({}, None, "run-gone"),
        ({}, RunSeen("Cancelled", is_over=True, is_parked=False), "run-gone"),
        ({}, RunSeen("AwaitingOutcome", is_over=False, is_parked=True), "run-elsewhere"),
        ({}, replace(PARKED, handoff=str(ASKED.handoff_id)), None),
        ({}, replace(PARKED, handoff=f"{ASKED.handoff_id}1"), "run-elsewhere"),
        ({"run_id": ""}, None, "no-run"),
        ({"is_due": True}, None, None),
        ({"is_leased": True}, None, None),
        ({"is_held": True}, None, None),
        ({"stage": Stage.STUCK}, None, None),
        ({"wait_kind": ""}, None, None),
    ],
)
def test_while_somebody_is_asked_a_run_waits_for_the_same_or_moves(lead: dict[str, Any], run: RunSeen | None, found: str | None) -> None:
    assert of_run(replace(ASKED, **lead), run) == found

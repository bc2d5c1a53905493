"""Who takes over what somebody had who has left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agreements.leaving import Change, Destination, destination, successor
from agreements.lifecycle import Stage
from agreements.model import OnLeave
from agreements.roster import Roster, read_roster

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
AWAY = "away: [{from: 2027-01-20T00:00:00Z, until: 2027-02-10T00:00:00Z}]"
ROLES = {"ana": "rep", "ben": "rep", "cleo": "rep", "maria": "manager", "marcus": "manager", "mina": "marketing", "oscar": "operator"}


def roster(*gone: str, manager: str = "maria", marketing: str = "mina", operator: str = "oscar", **people: str) -> Roster:
    """A team, marketing and the operator, without those who are gone; people: what is added to each."""
    lines = [
        f"  {ident}: {{name: {ident.title()}, email: {ident}@a.example, role: {role}, team: emea"
        + (f", {people[ident]}" if ident in people else "")
        + "}"
        for ident, role in {**ROLES, "mark": "marketing"}.items()
        if ident not in gone
    ]
    head = [f"teams: {{emea: {{manager: {manager}}}}}", f"marketing: {marketing}", f"operator: {operator}", "people:"]
    return read_roster("\n".join([*head, *lines]))


OLD = roster(ana="deputy: ben", cleo="deputy: ana")
DEPUTY, ELSE = OnLeave(), OnLeave(assigned="somebody-else", accepted="somebody-else", working="somebody-else")
MANAGER, KEEP = OnLeave(accepted="manager-decides", working="manager-decides"), OnLeave(assigned="keep", accepted="keep", working="keep")


@pytest.mark.parametrize(
    ("new", "ident", "rules", "stage", "to"),
    [
        (roster("ana"), "ana", DEPUTY, Stage.ASSIGNED, Destination()),
        (roster("ana"), "ana", OnLeave(assigned="deputy"), Stage.ASSIGNED, Destination(to="ben")),
        (roster("ana"), "ana", KEEP, Stage.ASSIGNED, Destination()),
        (roster("ana"), "ana", DEPUTY, Stage.ACCEPTED, Destination(to="ben")),
        (roster("ana"), "ana", DEPUTY, Stage.WORKING, Destination(to="ben")),
        (roster("ana"), "ana", ELSE, Stage.WORKING, Destination()),
        (roster("ana"), "ana", MANAGER, Stage.WORKING, Destination(asked="maria")),
        (roster("ana"), "ana", KEEP, Stage.WORKING, Destination(asked="maria")),
        (roster("ana", "ben"), "ana", DEPUTY, Stage.WORKING, Destination(asked="maria")),
        (roster("ana", ben=AWAY), "ana", DEPUTY, Stage.WORKING, Destination(asked="maria")),
        (roster("ana", ben=f"{AWAY}, deputy: cleo"), "ana", DEPUTY, Stage.WORKING, Destination(to="cleo")),
        (roster("ana", maria=f"{AWAY}, deputy: marcus"), "ana", MANAGER, Stage.ACCEPTED, Destination(asked="marcus")),
        (roster("ana", maria=AWAY), "ana", MANAGER, Stage.ACCEPTED, Destination(asked="oscar")),
        (roster("cleo", "ana"), "cleo", DEPUTY, Stage.WORKING, Destination(asked="maria")),
        (roster("ben"), "ben", DEPUTY, Stage.WORKING, Destination(asked="maria")),
    ],
)
def test_a_lead_goes_as_agreed_and_is_never_kept(new: Roster, ident: str, rules: OnLeave, stage: Stage, to: Destination) -> None:
    assert destination(Change(OLD, new, NOW), ident, rules, stage) == to


def test_everything_goes_to_one_person_if_told_so() -> None:
    change = Change(OLD, roster("ana"), NOW, to="cleo")

    assert {destination(change, "ana", rules, stage) for rules in (DEPUTY, KEEP) for stage in (Stage.ASSIGNED, Stage.WORKING)} == {
        Destination(to="cleo")
    }
    assert successor(change, "ana") == "cleo"
    assert successor(change, "ana", rep="cleo") == "maria", "nobody decides about a lead of their own"


@pytest.mark.parametrize(
    ("new", "ident", "rep", "who"),
    [
        (roster("maria", manager="marcus"), "maria", "ana", "marcus"),
        (roster("maria", manager="marcus", marcus=f"{AWAY}, deputy: ben"), "maria", "ana", "ben"),
        (roster("maria", manager="marcus", marcus=f"{AWAY}, deputy: ana"), "maria", "ana", "oscar"),
        (roster("maria", manager="marcus", marcus=AWAY), "maria", "ana", "oscar"),
        (roster("mina", marketing="mark"), "mina", "", "mark"),
        (roster("mina", marketing="mark", mark=f"{AWAY}, deputy: marcus"), "mina", "", "marcus"),
        (roster("mark"), "mark", "", "mina"),
        (roster("ana"), "ana", "", "maria"),
        (roster("oscar", operator="maria"), "oscar", "", "maria"),
        (roster("marcus"), "marcus", "ana", "maria"),
    ],
    ids=[
        "the new manager",
        "the new manager's deputy",
        "not the rep",
        "the operator",
        "the new person of marketing",
        "their deputy",
        "a colleague of marketing",
        "a rep's manager",
        "the new operator",
        "a manager without a team of their own",
    ],
)
def test_a_duty_goes_to_whoever_has_the_part_now(new: Roster, ident: str, rep: str, who: str) -> None:
    assert successor(Change(OLD, new, NOW), ident, rep=rep) == who


def test_who_is_gone_is_who_the_new_roster_lacks() -> None:
    assert Change(OLD, roster("ana", "marcus"), NOW).gone == ("ana", "marcus")
    assert Change(OLD, OLD, NOW).gone == ()

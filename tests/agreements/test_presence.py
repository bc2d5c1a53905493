"""Whoever must be asked is somebody who is there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agreements.errors import RosterError
from agreements.presence import decider, decides_for, marketing, stand_in
from agreements.roster import Roster, read_roster

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
AWAY = "away: [{from: 2027-01-20T00:00:00Z, until: 2027-02-10T00:00:00Z}]"


def roster(**people: str) -> Roster:
    """A team of ana and ben, their manager maria, and mina of marketing; people: what is added to each."""
    roles = {"ana": "rep", "ben": "rep", "maria": "manager", "mina": "marketing", "mark": "marketing", "oscar": "operator"}
    lines = [
        f"  {ident}: {{name: {ident.title()}, email: {ident}@a.example, role: {role}, team: emea"
        + (f", {people[ident]}" if ident in people else "")
        + "}"
        for ident, role in roles.items()
    ]
    return read_roster("\n".join(["teams: {emea: {manager: maria}}", "marketing: mina", "operator: oscar", "people:", *lines]))


@pytest.mark.parametrize(
    ("people", "who"),
    [
        ({}, "ana"),
        ({"ana": AWAY}, ""),
        ({"ana": f"{AWAY}, deputy: ben"}, "ben"),
        ({"ana": "deputy: ben"}, "ana"),
        ({"ana": f"{AWAY}, deputy: ben", "ben": f"{AWAY}, deputy: maria"}, "maria"),
        ({"ana": f"{AWAY}, deputy: ben", "ben": f"{AWAY}, deputy: ana"}, ""),
        ({"ana": AWAY.replace("Z}]", "Z, deputy: maria}]") + ", deputy: ben"}, "maria"),
        ({"ana": "away: [{from: 2027-02-02T00:00:00Z, until: 2027-02-10T00:00:00Z}], deputy: ben"}, "ana"),
    ],
    ids=["there", "away", "a deputy", "no need of one", "the deputy's deputy", "a circle", "of this absence", "not yet away"],
)
def test_somebody_who_is_away_has_a_stand_in(people: dict[str, str], who: str) -> None:
    assert stand_in(roster(**people), "ana", NOW) == who


@pytest.mark.parametrize(
    ("people", "who"),
    [
        ({}, "maria"),
        ({"maria": f"{AWAY}, deputy: ben"}, "ben"),
        ({"maria": f"{AWAY}, deputy: ana"}, "oscar"),
        ({"maria": AWAY}, "oscar"),
        ({"maria": AWAY, "oscar": f"{AWAY}, deputy: mark"}, "mark"),
        ({"maria": AWAY, "oscar": AWAY}, "oscar"),
    ],
    ids=["the manager", "the manager's deputy", "not the rep", "the operator", "the operator's deputy", "nobody is there"],
)
def test_a_decision_is_asked_of_somebody_who_is_there(people: dict[str, str], who: str) -> None:
    assert decider(roster(**people), "ana", NOW) == who


@pytest.mark.parametrize(
    ("people", "who"),
    [({}, "mina"), ({"mina": f"{AWAY}, deputy: ana"}, "ana"), ({"mina": AWAY}, "mark"), ({"mina": AWAY, "mark": AWAY}, "mina")],
    ids=["marketing's person", "their deputy", "a colleague", "nobody is there"],
)
def test_a_note_is_asked_of_somebody_who_is_there(people: dict[str, str], who: str) -> None:
    assert marketing(roster(**people), NOW) == who


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ({"ana": "deputy: ana"}, "people.ana.deputy: 'ana' cannot stand in; name another person of the roster"),
        ({"ana": "deputy: zoe"}, "people.ana.deputy: 'zoe' cannot stand in"),
        ({"ana": AWAY.replace("Z}]", "Z, deputy: zoe}]")}, "people.ana.away.0.deputy: 'zoe' cannot stand in"),
        (
            {"ana": "away: [{from: 2027-02-01T00:00:00Z, until: 2027-01-01T00:00:00Z}]"},
            "people.ana.away.0: ends at 2027-01-01 00:00, before it begins",
        ),
        (
            {"ana": AWAY.replace("Z}]", "Z}, {from: 2027-02-09T00:00:00Z, until: 2027-03-01T00:00:00Z}]")},
            "people.ana.away.1: overlaps the absence from 2027-01-20 00:00; write one absence for both",
        ),
        ({"ana": "share: {of: 4/3, until: 2027-03-01T00:00:00Z}"}, "people.ana.share: '4/3' is no part of a share"),
        ({"ana": "share: {of: half, until: 2027-03-01T00:00:00Z}"}, "people.ana.share: 'half' is no part of a share"),
        ({"ana": "weight: 0"}, "people.ana.weight"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(people: dict[str, str], said: str) -> None:
    with pytest.raises(RosterError) as refused:
        roster(**people)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("people", "who"),
    [
        ({}, ["maria"]),
        ({"maria": f"{AWAY}, deputy: ben"}, ["ben", "maria"]),
        ({"maria": f"{AWAY}, deputy: ana"}, ["maria", "oscar"]),
        ({"maria": AWAY}, ["maria", "oscar"]),
        ({"maria": AWAY, "oscar": f"{AWAY}, deputy: mark"}, ["maria", "mark"]),
    ],
    ids=["the manager", "the manager's deputy", "not the rep", "the operator", "the operator's deputy"],
)
def test_whoever_is_asked_may_decide_and_so_may_the_manager_who_looks_in(people: dict[str, str], who: list[str]) -> None:
    known = roster(**people)

    assert sorted(one for one in known.people if decides_for(known, one, "ana", NOW)) == who

"""A mistake in a roster file is named with its line; managers in a circle are one."""

from __future__ import annotations

import pytest

from agreements.errors import RosterError
from agreements.roster import read_roster
from tests.conftest import ROSTER

EMEA, AMERICAS = "marcus@northgate.example, role: manager, team: emea", "maria@northgate.example, role: manager, team: americas"


def refused(text: str) -> list[str]:
    with pytest.raises(RosterError) as error:
        read_roster(text)
    return str(error.value).splitlines()


def line_of(part: str, text: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ben@northgate.example", "ben", "people.ben.email: 'ben' is no address"),
        ("email: ben@northgate.example, ", "", "people.ben.email: Field required"),
        ("email: ben@northgate.example, ", 'email: "", ', "people.ben.email: '' is no address"),
        ("role: operator", "role: king", "people.oscar.role: "),
        ("capacity: 100", "capacities: 100", "people.dora.capacities: "),
        ("until: 2027-02-08T00:00:00Z", "until: 2027-01-08T00:00:00Z", "people.emil.away.0: ends at"),
        ("marketing: mina\n", "marketing: min\n", "marketing: nobody is called 'min'"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, said: str) -> None:
    text = ROSTER.replace(old, new, 1)
    names = {
        "people.ben": "  ben:",
        "people.oscar": "  oscar:",
        "people.dora": "  dora:",
        "people.emil": "    away:",
        "marketing": "marketing:",
    }
    key = next(part for name, part in names.items() if said.startswith(name))

    assert any(one.startswith(f"line {line_of(key, text)}: {said}") for one in refused(text))


def test_managers_who_decide_for_each_other_are_named() -> None:
    text = ROSTER.replace("marcus@northgate.example, role: manager, team: americas", EMEA)
    text = text.replace("maria@northgate.example, role: manager, team: emea", AMERICAS)

    (said,) = refused(text)

    assert said.startswith("line 3: teams.emea.manager: the managers decide for each other in a circle (maria -> marcus -> maria)")


@pytest.mark.parametrize("text", [ROSTER, ROSTER.replace("marcus@northgate.example, role: manager, team: americas", EMEA)])
def test_a_manager_of_their_own_team_and_a_manager_above_are_none(text: str) -> None:
    read_roster(text)

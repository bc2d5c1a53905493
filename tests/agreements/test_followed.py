"""Every key of an agreement is carried out, or is named to whoever signs. A new key stands in neither list, and fails here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from agreements.clauses.keys import KEYS
from agreements.loading import read_agreement
from agreements.places import place_of
from agreements.unfollowed import KEYS as UNFOLLOWED
from agreements.unfollowed import unfollowed
from agreements.wording import contract
from agreements.wording.opening import unfollowed_lines
from tests.conftest import AGREEMENT, ROOT

FOLLOWED: Mapping[str, Mapping[str, str]] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("followed.yaml"))
#: The clauses of which nothing is carried out.
WHOLE = {clause.__name__ for owner, key in UNFOLLOWED if owner == "Agreement" and (clause := place_of((key,)).clause)}
EVERYTHING = Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("clause", sorted(set(KEYS) - WHOLE))
def test_each_key_is_carried_out_or_said_to_whoever_signs(clause: str) -> None:
    told = {key for owner, key in UNFOLLOWED if owner == clause}

    assert set(FOLLOWED.get(clause, {})) | told == set(KEYS[clause]), "add a new key to followed.yaml, or to agreements/unfollowed.py"
    assert not set(FOLLOWED.get(clause, {})) & told


@pytest.mark.parametrize(
    ("clause", "key", "file"),
    [(clause, key, file) for clause, keys in FOLLOWED.items() for key, file in keys.items() if file not in ("people", "only")],
)
def test_the_file_that_carries_a_key_out_asks_for_it(clause: str, key: str, file: str) -> None:
    assert re.search(rf"\b{key}_?\b", (ROOT / file).read_text(encoding="utf-8")), f"{file} does not ask for {clause}.{key}"


def test_whatever_is_not_carried_out_is_found_in_an_agreement_that_says_everything() -> None:
    places = [place_of(one.where) for one in unfollowed(read_agreement(EVERYTHING))]

    assert {(place.owner.__name__, place.key) for place in places if place.owner} == set(UNFOLLOWED)


def test_the_contract_begins_with_it() -> None:
    agreement = read_agreement(EVERYTHING)

    first = contract(agreement).sections[0]

    assert first.title == "Agreed, but not carried out by Baton yet"
    assert len(unfollowed_lines(agreement)) == len(UNFOLLOWED)
    assert "Alert about a frequent reason (Other): nobody is alerted yet." in unfollowed_lines(agreement)


def test_a_contract_that_is_carried_out_whole_says_nothing_of_the_kind() -> None:
    agreement = read_agreement(AGREEMENT)

    assert unfollowed_lines(agreement) == ()
    assert all(section.key != "not-carried-out" for section in contract(agreement).sections)
    assert "Reviewed" not in str(contract(agreement))

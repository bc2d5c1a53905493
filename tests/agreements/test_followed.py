"""Every key of an agreement is carried out. A new key is not in the list, and fails here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from agreements.clauses.keys import KEYS
from tests.conftest import ROOT

FOLLOWED: Mapping[str, Mapping[str, str]] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("followed.yaml"))


@pytest.mark.parametrize("clause", sorted(KEYS))
def test_each_key_is_carried_out(clause: str) -> None:
    assert set(FOLLOWED.get(clause, {})) == set(KEYS[clause]), "add a new key to followed.yaml"


@pytest.mark.parametrize(
    ("clause", "key", "file"),
    [(clause, key, file) for clause, keys in FOLLOWED.items() for key, file in keys.items() if file not in ("people", "only")],
)
def test_the_file_that_carries_a_key_out_asks_for_it(clause: str, key: str, file: str) -> None:
    assert re.search(rf"\b{key}_?\b", (ROOT / file).read_text(encoding="utf-8")), f"{file} does not ask for {clause}.{key}"

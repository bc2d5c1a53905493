"""The schema of an agreement file, as an editor uses it: it takes what is right, marks what is wrong, and explains every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ConfigDict, create_model

from agreements import model
from agreements.clauses.keys import KEYS
from agreements.loading import read_agreement
from agreements.places import example, fields_of
from agreements.schema import agreement_schema
from agreements.yaml_reader import read
from tests.agreements.tables import cases
from tests.agreements.test_loading import EXAMPLES, broken

SCHEMA = agreement_schema()
EDITOR = Draft202012Validator(SCHEMA)
CLAUSES = {
    one.__name__: one for one in vars(model).values() if isinstance(one, type) and issubclass(one, model.Clause) and one.model_fields
}
#: What an editor marks; the others are mistakes of what fits together.
MARKED = {
    "an unknown clause",
    "an unknown key",
    "a clause is missing",
    "a list that is none",
    "points that are no number",
    "a threshold over a hundred",
    "a name with a blank",
    "a unit is missing",
    "an unknown unit",
    "working time where nobody's calendar is meant",
    "a share that is none",
    "a release plan that is none",
    "a party that is none",
    "an aim that nobody measures",
    "an aim without a period",
    "a question of an unknown kind",
    "an unknown channel",
    "hours that are none",
    "an unknown rung",
    "a rung that is taken no times",
    "an empty ladder",
    "a reason without a consequence",
    "an alert without a share",
    "a stage that the CRM never hears of",
    "time kept in weeks",
    "a review at no time",
}


def as_json(text: str) -> Any:
    """The file as an editor has it: days are text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return value if isinstance(value, (str, int, float)) or value is None else str(value)

    return plain(read(text).value)


def marked(text: str) -> list[str]:
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message}" for one in EDITOR.iter_errors(as_json(text))]


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_editor_marks_nothing_in_what_is_shipped(path: Path) -> None:
    assert marked(path.read_text(encoding="utf-8")) == []


def test_every_clause_that_can_be_written_is_one_that_an_editor_takes() -> None:
    everything = Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")

    assert read_agreement(everything).reference == "everything@3"
    assert marked(everything) == []


@pytest.mark.parametrize("case", cases("broken_agreements.yaml"))
def test_an_editor_marks_what_a_single_value_cannot_be(case: dict[str, Any]) -> None:
    text = broken(case)

    assert bool(marked(text)) or case["name"] not in MARKED, marked(text)


def test_the_mistakes_that_an_editor_marks_are_in_the_table() -> None:
    assert {case.values[0]["name"] for case in cases("broken_agreements.yaml")} >= MARKED


KEYS_OF_CLAUSES = [pytest.param(clause, key, id=f"{name}.{key}") for name, clause in CLAUSES.items() for key in fields_of(clause)]


@pytest.mark.parametrize(("clause", "key"), KEYS_OF_CLAUSES)
def test_every_key_has_a_meaning_and_an_example_that_can_be_written(clause: type[model.Clause], key: str) -> None:
    allowed = ConfigDict(arbitrary_types_allowed=True)
    alone = create_model("Alone", __config__=allowed, value=(fields_of(clause)[key].rebuild_annotation(), ...))

    assert KEYS[clause.__name__][key].meaning
    assert dict(alone(value=example(clause.__name__, key)))["value"] is not None


def test_nothing_is_explained_that_is_no_key() -> None:
    assert {name: set(keys) for name, keys in KEYS.items()} == {name: set(fields_of(clause)) for name, clause in CLAUSES.items()}


def test_an_editor_shows_the_meaning_of_every_key() -> None:
    clauses = {"Agreement": SCHEMA, **SCHEMA["$defs"]}
    shown = {name: {key: value["description"] for key, value in clauses[name]["properties"].items()} for name in KEYS}

    assert shown == {name: {key: known.meaning for key, known in keys.items()} for name, keys in KEYS.items()}

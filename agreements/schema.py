"""The JSON Schema of an agreement file, which shows a writer in the editor the keys and their meaning.

The schema says how a single value may look. The checks say what must fit together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from agreements.clauses import looks
from agreements.clauses.aims import MEASURES
from agreements.clauses.clocks import RUNS
from agreements.clauses.keys import KEYS
from agreements.crm_words import KEYS as KEYS_OF_CRM
from agreements.model import Agreement
from agreements.places import example

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
#: Pieces that many places share, each written once.
_SHARED: Mapping[str, Schema] = {
    "Condition": looks.CONDITION,
    "Term": looks.TERM,
    "Duration": looks.DURATION,
    "Elapsed": looks.ELAPSED,
    "Calendar": looks.CALENDAR,
    "Aim": looks.AIM,
}


class _Generator(GenerateJsonSchema):
    """The generator without warnings about defaults that are no plain values: `_explain` drops them."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}


def agreement_schema() -> Schema:
    """Return the whole schema, in draft 2020-12."""
    made = Agreement.model_json_schema(by_alias=True, schema_generator=_Generator)
    definitions: Schema = {name: _tidied(one) for name, one in made.pop("$defs").items()}
    clauses = {**definitions, "Agreement": _tidied(made)}
    for name, clause in clauses.items():
        _explain(name, clause)
    for party, measures in MEASURES.items():
        clauses["Objectives"]["properties"][party]["propertyNames"] = {"enum": list(measures)}
    clauses["Agreement"]["properties"]["crm"]["propertyNames"] = {"enum": list(KEYS_OF_CRM)}
    clauses["Clock"]["properties"]["from"]["enum"] = sorted({start for start, _ in RUNS.values()})
    head = {"$schema": DIALECT, "title": "Agreement between marketing and sales"}
    return {**head, **clauses["Agreement"], "$defs": {**definitions, **_SHARED}}


def _tidied(value: Any) -> Any:
    """Return the schema with references to shared pieces. A mapping with patterns for its names allows no other name."""
    if isinstance(value, list):
        return [_tidied(one) for one in value]
    if not isinstance(value, dict):
        return value
    if name := next((name for name, shared in _SHARED.items() if value == shared), ""):
        return {"$ref": f"#/$defs/{name}"}
    tidied = {key: _tidied(one) for key, one in value.items()}
    if "patternProperties" in tidied:
        tidied.setdefault("additionalProperties", False)
    return tidied


def _explain(clause: str, schema: Schema) -> None:
    """Give a clause the first paragraph of its docstring, and every key its meaning and an example."""
    schema.pop("title", None)
    schema["description"] = schema["description"].partition("\n\n")[0].replace("\n", " ")
    for key, value in schema["properties"].items():
        value.pop("title", None)
        if not isinstance(value.get("default"), (str, int, float, bool)) or value["default"] == "":
            value.pop("default", None)
        value |= {"description": KEYS[clause][key].meaning, "examples": [_plain(example(clause, key))]}


def _plain(value: Any) -> Any:
    """Return the value as JSON, with days as text."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, (str, int, float)) or value is None else str(value)

"""Check that `fields` gives each value exactly one meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agreements.checks.base import Finding
from agreements.clauses.base import shown
from agreements.clauses.facts import INQUIRY, LATER, DeclaredField
from agreements.fields import value_of
from agreements.model import Agreement
from agreements.yaml_reader import Path


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find declarations that cannot be followed."""
    for name, declared in agreement.fields.items():
        where: Path = ("fields", name)
        if name in LATER:
            yield Finding(where, f"{name!r} is calculated by Baton ({LATER[name]}); give the field another name")
        if name in INQUIRY:
            yield Finding(where, f"{name!r} is the name of data that every inquiry has, not of a field; give the field another name")
        if declared.values and declared.type != "choice":
            yield Finding((*where, "values"), f"belong to a choice, and this is a {declared.type}; write `type: choice`, or leave them out")
        if declared.bands and declared.type != "number":
            yield Finding((*where, "bands"), f"belong to a number, and this is a {declared.type}; write `type: number`, or leave them out")
        yield from _meanings(where, declared)
        if declared.if_missing != "unknown" and (advice := _unfit(declared, declared.if_missing)):
            yield Finding((*where, "if_missing"), f"{shown(declared.if_missing)} {advice}, or `unknown`", needs=((*where, "type"),))


def _meanings(where: Path, declared: DeclaredField) -> Iterator[Finding]:
    nothing = {_plain(one) for one in declared.null_values}
    written = {_plain(one): one for one in declared.synonyms}
    for text, meant in declared.synonyms.items():
        here = (*where, "synonyms", text)
        if _plain(text) in nothing:
            yield Finding(here, f"{text!r} is also listed under `null_values`; keep one of the two")
        elif isinstance(meant, str) and _plain(meant) in nothing:
            yield Finding(here, f"{meant!r} is listed under `null_values`, so it means nothing; write another value")
        elif isinstance(meant, str) and _plain(meant) in written and _plain(meant) != _plain(text):
            yield Finding(here, f"{meant!r} is a synonym itself and is not looked up again; write what it means in the end")
        elif advice := _unfit(declared, meant):
            yield Finding(here, f"{shown(meant)} {advice}", needs=((*where, "type"), (*where, "values")))
    for index, value in enumerate(declared.values):
        if _plain(value) in nothing:
            yield Finding((*where, "values", index), f"{value!r} is also listed under `null_values`; keep one of the two")


def _unfit(declared: DeclaredField, value: Any) -> str:
    """Return what is wrong with a value that the declaration itself gives, empty for nothing."""
    bare = declared.model_copy(update={"synonyms": {}, "null_values": (), "bands": {}, "if_missing": "unknown"})
    read = value_of(bare, value)
    if declared.type == "number" and (isinstance(value, str) or read is None):
        return "is no number; write one such as 100"
    if declared.type == "yes_no" and not isinstance(value, bool):
        return "is neither true nor false; write one of the two"
    if declared.type == "date" and read is None:
        return "is no day; write one such as 2026-12-01"
    if declared.values and read not in declared.values:
        return f"is none of the values; write one of {', '.join(declared.values)}"
    return ""


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()

"""The validator's findings as messages that say what to write instead, without the validator's own terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agreements.clauses.base import Misfit, nearest, one_of, shown
from agreements.places import Place, fields_of, place_of
from agreements.yaml_reader import Path

#: Last part of the validator's name for the mistake -> what a value must be, and what to call a value that is not.
_KINDS: Mapping[str, tuple[str, str]] = {
    "int": ("is no whole number", "write one"),
    "float": ("is no number", "write one"),
    "finite_number": ("is no number", "write one"),
    "string": ("is no text", "write one text, in quotes where it looks like a number"),
    "bool": ("is neither true nor false", "write one of the two"),
    "date": ("is no day", "write year, month and day"),
    "tuple": ("is no list", "write one in [ ]"),
    "list": ("is no list", "write one in [ ]"),
    "mapping": ("is no mapping", "write keys and values"),
    "dict": ("is no mapping", "write keys and values"),
    "model": ("is no mapping", "write keys and values"),
}


_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def mistakes(error: ValidationError, tree: Any) -> Iterator[tuple[Path, str]]:
    """Yield every mistake once: the keys that lead there, as in the file, and what is wrong and what to write instead."""
    seen: set[tuple[Path, str]] = set()
    told_paths: set[Path] = set()
    for one in error.errors(include_url=False):
        for path, what in _told(one, tree):
            several = one["type"] != "value_error" and path in told_paths  # the validator reports each kind of a union
            if (path, what) not in seen and not several:
                seen.add((path, what))
                told_paths.add(path)
                yield path, what


def _told(error: ErrorDetails, tree: Any) -> Iterator[tuple[Path, str]]:
    kind, path = error["type"], _written(error["loc"], tree, missing=error["type"] == "missing")
    cause = error.get("ctx", {}).get("error")
    if kind == "value_error" and isinstance(cause, Misfit):
        yield from ((_written((*path, *where), tree), what) for where, what in cause.problems)
    elif kind == "value_error":
        yield path, str(cause)
    elif kind == "extra_forbidden":
        yield path, _unknown(path, tree)
    elif kind == "missing":
        yield path, _missing(path)
    elif kind == "default_factory_not_called" or (kind == "too_short" and error["input"]):
        return  # this mistake only follows from another one, in the zone or in the list's entries
    elif error["loc"][-1:] == ("[key]",):
        yield path, _unknown_key(path, error)
    else:
        yield path, _wrong(place_of(path), error)


def _written(loc: Iterable[Any], tree: Any, *, missing: bool = False) -> Path:
    """Return the validator's path without the steps that name a kind of value: the file has no such keys."""
    path: list[str | int] = []
    for step in loc:
        inside = (isinstance(tree, Mapping) and step in tree) or (isinstance(tree, list) and isinstance(step, int) and step < len(tree))
        if not inside:
            return (*path, str(step)) if missing else tuple(path)
        path.append(step)
        tree = tree[step]
    return tuple(path)


def _unknown(path: Path, tree: Any) -> str:
    above = place_of(path[:-1])
    known = list(fields_of(above.clause)) if above.clause else []
    here = _at(tree, path[:-1])
    free = [key for key in known if not isinstance(here, Mapping) or key not in here]
    if above.clause and above.clause.__name__ == "FitCriterion" and path[-1] == "field":
        return f"a fact is asked for under `when`; write `when: {{{shown(here['field'])[1:-1]}: …}}`"
    return f"is not known here{nearest(path[-1], free)}; write {one_of(known)}"


def _missing(path: Path) -> str:
    key = place_of(path).known
    return f"is missing; write `{path[-1]}: {key.example}`" if key else "is missing; write it"


def _unknown_key(path: Path, error: ErrorDetails) -> str:
    choices = _choices(error)
    if choices:
        return f"is not known here{nearest(path[-1], choices)}; write {one_of(choices)}"
    return f"{shown(path[-1])} is no name; write letters, digits, -, _ and ., such as {_as_name(str(path[-1]))}"


def _wrong(place: Place, error: ErrorDetails) -> str:
    value, kind = error["input"], error["type"]
    if value is None:
        optional = place.inside or (place.field is not None and not place.field.is_required())
        return f"is empty; write {_example(place)}{', or leave the key out' if optional else ''}"
    if choices := _choices(error):
        return f"{shown(value)} is not one of the choices{nearest(value, choices)}; write {one_of(choices)}"
    if kind in _WORDS:
        return _WORDS[kind](place, error)
    problem, advice = _KINDS.get(re.sub(r"_(parsing|type|from|attributes).*", "", kind), ("cannot stand here", "write it otherwise"))
    return f"{shown(value)} {problem}; {advice}, such as {_example(place)}"


def _choices(error: ErrorDetails) -> list[str]:
    """Return the allowed choices, empty if the value is no choice."""
    written = str(error.get("ctx", {}).get("expected", "")) if error["type"] == "literal_error" else ""
    return [one for one in re.findall(r"'([^']*)'", written) if one]


def _example(place: Place) -> str:
    """Return an example of the value; for a part of a value, of the whole."""
    return f"`{place.key}: {place.known.example}`" if place.known else "it as docs/agreements.md shows"


def _out_of_bounds(place: Place, error: ErrorDetails) -> str:
    limits: dict[str, Any] = {}
    for one in place.field.metadata if place.field else []:
        limits |= {name: getattr(one, name) for name in _LIMITS if hasattr(one, name)}
    if {"ge", "le"} <= limits.keys():
        return f"{shown(error['input'])} cannot be; write a number from {limits['ge']} to {limits['le']}"
    words = " and ".join(f"{_LIMITS[name]} {limit}" for name, limit in limits.items())
    return f"{shown(error['input'])} cannot be; write a number of {words or 'another size'}"


def _too_short(place: Place, error: ErrorDetails) -> str:
    return f"is empty; write at least one, such as {_example(place)}"


def _no_name(place: Place, error: ErrorDetails) -> str:
    value = error["input"]
    return f"{shown(value)} is no name; write letters, digits, -, _ and ., at most 80, such as {_as_name(str(value))}"


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")[:80] or "a-name"


_WORDS: Mapping[str, Callable[[Place, ErrorDetails], str]] = {
    "greater_than_equal": _out_of_bounds,
    "greater_than": _out_of_bounds,
    "less_than_equal": _out_of_bounds,
    "less_than": _out_of_bounds,
    "too_short": _too_short,
    "string_too_short": _too_short,
    "string_too_long": _no_name,
    "string_pattern_mismatch": _no_name,
}


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree

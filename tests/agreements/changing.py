"""Agreements that differ from one in a single place: each value of each clause changed, left out, added, or moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from agreements.calendar.durations import Duration, EndOfWorkingDay, ReleasePlan
from agreements.clauses.aims import Aim
from agreements.criteria import Condition, Test
from agreements.loading import read_agreement
from agreements.model import Agreement, Clause, EngagementCriterion, Evidence, FitCriterion, Release

EVERYTHING = Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")
Change = tuple[str, Any]
#: What each calendar of everything.yaml may become, one thing at a time.
_CALENDARS: tuple[Mapping[str, Any], ...] = (
    {"timezone": "Europe/Paris"},
    {"hours": {"mon-fri": "09:00-12:30, 13:30-17:00"}},
    {"hours": {"mon-sat": "09:00-12:30, 13:30-17:30"}},
    {"holidays": {"country": "GB", "subdivision": "SCT"}},
    {"holidays": {"country": "FR"}},
    {"holidays": ["2026-12-28", "*-12-24"]},
    {"special_days": {"2026-12-24": "closed"}},
    {"special_days": {"2026-12-31": "09:00-12:00"}},
)


def everything() -> Agreement:
    """The agreement that uses every clause."""
    return read_agreement(EVERYTHING)


def changes(clause: Clause, where: str = "") -> Iterator[Change]:
    """Every copy of the clause that differs from it in one place, with the name of that place."""
    for name, field in type(clause).model_fields.items():
        for place, other in _others(getattr(clause, name), field.annotation, f"{where}.{name}".lstrip(".")):
            copied = clause.model_copy()
            copied.__dict__.pop("calendar_values", None)
            copied.__dict__[name] = other
            if _can_be_written(copied, name):
                yield place, copied


def _can_be_written(clause: Clause, name: str) -> bool:
    """Whether the model takes the clause like this; and the changed field has a meaning beside the others."""
    if name == "out_of":
        return bool(getattr(clause, "external_score", ""))
    if not isinstance(clause, (FitCriterion, EngagementCriterion, Evidence)):
        return True
    try:
        type(clause).model_validate({field: getattr(clause, field) for field in type(clause).model_fields})
    except ValidationError:
        return False
    return True


def _others(value: Any, annotation: Any, where: str) -> Iterator[Change]:
    if where == "calendars":
        yield from _calendars(value)
    elif isinstance(value, Clause):
        yield from changes(value, where)
    elif isinstance(value, Mapping):
        yield from _mappings(value, annotation, where)
    elif isinstance(value, tuple):
        yield from _tuples(value, annotation, where)
    elif isinstance(value, Condition):
        for place, tests in _tuples(value.tests, Any, f"{where}.tests"):
            yield place, Condition(tests)
    elif value is not None:
        yield from ((where, other) for other in _plain(value, annotation))


def _plain(value: Any, annotation: Any) -> list[Any]:
    literals = _literals(annotation)
    if literals and value in literals:
        return [one for one in literals if one != value]
    if isinstance(value, Test):
        changed = [replace(value, field="unusual"), replace(value, operator="not_in" if value.operator != "not_in" else "in")]
        return [*changed, *(replace(value, operand=one) for one in _plain(value.operand, Any))]
    for kind, change in _CHANGES.items():
        if isinstance(value, kind):
            return change(value)
    raise AssertionError(f"no other value is known for {value!r}")


_CHANGES: dict[type, Callable[[Any], list[Any]]] = {
    bool: lambda value: [not value],
    int: lambda value: [value + 1],
    float: lambda value: [value + 1],
    str: lambda value: [f"{value}-unusual", "unusual"],
    tuple: lambda value: [(*value, "unusual"), ("unusual", *value[1:])],
    date: lambda value: [value + timedelta(days=1)],
    timedelta: lambda value: [value + timedelta(days=1)],
    Duration: lambda value: [
        replace(value, amount=value.amount + 1),
        replace(value, working=not value.working),
        EndOfWorkingDay(),
    ],
    EndOfWorkingDay: lambda value: [Duration(7, "minutes", working=True)],
    ReleasePlan: lambda value: [Duration(7, "minutes", working=True)],
    Release: lambda value: [Release(value.per_rep + 1)],
    Aim: lambda value: [Aim(value.amount + Decimal("0.5"), value.unit, value.per), Aim(value.amount, "SEK", value.per or "week")],
}


def _literals(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(one for inner in get_args(annotation) for one in _literals(inner))


def _mappings(value: Mapping[Any, Any], annotation: Any, where: str) -> Iterator[Change]:
    for key, one in value.items():
        for place, other in _others(one, annotation, f"{where}.{key}"):
            yield place, {**value, key: other}
        if key == "normal":  # the one tier that every clock must name
            continue
        yield f"{where}.{key} left out", {name: kept for name, kept in value.items() if name != key}
        if isinstance(key, str):
            yield f"{where}.{key} called otherwise", {"unusual" if name == key else name: kept for name, kept in value.items()}


def _tuples(value: tuple[Any, ...], annotation: Any, where: str) -> Iterator[Change]:
    for position, one in enumerate(value):
        for place, other in _others(one, annotation, f"{where}.{position}"):
            yield place, (*value[:position], other, *value[position + 1 :])
        if not (where.endswith(".to") and len(value) == 1):  # left out, it means the same
            yield f"{where}.{position} left out", (*value[:position], *value[position + 1 :])


def _calendars(value: Mapping[str, Any]) -> Iterator[Change]:
    for name, clause in value.items():
        for other in _CALENDARS:
            yield f"calendars.{name} with {other}", {**value, name: {**clause, **other}}
        yield f"calendars.{name} left out", {key: kept for key, kept in value.items() if key != name}
    yield "calendars in another order", dict(reversed(list(value.items())))


def clauses_in(value: Any) -> Iterator[Clause]:
    """The clause and every clause inside it."""
    if isinstance(value, Clause):
        yield value
        for name in type(value).model_fields:
            yield from clauses_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from clauses_in(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from clauses_in(one)

"""Find the clause to which a path in the file leads, the keys known there, and how a value there may be written."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from agreements.clauses.base import Clause
from agreements.clauses.keys import KEYS, Key
from agreements.model import Agreement
from agreements.yaml_reader import Path, read


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: the key of a clause, and the rest of the path within that key's value.

    owner: the clause that has the key, None for the file as a whole. inside: positions in a list, names in a mapping.
    clause: the clause at that place, if its value is a clause. free: how many of the steps inside lead through a value that
    no clause declares, such as a condition.
    """

    owner: type[Clause] | None = None
    key: str = ""
    inside: Path = ()
    clause: type[Clause] | None = Agreement
    free: int = 0

    @property
    def known(self) -> Key | None:
        """The meaning and example of the key, None for a key that no clause has."""
        return KEYS[self.owner.__name__].get(self.key) if self.owner else None

    @property
    def field(self) -> FieldInfo | None:
        """The declaration of the key, None for a key that no clause has."""
        return fields_of(self.owner).get(self.key) if self.owner else None


def place_of(path: Path) -> Place:
    """Return the place to which this path leads. If it leads nowhere, return the place of the nearest key above it."""
    place, kind = Place(), Any
    for step in path:
        if place.clause is not None:
            owner = place.clause
            field = fields_of(owner).get(str(step))
            kind = _stripped(field.annotation) if field else Any
            place = Place(owner, str(step), (), _clause(kind))
        else:
            kind = _stripped(_part(kind))
            place = Place(place.owner, place.key, (*place.inside, step), _clause(kind), place.free + (kind is Any))
    return place


@cache
def fields_of(clause: type[Clause]) -> dict[str, FieldInfo]:
    """Return the keys of a clause, as a file writes them."""
    return {field.alias or name: field for name, field in clause.model_fields.items()}


def example(clause: str, key: str) -> Any:
    """Return the example of that key as a value, as a file gives it."""
    return read(KEYS[clause][key].example).value


def _stripped(kind: Any) -> Any:
    """Return the kind without its annotations; of a union the clause, else the first kind that holds others."""
    if get_origin(kind) is Annotated:
        return _stripped(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [_stripped(one) for one in get_args(kind) if one is not type(None)]
        return next((one for one in kinds if _clause(one) or get_args(one)), kinds[0])
    return kind


def _clause(kind: Any) -> type[Clause] | None:
    return kind if isinstance(kind, type) and issubclass(kind, Clause) else None


def _part(kind: Any) -> Any:
    """Return the kind of what a list or a mapping of this kind holds."""
    origin, parts = get_origin(kind), get_args(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return parts[1]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return parts[0]
    return Any

"""Any clause, mapping, list or value as statements, by its kind. This is the default for parts without special wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin

from agreements.differences.leaves import leaf, members, words_of
from agreements.differences.tree import Parts, Statement, Value
from agreements.model import Clause
from agreements.wording import vocabulary as say

#: Field -> its label, if its name alone is not clear.
_LABELS = {
    "ask": "asks for",
    "back_to": "may come back to",
    "calendar": "is counted on the calendar",
    "check_in": "check-in",
    "default": "by default",
    "interrupt": "sent at once for tier",
    "known": "is known",
    "label": "reads",
    "match": "",
    "on_call": "who is on call",
    "on_reassign": "on a change of hands",
    "open_means": "counts as open",
    "require": "required for an MQL",
    "respect_requested_time": "tolerance at a time that was asked for",
    "revisit": "looked at again after",
    "tell_marketing": "marketing is told at once",
    "then": "leads to",
}


def said(label: str, value: Any, *, choice: bool = False) -> Statement:
    """State any clause, mapping, list or value. choice: it is one of a few listed words, which are worded as people say them."""
    if isinstance(value, Clause):
        return clause_of(label, value)
    if isinstance(value, Mapping):
        return Parts(
            label, {key: said(f"{label} {words_of(key)}".strip(), one, choice=choice) for key, one in value.items()}, _short(value)
        )
    if isinstance(value, tuple):
        return members(label, value, names=choice)
    return leaf(label, value, name=choice)


def clause_of(label: str, clause: Clause, /, *, only: Iterable[str] = (), words: str = "", **own: Statement) -> Parts:
    """State every field of a clause. own: the fields with special wording."""
    fields = _fields(type(clause))
    told = {name: own[name] if name in own else _field(label, clause, name) for name in tuple(only) or fields}
    return Parts(label, told, words)


def why_of(label: str, why: str) -> Value:
    """State the reason for a rule."""
    return leaf(f"{label}, why", why)


def _field(label: str, clause: Clause, name: str) -> Statement:
    words, choice = _fields(type(clause))[name]
    return said(f"{label} {words}".strip(), getattr(clause, name), choice=choice)


@cache
def _fields(kind: type[Clause]) -> Mapping[str, tuple[str, bool]]:
    """Return what each field of this kind of clause is called, and whether it allows only a few listed words."""
    return {
        name: (_LABELS.get(name, say.plain(name.rstrip("_"))), _is_choice(field.annotation)) for name, field in kind.model_fields.items()
    }


def _is_choice(kind: Any) -> bool:
    """Whether this annotation allows only a few listed words."""
    return get_origin(kind) is Literal or any(map(_is_choice, get_args(kind)))


def _short(value: Mapping[Any, Any]) -> str:
    return "; ".join(f"{words_of(key)} {words_of(one)}" for key, one in value.items() if not isinstance(one, (Mapping, Clause)))

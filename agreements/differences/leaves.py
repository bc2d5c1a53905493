"""Single values and conditions as statements: how they read, and their meaning, which does not depend on spelling."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, timedelta
from typing import Any

from agreements.calendar.durations import Duration
from agreements.criteria import Condition, Test
from agreements.differences.tree import Asked, Member, Parts, Value
from agreements.wording import vocabulary as say


def leaf(label: str, value: Any, *, name: bool = False) -> Value:
    """State one value under its label. name: whether the value is a name from the file, to be worded as people say it."""
    return Value(label, say.plain(words_of(value)) if name else words_of(value), meaning(value))


def words_of(value: Any) -> str:
    """Return a value in words."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, date):
        return say.day(value)
    if isinstance(value, timedelta):
        return say.kept(value)
    return say.value(value) if isinstance(value, (bool, int, float)) else str(value)


def meaning(value: Any) -> Hashable:
    """Return a key that is equal for equal meaning: 60 minutes are 1 hour, and 60 working minutes are 1 working hour."""
    if isinstance(value, Duration):
        return ("days", value.amount) if value.working and value.unit == "days" else (value.working, value.length)
    return (type(value).__name__, value) if isinstance(value, (bool, str)) else value


def members(label: str, values: tuple[Any, ...], *, names: bool = False) -> Parts:
    """State a list whose order means nothing. names: whether its entries are names from the file."""
    words = [say.plain(words_of(one)) if names else words_of(one) for one in values]
    return Parts(label, {meaning(one): Member(label, told) for one, told in zip(values, words, strict=True)}, ", ".join(words))


def condition(label: str, asks: Condition) -> Parts:
    """State a condition, test by test."""
    told: dict[tuple[tuple[str, str], int], Asked] = {}
    for test in asks.tests:
        name = _name(test)
        told[(name, sum(other == name for other, _ in told))] = Asked(label, *_split(test), _answer(test))
    return Parts(label, told, say.condition(asks))


def question(asks: Condition) -> Hashable:
    """Return a key that is equal for equal conditions, in any order and spelling."""
    return frozenset((_name(test), _answer(test)) for test in asks.tests)


def asked(asks: Condition) -> Hashable:
    """Return a key that is equal for conditions about the same facts, tested in the same way."""
    return frozenset(_name(test) for test in asks.tests)


def _name(test: Test) -> tuple[str, str]:
    """Return the fact and the operator. `is` one value equals `in` a list of one."""
    one = test.operator == "is" and not isinstance(test.operand, bool)
    return test.field, "in" if one else test.operator


def _answer(test: Test) -> Hashable:
    wanted = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    return frozenset(_same(one) for one in wanted)


def _same(value: Any) -> Hashable:
    """Return a key for comparing values. Text compares without case, and true differs from 1."""
    return meaning(value.casefold() if isinstance(value, str) else value)


def _split(test: Test) -> tuple[str, str]:
    """Return the test without its wanted value, and the wanted value."""
    words = say.question(test)
    if isinstance(test.operand, bool):
        return "that", words
    for verb in (" at least ", " at most ", " contains ", " is "):
        stem, found, answer = words.partition(verb)
        if found:
            return f"{stem}{verb}".strip(), answer
    return "that", words

"""Single values and conditions as statements: how they read, and what they mean however they are written."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, timedelta
from typing import Any

from agreements.calendar.durations import Duration
from agreements.criteria import Condition, Test
from agreements.differences.tree import Asked, Member, Parts, Value
from agreements.wording import vocabulary as say


def leaf(label: str, value: Any, *, name: bool = False) -> Value:
    """One value under its label. name: whether it is a name of the file, to be read as people say it."""
    return Value(label, say.plain(words_of(value)) if name else words_of(value), meaning(value))


def words_of(value: Any) -> str:
    """How a value reads."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, date):
        return say.day(value)
    if isinstance(value, timedelta):
        return say.kept(value)
    return say.value(value) if isinstance(value, (bool, int, float)) else str(value)


def meaning(value: Any) -> Hashable:
    """Equal where the same was agreed: 60 minutes are 1 hour, and 60 working minutes are 1 working hour."""
    if isinstance(value, Duration):
        return ("days", value.amount) if value.working and value.unit == "days" else (value.working, value.length)
    return (type(value).__name__, value) if isinstance(value, (bool, str)) else value


def members(label: str, values: tuple[Any, ...], *, names: bool = False) -> Parts:
    """A list whose order means nothing. names: whether its entries are names of the file."""
    words = [say.plain(words_of(one)) if names else words_of(one) for one in values]
    return Parts(label, {meaning(one): Member(label, told) for one, told in zip(values, words, strict=True)}, ", ".join(words))


def condition(label: str, asks: Condition) -> Parts:
    """A condition, question by question."""
    told: dict[tuple[tuple[str, str], int], Asked] = {}
    for test in asks.tests:
        name = _name(test)
        told[(name, sum(other == name for other, _ in told))] = Asked(label, *_split(test), _answer(test))
    return Parts(label, told, say.condition(asks))


def question(asks: Condition) -> Hashable:
    """By what two conditions are the same, in whatever order and spelling they ask."""
    return frozenset((_name(test), _answer(test)) for test in asks.tests)


def asked(asks: Condition) -> Hashable:
    """By what two conditions are about the same: the facts, and how they are asked for."""
    return frozenset(_name(test) for test in asks.tests)


def _name(test: Test) -> tuple[str, str]:
    """`is` one value is `in` a list of one."""
    one = test.operator == "is" and not isinstance(test.operand, bool)
    return test.field, "in" if one else test.operator


def _answer(test: Test) -> Hashable:
    wanted = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    return frozenset(_same(one) for one in wanted)


def _same(value: Any) -> Hashable:
    """Text in any case is the same, a yes is not the number one."""
    return meaning(value.casefold() if isinstance(value, str) else value)


def _split(test: Test) -> tuple[str, str]:
    """The question without the answer, and the answer."""
    words = say.question(test)
    if isinstance(test.operand, bool):
        return "that", words
    for verb in (" at least ", " at most ", " contains ", " is "):
        stem, found, answer = words.partition(verb)
        if found:
            return f"{stem}{verb}".strip(), answer
    return "that", words

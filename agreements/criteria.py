"""The condition that screen, personas, scores, tiers and segments share: facts in, yes or no out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agreements.countries import country_code, country_name
from agreements.lead import is_countable, kinds_of_mail
from agreements.words import word

#: The operators that a condition may apply to a fact. `word` is a further one, for the words in WORDS.
Operator = Literal["in", "not_in", "contains", "at_least", "at_most", "is"]
#: The operators that take several values, and those that take a limit.
SEVERAL: tuple[Operator, ...] = ("in", "not_in", "contains")
LIMITS: tuple[Operator, ...] = ("at_least", "at_most")
#: The operators that a condition may apply to a fact, and what each means.
OPERATORS: Mapping[Operator, str] = {
    "in": "is one of these",
    "not_in": "is none of these (an unknown value is none of them)",
    "contains": "contains one of these texts",
    "at_least": "is a number not below this",
    "at_most": "is a number not above this",
    "is": "equals this",
}
#: The fact whose values people write in several ways.
COUNTRY = "country"
#: Words that test a fact as a whole.
WORDS = ("present", "missing", "disposable", "free", "company")


@dataclass(frozen=True, slots=True)
class Test:
    """One test of one fact: `field operator operand`."""

    field: str
    operator: Operator | Literal["word"]
    operand: Any

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the facts pass. An unknown fact fails every test except `missing` and `not_in`."""
        return self.answers(values.get(self.field))

    def answers(self, value: Any) -> bool:
        """Whether this value of the fact passes. None is an unknown value. A country passes however it is written."""
        if self.field == COUNTRY and isinstance(value, str) and (answer := _OF_COUNTRIES.get(self.operator)):
            return bool(answer(value, self.operand))
        return bool(_ANSWERS[self.operator](value, self.operand))

    def __str__(self) -> str:
        if self.operator == "word":
            return f"{self.field} is {self.operand}"
        wanted = ", ".join(map(str, self.operand)) if isinstance(self.operand, tuple) else str(self.operand)
        return f"{self.field} {self.operator.replace('_', ' ')} {wanted}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition holds when all of its tests hold. A condition without tests always holds."""

    tests: tuple[Test, ...] = ()

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether every test holds for these facts."""
        return all(test.holds(values) for test in self.tests)

    def __str__(self) -> str:
        return " and ".join(map(str, self.tests)) or "always"

    @property
    def fields(self) -> frozenset[str]:
        """The facts that its tests use."""
        return frozenset(test.field for test in self.tests)


def condition(clause: Mapping[str, Any]) -> Condition:
    """Read a `when:` mapping. Raises ValueError, which says what to write instead."""
    return Condition(tuple(test for name, wanted in clause.items() for test in _tests(str(name), wanted)))


def _tests(name: str, wanted: Any) -> Iterable[Test]:
    if isinstance(wanted, Mapping):
        unknown = [key for key in wanted if key not in OPERATORS]
        if unknown or not wanted:
            raise ValueError(f"'{name}' asks {unknown or 'nothing'}; write one of: {', '.join(OPERATORS)}")
        return [Test(name, op, _operand(name, op, value)) for key, value in wanted.items() if (op := word(str(key), OPERATORS))]
    if isinstance(wanted, (list, tuple)):
        return [Test(name, "in", _operand(name, "in", wanted))]
    if isinstance(wanted, str) and wanted in WORDS:
        return [Test(name, "word", wanted)]
    return [Test(name, "is", wanted)]


def _operand(name: str, operator: Operator, value: Any) -> Any:
    if operator in SEVERAL:
        many = value if isinstance(value, (list, tuple)) else [value]
        if not many:
            raise ValueError(f"'{name} {operator}' has an empty list; name at least one value")
        return tuple(many)
    if operator in LIMITS and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ValueError(f"'{name} {operator}' needs a number, not {value!r}")
    return value


def _same(have: Any, want: Any) -> bool:
    if isinstance(have, str) and isinstance(want, str):
        return have.casefold() == want.casefold()
    return bool(have == want) and isinstance(have, bool) == isinstance(want, bool)


def _word(have: Any, word: str) -> bool:
    if word == "present":
        return have not in (None, "")
    if word == "missing":
        return have in (None, "")
    return word in kinds_of_mail(str(have or ""))


def _number(have: Any) -> float | None:
    return None if isinstance(have, (bool, str)) or have is None or not is_countable(have) else float(have)


_ANSWERS: Mapping[Operator | Literal["word"], Any] = {
    "is": _same,
    "in": lambda have, want: any(_same(have, one) for one in want),
    "not_in": lambda have, want: not any(_same(have, one) for one in want),
    "contains": lambda have, want: any(str(one).casefold() in str(have or "").casefold() for one in want),
    "at_least": lambda have, want: (number := _number(have)) is not None and number >= want,
    "at_most": lambda have, want: (number := _number(have)) is not None and number <= want,
    "word": _word,
}


def _same_country(have: str, want: Any) -> bool:
    return _same(country_code(have), country_code(want.strip()) if isinstance(want, str) else want) or _same(have, want)


def _in_country(have: str, part: Any) -> bool:
    """Whether the country is the one in `part`, or has this text in its code or name."""
    text, code = str(part).casefold(), country_code(have)
    return _same_country(have, part) or text in code.casefold() or (len(text) > 2 and text in f"{have} {country_name(code)}".casefold())


_OF_COUNTRIES: Mapping[Operator | Literal["word"], Any] = {
    "is": _same_country,
    "in": lambda have, want: any(_same_country(have, one) for one in want),
    "not_in": lambda have, want: not any(_same_country(have, one) for one in want),
    "contains": lambda have, want: any(_in_country(have, one) for one in want),
}

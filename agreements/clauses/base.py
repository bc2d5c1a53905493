"""What all clauses share: they are frozen and refuse unknown keys. Also how a file writes times and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from agreements.calendar.durations import Duration, Term, parse_term
from agreements.clauses.looks import CONDITION, DURATION, ELAPSED, TERM
from agreements.criteria import OPERATORS, Condition, Test, condition
from agreements.lead import beyond_bounds

Path = tuple[str | int, ...]


class Clause(BaseModel):
    """A part of the agreement. It is frozen and refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        """Refuse numbers above the limits, also those read from digits in quotes. Texts are checked only where files are read,
        so that a long text published earlier stays valid."""
        if found := [((name,), f"{problem}; write less") for name, value in self if (problem := _beyond(value))]:
            raise Misfit(found)
        return self


def _beyond(value: Any) -> str:
    several = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else (value,)
    return next(filter(None, (beyond_bounds(one) for one in several if not isinstance(one, str))), "")


class Misfit(ValueError):
    """Several mistakes within one value: for each the keys that lead there, and what to write instead."""

    def __init__(self, problems: Iterable[tuple[Path, str]]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(what for _, what in self.problems))


def shown(value: object) -> str:
    """Return a value as a message shows it: text in quotes, and never long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(name: object, known: Iterable[object]) -> str:
    """Return `; did you mean 'x'?` for the known name most like this one, empty if none is similar."""
    names = {str(one).casefold(): str(one) for one in known}
    found = get_close_matches(str(name)[:80].casefold(), names, n=1, cutoff=0.6)
    return f"; did you mean {names[found[0]]!r}?" if found else ""


def one_of(known: Iterable[object]) -> str:
    """Return `one of a, b, c`."""
    names = [str(one) for one in known]
    return f"one of {', '.join(names)}" if len(names) > 1 else "".join(names)


def _term(value: Any) -> Any:
    if isinstance(value, (Mapping, list)) or value is None:
        raise ValueError(f"{shown(value)} is no time; write a number and a unit, such as '4 working hours' or '12 hours'")
    return parse_term(str(value)) if isinstance(value, (str, int, float)) else value


def _duration(value: Any) -> Any:
    term = _term(value)
    if not isinstance(term, Duration):
        raise ValueError(f"{shown(str(value))} is no duration; write a number and a unit, as in '60 days'")
    return term


def _elapsed(value: Any) -> Any:
    duration = _duration(value)
    if duration.working:
        plain = f"{duration.amount} {duration.unit}"
        raise ValueError(f"'{duration}' follows a calendar, and no calendar counts here; write '{plain}'")
    return duration


def _condition(value: Any) -> Any:
    if isinstance(value, Condition):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{shown(value)} is no condition; write a fact and its value, such as {{country: [GB, IE]}}")
    tests: list[Test] = []
    problems: list[tuple[Path, str]] = []
    for name, wanted in value.items():
        if found := list(_unasked(str(name), wanted)):
            problems += found
            continue
        try:
            tests += condition({str(name): _plain(wanted)}).tests
        except ValueError as error:
            problems.append(((str(name),), str(error)))
    if problems:
        raise Misfit(problems)
    return Condition(tuple(tests))


def _unasked(name: str, wanted: Any) -> Iterable[tuple[Path, str]]:
    """Yield what no condition can ask of a fact."""
    if isinstance(wanted, Mapping):
        for word, value in wanted.items():
            if word not in OPERATORS:
                yield (name, str(word)), f"'{word}' is no question{nearest(word, OPERATORS)}; write {one_of(OPERATORS)}"
            else:
                yield from _unasked_value((name, str(word)), value)
        if not wanted:
            yield (name,), f"asks nothing of {name!r}; write {one_of(OPERATORS)}, or leave it out"
    else:
        yield from _unasked_value((name,), wanted)


def _unasked_value(path: Path, value: Any) -> Iterable[tuple[Path, str]]:
    for one in value if isinstance(value, (list, tuple)) else [value]:
        if one is None:
            yield path, "is empty; write the value that is asked for, or `missing` for a fact that is not known"
        elif isinstance(one, (Mapping, list, tuple)):
            yield path, f"{shown(one)} is no value; write one text, number, true or false, or a list of them"


def _plain(wanted: Any) -> Any:
    """Return the operand with dates as text, as facts hold them."""
    if isinstance(wanted, Mapping):
        return {key: _plain(one) for key, one in wanted.items()}
    if isinstance(wanted, (list, tuple)):
        return [_plain(one) for one in wanted]
    return wanted.isoformat() if isinstance(wanted, date) else wanted


_PERCENTAGE = re.compile(r"([1-9]\d?|100)%")


def percentage(value: Any) -> int:
    """Return the number in `70%`. Raises ValueError, which says what to write instead."""
    found = _PERCENTAGE.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"{shown(value)} is no percentage; write one from 1% to 100%, as in '10%'")
    return int(found[1])


ATerm = Annotated[Term, BeforeValidator(_term), WithJsonSchema(TERM)]
ADuration = Annotated[Duration, BeforeValidator(_duration), WithJsonSchema(DURATION)]
AnElapsed = Annotated[Duration, BeforeValidator(_elapsed), WithJsonSchema(ELAPSED)]
ACondition = Annotated[Condition, BeforeValidator(_condition), WithJsonSchema(CONDITION)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=NAME)]

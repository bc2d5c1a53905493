"""What all clauses share: frozen, refusing what they do not know; and the words in which times and conditions are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agreements.criteria import Condition, condition
from agreements.durations import Duration, Term, parse_term


class Clause(BaseModel):
    """A part of the agreement: frozen, and refusing what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


def _term(value: Any) -> Any:
    return parse_term(value) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    term = _term(value)
    if not isinstance(term, Duration):
        raise ValueError(f"{value!r} is no duration; write a number and a unit, as in '60 days'")
    return term


def _elapsed(value: Any) -> Any:
    duration = _duration(value)
    if duration.working:
        raise ValueError(f"'{duration}' follows a calendar, and nobody's calendar is meant here; write '{duration.amount} {duration.unit}'")
    return duration


def _condition(value: Any) -> Any:
    return condition(value) if isinstance(value, Mapping) else value


def percentage(value: Any) -> int:
    """The number in `70%`. Raises ValueError that says what to write instead."""
    text = str(value).strip()
    if not text.endswith("%") or not text[:-1].isdigit() or not 0 < int(text[:-1]) <= 100:
        raise ValueError(f"{value!r} is no percentage; write one from 1% to 100%, as in '10%'")
    return int(text[:-1])


ATerm = Annotated[Term, BeforeValidator(_term)]
ADuration = Annotated[Duration, BeforeValidator(_duration)]
AnElapsed = Annotated[Duration, BeforeValidator(_elapsed)]
ACondition = Annotated[Condition, BeforeValidator(_condition)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

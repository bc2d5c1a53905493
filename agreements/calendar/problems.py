"""What is wrong with a calendar: where, what, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

Path = tuple[object, ...]


class Problem(NamedTuple):
    """One mistake. path: the keys that lead to it, as in the clause; instead: what to write there."""

    path: Path
    problem: str
    instead: str

    @property
    def key(self) -> str:
        """The path in one line, such as `hours.mon-fri`; `calendar` for the clause as a whole."""
        return ".".join(str(part) for part in self.path) or "calendar"

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}; write {self.instead}"


class CalendarError(ValueError):
    """The calendar cannot be used as it is written.

    problems: every problem, in the order of the clause; path, problem, instead: those of the first.
    """

    def __init__(self, path: Path, problem: str, instead: str, *further: Problem) -> None:
        super().__init__(path, problem, instead, *further)
        self.problems = (Problem(path, problem, instead), *further)
        self.path, self.problem, self.instead = path, problem, instead

    @property
    def key(self) -> str:
        """Where the first problem is, such as `hours.mon-fri`."""
        return self.problems[0].key

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.problems)


class Found(list[Problem]):
    """The mistakes so far."""

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Collect the mistakes raised inside the block, and go on."""
        try:
            yield
        except CalendarError as error:
            self.extend(error.problems)


def mapping(value: object, path: Path, example: str) -> Mapping[Any, Any]:
    """Return the value if it is a mapping, an empty one for nothing. Raises CalendarError otherwise."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CalendarError(path, f"{shown(value)} is not a mapping", example)
    return value


def shown(value: object) -> str:
    """Return the value as a message quotes it, shortened if it is long."""
    text = repr(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."

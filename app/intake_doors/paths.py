"""Paths into a payload, as a map writes them: `form_response.answers[field.ref=email].email`.

A name goes into an object; `[2]` takes the third entry of a list; `[key=value]` the first entry whose key has this value; `[]`
each entry. A name that holds a full stop or a bracket is quoted: `'input.1'`. A path that begins with `$` is looked up in the
whole payload, any other in the part that is one lead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\.?'(?P<quoted>[^']*)'|\[(?P<index>\d{1,6})\]|\[(?P<all>)\]|\[(?P<key>[^\[\]=]+)=(?P<value>[^\[\]]*)\]|\.?(?P<name>[^.\[\]']+)"""
)
_LONGEST = 300
#: How many entries of one list are looked at to find one by its key.
MOST_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path. name: of an entry of an object; index: of a list; key and value: of the entry to find; every: each entry."""

    name: str = ""
    index: int = -1
    key: tuple[str, ...] = ()
    value: str = ""
    every: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A path that was read. text: as it is written; whole: it begins at the whole payload."""

    text: str
    steps: tuple[Step, ...]
    whole: bool = False

    @property
    def has_every(self) -> bool:
        """Whether the path can lead to several places."""
        return any(step.every for step in self.steps)


def parse(text: str) -> Path:
    """Return the path. Raises ValueError that says what to write instead."""
    rest, whole = text.strip(), False
    if rest == "$" or rest.startswith(("$.", "$[")):
        rest, whole = rest[1:], True
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        found = _TOKEN.match(rest, at)
        if found is None or len(text) > _LONGEST:
            raise ValueError(
                f"{text[:60]!r} is no path; write it as `a.b`, `list[0].b` or `list[key=value].b`, and quote names with full stops"
            )
        steps.append(_step(found))
        at = found.end()
    return Path(text, tuple(steps), whole)


def _step(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        return Step(index=int(found["index"]))
    if found["all"] is not None:
        return Step(every=True)
    if found["key"] is not None:
        return Step(key=tuple(found["key"].strip().split(".")), value=found["value"].strip().strip("'\""))
    return Step(name=found["quoted"] if found["quoted"] is not None else found["name"].strip())


def find(path: Path, part: Any, whole: Any) -> Any:
    """Return what stands there, None for nothing. part: one lead; whole: the payload that it came in."""
    root = whole if path.whole else part
    if isinstance(root, dict) and path.text in root:  # a form's field may be named like a path
        return root[path.text]
    return next((value for value, _ in each(path, root) if value is not None), None)


def each(path: Path, root: Any) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Yield each place to which the path leads, with the numbers of the entries on the way."""
    yield from _each(path.steps, root, ())


def is_empty(path: Path, root: Any) -> bool:
    """Whether the path leads to lists that are there and hold nothing, as in a delivery without leads."""
    here = [root]
    for step in path.steps:
        if step.every:
            if not all(isinstance(one, list) for one in here):
                return False
            here = [entry for one in here for entry in one]
            if not here:
                return True
        else:
            here = [value for one in here for value, _ in _each((step,), one, ())]
            if not here:
                return False
    return False


def _each(steps: tuple[Step, ...], here: Any, way: tuple[int, ...]) -> Iterator[tuple[Any, tuple[int, ...]]]:
    if not steps:
        yield here, way
        return
    step, rest = steps[0], steps[1:]
    if step.every:
        for number, one in enumerate(here if isinstance(here, list) else ()):
            yield from _each(rest, one, (*way, number))
    elif step.name:
        if isinstance(here, dict) and step.name in here:
            yield from _each(rest, here[step.name], way)
    elif step.key:
        if (found := _entry(here, step)) is not None:
            yield from _each(rest, found, way)
    elif isinstance(here, list) and step.index < len(here):
        yield from _each(rest, here[step.index], way)


def _entry(entries: Any, step: Step) -> Any:
    for one in entries[:MOST_ENTRIES] if isinstance(entries, list) else ():
        value = one
        for name in step.key:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, (dict, list)) and words(value) == step.value:
            return one
    return None


def words(value: Any) -> str:
    """Return a single value of JSON as a map compares it: whole numbers by all their digits, true and false by their words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    return "" if value is None else str(value)


def alone(path: Path, root: Any, way: tuple[int, ...]) -> Any:
    """Return the payload with only that one entry in each list on the way, so that the rest of a batch is nobody's any more."""
    return _alone(path.steps, root, way)


def _alone(steps: tuple[Step, ...], here: Any, way: tuple[int, ...]) -> Any:
    if not steps or not way:
        return here
    step, rest = steps[0], steps[1:]
    if step.every:
        return [_alone(rest, here[way[0]], way[1:])]
    if step.name:
        return {**here, step.name: _alone(rest, here[step.name], way)}
    return here  # a part of a list that was chosen by its number or key stays whole

"""An agreement as a tree of statements, and how one tree differs from another, in words.

Each kind of statement knows how to word that it is new, gone or changed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Any


@dataclass(frozen=True, slots=True)
class Value:
    """One value. label: its subject; words: how it reads; meaning: equal for equal values, however they are written.

    inherited: the value follows from another clause. A change is reported once, at that clause.
    """

    label: str
    words: str
    meaning: Hashable
    inherited: bool = False

    def since(self, old: Statement) -> Iterator[str]:
        """Yield a line for each change since the old statement."""
        assert isinstance(old, Value), "a value is compared with a value"
        if self.meaning != old.meaning and not (self.inherited and old.inherited):
            yield f"{self.label}{_step(old.words, self.words)}"

    def new(self) -> Iterator[str]:
        """Word that the statement is new."""
        yield f"{self.label} is new: {self.words}"

    def gone(self) -> Iterator[str]:
        """Word that the statement is gone."""
        yield f"{self.label} is gone; it was {self.words}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One test of a condition. label: the rule that asks; stem: the test without its wanted value; words: the wanted value."""

    label: str
    stem: str
    words: str
    meaning: Hashable

    def since(self, old: Statement) -> Iterator[str]:
        """Yield the change since the old test, if any."""
        assert isinstance(old, Asked), "a question is compared with a question"
        if self.meaning != old.meaning:
            yield f"{self.label} asks {self.stem} {self.words} instead of {old.words}"

    def new(self) -> Iterator[str]:
        """Word that the test is new."""
        yield f"{self.label} also asks {self.stem} {self.words}"

    def gone(self) -> Iterator[str]:
        """Word that the test is gone."""
        yield f"{self.label} no longer asks {self.stem} {self.words}"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a list whose order means nothing. label: of which list."""

    label: str
    words: str

    def since(self, old: Statement) -> Iterator[str]:
        """Yield nothing: an entry is either there or not."""
        return iter(())

    def new(self) -> Iterator[str]:
        """Word that the entry joined the list."""
        yield f"{self.label}: now also {self.words}"

    def gone(self) -> Iterator[str]:
        """Word that the entry left the list."""
        yield f"{self.label}: no longer {self.words}"


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of a week's days. Days with the same change share a line. hours: each day's name, and its hours in words."""

    label: str
    hours: tuple[tuple[str, str], ...]

    def since(self, old: Statement) -> Iterator[str]:
        """Yield a line for each group of days with the same change."""
        assert isinstance(old, Week), "a week is compared with a week"
        steps = ((day, before, after) for (day, before), (_, after) in zip(old.hours, self.hours, strict=True))
        for (before, after), group in groupby(steps, key=lambda one: one[1:]):
            days = [day for day, *_ in group]
            if before != after:
                yield f"{self.label} on {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}: {before} -> {after}"

    def new(self) -> Iterator[str]:
        """Yield nothing: the calendar already reports that it is new."""
        return iter(())

    def gone(self) -> Iterator[str]:
        """Yield nothing: the calendar already reports that it is gone."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Parts:
    """Statements by name. words: all of them in short; otherwise: the statement for any other name, None for none.

    inherited: the parts follow from another clause. A change is reported once, at that clause.
    """

    label: str
    parts: Mapping[Any, Statement]
    words: str = ""
    otherwise: Value | None = None
    inherited: bool = False

    def since(self, old: Statement) -> Iterator[str]:
        """Yield the changes of its parts, in the order of the old statement; new parts come last."""
        assert isinstance(old, Parts), "what has parts is compared with what has parts"
        if self.inherited and old.inherited:
            return
        for key in dict.fromkeys(chain(old.parts, self.parts)):
            before, after = old.said(key, like=self), self.said(key, like=old)
            if before is None and after is not None:
                yield from after.new()
            elif before is not None and after is None:
                yield from before.gone()
            elif before is not None and after is not None:
                yield from after.since(before)

    def said(self, key: Hashable, *, like: Parts) -> Statement | None:
        """Return the statement for that name, or the one for any other name. At least one of the two trees has the name."""
        if key in self.parts or self.otherwise is None:
            return self.parts.get(key)
        return replace(self.otherwise, label=like.parts[key].label)

    def new(self) -> Iterator[str]:
        """Word in short that all of it is new."""
        yield f"{self.label} is new{f': {self.words}' if self.words else ''}"

    def gone(self) -> Iterator[str]:
        """Word that all of it is gone."""
        yield f"{self.label} is gone{f'; it was: {self.words}' if self.words else ''}"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list. names: keys that identify the entry in another version, the most reliable first. The first shared
    key counts."""

    names: tuple[Hashable, ...]
    said: Parts | Value


@dataclass(frozen=True, slots=True)
class Items:
    """A list of entries. ordered: whether their order has a meaning."""

    label: str
    items: tuple[Item, ...]
    ordered: bool = False
    words: str = ""

    def since(self, old: Statement) -> Iterator[str]:
        """Yield the changes within entries, the new and gone entries, and those that moved."""
        assert isinstance(old, Items), "a list is compared with a list"
        pairs = _pairs(old.items, self.items)
        for position, item in enumerate(old.items):
            if position in pairs:
                yield from self.items[pairs[position]].said.since(item.said)
            else:
                yield from item.said.gone()
        for position, item in enumerate(self.items):
            if position not in pairs.values():
                yield from item.said.new()
        if self.ordered:
            yield from self._moved([pairs[position] for position in sorted(pairs)])

    def _moved(self, places: list[int]) -> Iterator[str]:
        kept = set(_longest_rise(places))
        for place in sorted(set(places) - kept):
            where = f"after {self.items[place - 1].said.label}" if place else "first"
            yield f"{self.items[place].said.label} now comes {where}"

    def new(self) -> Iterator[str]:
        """Word that each entry is new."""
        return chain.from_iterable(item.said.new() for item in self.items)

    def gone(self) -> Iterator[str]:
        """Word that each entry is gone."""
        return chain.from_iterable(item.said.gone() for item in self.items)


Statement = Value | Asked | Member | Week | Parts | Items


def _pairs(old: Sequence[Item], new: Sequence[Item]) -> dict[int, int]:
    """Return old position -> new position. Entries match by the most reliable name that both share, each entry once."""
    found: dict[int, int] = {}
    for rank in range(max((len(item.names) for item in (*old, *new)), default=0)):
        for before, item in enumerate(old):
            if before in found or rank >= len(item.names):
                continue
            same = (at for at, other in enumerate(new) if at not in found.values() and other.names[rank : rank + 1] == (item.names[rank],))
            if (at := next(same, None)) is not None:
                found[before] = at
    return found


def _longest_rise(places: Sequence[int]) -> list[int]:
    """Return the longest run of places that are still in order. All others moved."""
    best: list[list[int]] = []
    for place in places:
        longest = max((row for row in best if row[-1] < place), key=len, default=[])
        best.append([*longest, place])
    return max(best, key=len, default=[])


def _step(old: str, new: str) -> str:
    """Return the step between two values: `: 5 -> 10 working minutes`. A shared unit is written once."""
    if old == new:
        return f": {new}, but with another meaning"
    (before, *unit), (after, *other) = old.split(" "), new.split(" ")
    if not (_is_number(before) and _is_number(after)):
        return f": {old} -> {new}"
    is_date = any(any(map(str.isdigit, word)) for word in unit)
    return f": {before if unit == other and not is_date else old} -> {new}"


def _is_number(word: Any) -> bool:
    return bool(word) and word.lstrip("+-").replace(",", "").replace(".", "").rstrip("%").isdigit()

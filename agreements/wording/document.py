"""The parts of a contract in words, as plain values: text without any markup. The writer (Markdown, page) decides the look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list. name: its subject, shown before the words; may be empty. points: what it gives or takes."""

    words: str
    name: str = ""
    points: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    words: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Lines:
    """A list. title: shown above it, empty for none; numbered: whether the order counts."""

    lines: tuple[Line, ...]
    title: str = ""
    numbered: bool = False
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Beside:
    """A word, the agreed prose for it, and the rules that decide it, side by side."""

    word: str
    prose: str
    rules: tuple[Lines, ...]
    kind: Literal["beside"] = "beside"


Block = Text | Lines | Table | Beside


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the contract. key: its short name, of letters and dashes. A section without blocks is left out."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """The whole contract in words. summary: what it is in a few lines."""

    title: str
    summary: tuple[Line, ...]
    sections: tuple[Section, ...]


def told(words: str, name: str) -> Line:
    """Return a line of Baton's words under a name, with a capital letter. Names that people gave keep their case."""
    return Line(f"{words[:1].upper()}{words[1:]}", name)


def lines(*found: Line | str, title: str = "", numbered: bool = False) -> tuple[Lines, ...]:
    """Return these lines as a list in a block; no block if there are no lines."""
    kept = tuple(Line(one) if isinstance(one, str) else one for one in found if one)
    return (Lines(kept, title, numbered),) if kept else ()

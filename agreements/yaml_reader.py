"""Read a YAML 1.2 text as plain values, each with its line. The reader does not know what the values mean."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from agreements.lead import beyond_bounds, storable

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_ENTRIES = 30_000
MAX_LINE = 100_000
#: A whole number with more digits than this stays text: nobody means such a number.
_MAX_DIGITS = 15
_UNSEEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_ANCHORS = "anchors and aliases (&name, *name) are not used in agreements; write the clause out"

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at one place: its line (counted from 1), the keys that lead there, and what to write instead."""

    line: int
    path: Path
    what: str

    def told(self, name: str) -> str:
        """Return the mistake as one line, in a file of that name."""
        where = ".".join(map(str, self.path))
        return f"{name}:{self.line}: {where}: {self.what}" if where else f"{name}:{self.line}: {self.what}"


class Unreadable(Exception):
    """The text cannot be read at all; each of `mistakes` says why."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(one.what for one in mistakes))
        self.mistakes = mistakes


@dataclass(slots=True)
class Written:
    """The content of a text. value: plain mappings, lists, texts, numbers and dates; lines: the line of each path in it.

    scalars: the paths of single values. mistakes: what could be read and must be corrected. doubtful: the paths whose value is
    unknown because of a mistake.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    scalars: set[Path] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)
    doubtful: set[Path] = field(default_factory=set)

    def line(self, path: Path) -> int:
        """Return the line of that path, or of the nearest path above it that the text has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str) -> Written:
    """Return the content of this text with every mistake that still lets it be read. Raises Unreadable for any other mistake.

    Time and memory are bounded: reading stops as soon as a text turns out too large, too deep or too long.
    """
    _refuse_unreadable(text)
    reader = _Reader()
    try:
        reader.read(text.removeprefix("\ufeff"))
    except MarkedYAMLError as error:
        raise Unreadable(*reader.written.mistakes, *_told(error, text)) from error
    except Unreadable as error:
        raise Unreadable(*reader.written.mistakes, *error.mistakes) from error
    except Exception as error:  # for text that is no YAML, the parser raises several unrelated types
        raise Unreadable(Mistake(1, (), f"is not readable YAML ({str(error)[:100]}); write it as `key: value`")) from error
    return reader.written


def _refuse_unreadable(text: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise Unreadable(too_large())
    unseen = {}
    for number, line in enumerate(_lines(text), start=1):
        if len(line) > MAX_LINE:
            raise Unreadable(Mistake(number, (), f"the line is longer than {MAX_LINE:,} characters; break it"))
        if found := _UNSEEN.search(line):
            unseen[number] = f"an invisible character is here (U+{ord(found[0]):04X}); take it out"
    if unseen:
        raise Unreadable(*(Mistake(number, (), what) for number, what in unseen.items()))


def _lines(text: str) -> list[str]:
    return re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))


def too_large() -> Mistake:
    """Return the mistake for a file that is larger than an agreement can be."""
    return Mistake(1, (), f"the file is larger than {MAX_BYTES:,} bytes; an agreement is a few pages: take out everything else")


class _Reader:
    """Builds the value from the parser's events one by one, so that nothing beyond a limit is read."""

    def __init__(self) -> None:
        self.written = Written()
        self._events: Iterator[Event] = iter(())
        self._count = 0
        self._yaml = YAML(typ="safe", pure=True)

    def read(self, text: str) -> None:
        self._events = YAML(typ="safe", pure=True).parse(io.StringIO(text))
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if event.version:
                    self._tell(event, (), "a file is YAML 1.2 without saying so; leave the line %YAML out")
                if documents > 1:
                    self._tell(event, (), "a second document begins here; one file holds one agreement: move the second to its own file")
                    return
            elif not isinstance(event, (StreamStartEvent, StreamEndEvent, DocumentEndEvent)):
                self.written.value = self._value(event, ())

    def _tell(self, event: Event, path: Path, what: str) -> None:
        mistake = Mistake(event.start_mark.line + 1, path, what)
        if not any(one.line == mistake.line and one.what == what for one in self.written.mistakes[-3:]):
            self.written.mistakes.append(mistake)

    def _value(self, event: Event, path: Path) -> Any:
        self._count += 1
        if self._count > MAX_ENTRIES:
            what = f"more than {MAX_ENTRIES:,} entries are in this file; an agreement is a few pages: take out everything else"
            raise Unreadable(Mistake(event.start_mark.line + 1, (), what))
        if len(path) > MAX_DEPTH:
            what = f"is nested more than {MAX_DEPTH} deep; no clause is: close the brackets, or indent less"
            raise Unreadable(Mistake(event.start_mark.line + 1, path[:3], what))
        if isinstance(event, AliasEvent):
            self.written.doubtful.add(path)
            return self._tell(event, path, _NO_ANCHORS)
        if getattr(event, "anchor", None):
            self._tell(event, path, _NO_ANCHORS)
        if tag := getattr(event, "tag", None):
            self._tell(event, path, f"a tag ({str(tag)[:40]}) is not used in agreements; write the plain value")
        if isinstance(event, ScalarEvent):
            self.written.scalars.add(path)
            return self._scalar(event, path)
        return self._list(path) if isinstance(event, SequenceStartEvent) else self._mapping(path)

    def _list(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            here = (*path, len(items))
            self.written.lines.setdefault(here, event.start_mark.line + 1)
            items.append(self._value(event, here))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, ScalarEvent):
                self._value(event, path)
                self._tell(event, path, "a key is one word; write `key: value`")
                self._value(next(self._events), path)
                continue
            if event.anchor or event.tag:
                self._tell(event, path, "a key is a plain word, without & or !; write `key: value`")
            key, here = event.value, (*path, event.value)
            if key == "<<" and not event.style:
                self._tell(event, path, "merge keys (<<) are not used in agreements; write the keys out")
            elif key in entries:
                self._tell(event, here, f"occurs twice, first on line {self.written.lines[here]}; keep one of the two")
            self.written.lines.setdefault(here, line)
            value = self._value(next(self._events), here)
            if key != "<<" or event.style:
                entries.setdefault(key, value)
        return entries

    def _scalar(self, event: ScalarEvent, path: Path) -> Any:
        if problem := beyond_bounds(event.value):
            self.written.doubtful.add(path)
            self._tell(event, path, f"the text {problem}; write less")
        elif storable(event.value) != event.value:
            self.written.doubtful.add(path)
            self._tell(event, path, "an escape here is no character (U+0000, or half of a pair); take it out")
        if event.style or event.tag:
            return event.value
        tag = self._yaml.resolver.resolve(ScalarNode, event.value, (True, False))
        if str(tag).endswith((":str", ":merge", ":value")):
            return event.value
        try:
            value = self._yaml.constructor.construct_object(ScalarNode(tag, event.value))
        except ValueError:
            if str(tag).endswith(":timestamp"):
                self.written.doubtful.add(path)
                self._tell(event, path, f"there is no day {event.value[:40]}; write one such as 2026-12-01")
            return event.value
        if isinstance(value, float) and (problem := beyond_bounds(value)):
            self.written.doubtful.add(path)
            self._tell(event, path, f"{event.value[:40]} {problem}; write one such as 100")
        if isinstance(value, datetime) or (isinstance(value, int) and abs(value) >= 10**_MAX_DIGITS):
            return event.value
        return value if isinstance(value, (bool, int, float, date)) or value is None else event.value


#: The parser's message -> what to do about it. {line} is where the value began that the parser was reading.
_ADVICE: Mapping[str, str] = {
    r"found character '\\t'": "a tab is here; indent with blanks",
    r"found character '(.)' that cannot": "a text cannot begin with {0}; put it in quotes",
    r"mapping values are not allowed": "a colon is not allowed here; put a text with a colon in quotes, and each key on its own line",
    r"could not find expected ':'": "line {line} is a key without a colon; write `key: value`",
    r"end of stream|document separator": "a quote that opens on line {line} is not closed; close it",
    r"expected ',' or '\]'": "the list that opens on line {line} is not closed, or lacks a comma; write [a, b]",
    r"expected ',' or '\}'": "the mapping that opens on line {line} is not closed, or lacks a comma; write {{key: value, key: value}}",
    r"unknown escape|escape sequence": "a backslash is in double quotes; write it twice, or use single quotes",
    r"expected <block end>|but found|found unexpected": "this is not allowed here; indent the keys of one clause alike, close what is open",
}


def _told(error: MarkedYAMLError, text: str) -> Iterator[Mistake]:
    problem = str(error.problem or "is not readable YAML").strip()
    mark, opened = error.problem_mark, error.context_mark
    line = mark.line + 1 if mark else 1
    if "\\t" in problem:
        tabbed = [number for number, one in enumerate(_lines(text), start=1) if "\t" in one[: len(one) - len(one.lstrip())]]
        yield from (Mistake(number, (), "a tab is here; indent with blanks") for number in tabbed or [line])
        return
    for pattern, advice in _ADVICE.items():
        if found := re.search(pattern, problem):
            began = opened.line + 1 if opened else line
            yield Mistake(began if "{line}" in advice else line, (), advice.format(*found.groups(), line=began))
            return
    yield Mistake(line, (), f"is not readable YAML ({problem}); write it as `key: value`")

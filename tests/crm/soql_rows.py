"""The part of SOQL that the stand-in for Salesforce speaks.

It is SELECT, FROM, WHERE with AND, OR, NOT, IN, LIKE and comparisons, ORDER BY, and LIMIT.

What Salesforce refuses is refused: columns that are not there, values that may not be compared, lists that are empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d))|(?P<day>\d{4}-\d\d-\d\d)"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign><=|>=|!=|=|<|>|\(|\)|,))"""
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
#: Columns that hold a value of any type: Salesforce shows them and compares them with nothing.
_NOT_FILTERED = frozenset({"NewValue", "OldValue", "Description"})


class QueryRefused(Exception):
    """Salesforce refuses this query."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


Test = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Query:
    """A query that was read. order: columns, each with whether it goes down."""

    columns: tuple[str, ...]
    table: str
    test: Test
    used: frozenset[str]
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None


def read_query(text: str) -> Query:
    """Read a query. Raises QueryRefused with MALFORMED_QUERY."""
    return _Reader(list(_tokens(text))).query()


def value_of(row: Mapping[str, Any], column: str) -> Any:
    """Return the value of a column, which may lead to another object: `Lead.Id`."""
    found: Any = row
    for name in column.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def sort_key(row: Mapping[str, Any], column: str) -> tuple[bool, Any]:
    """Return what rows are sorted by: nulls first, texts without case except ids."""
    found = _comparable(value_of(row, column))
    return found is not None, found if found is not None else 0


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise QueryRefused("MALFORMED_QUERY", f"unexpected token: {text[at : at + 20]}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Reader:
    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens, self._at, self._used = tokens, 0, set[str]()

    def query(self) -> Query:
        self._word("SELECT")
        columns = [self._name()]
        while self._take(","):
            columns.append(self._name())
        self._word("FROM")
        table = self._name()
        test = self._either() if self._take_word("WHERE") else _always
        order, limit = [], None
        if self._take_word("ORDER"):
            self._word("BY")
            order = [self._ordered()]
            while self._take(","):
                order.append(self._ordered())
        if self._take_word("LIMIT"):
            limit = int(self._literal())
        if self._at != len(self._tokens):
            raise QueryRefused("MALFORMED_QUERY", f"unexpected token: {self._tokens[self._at][1]}")
        return Query(tuple(columns), table, test, frozenset(self._used), tuple(order), limit)

    def _ordered(self) -> tuple[str, bool]:
        column = self._name()
        down = self._take_word("DESC")
        if not down:
            self._take_word("ASC")
        return column, down

    def _either(self) -> Test:
        tests, together, apart = [self._one()], False, False
        while (both := self._take_word("AND")) or self._take_word("OR"):
            together, apart = together or both, apart or not both
            tests.append(self._one())
        if together and apart:
            raise QueryRefused("MALFORMED_QUERY", "AND and OR need parentheses")
        return (lambda row: any(test(row) for test in tests)) if apart else (lambda row: all(test(row) for test in tests))

    def _one(self) -> Test:
        if self._take("("):
            test = self._either()
            self._sign(")")
            return test
        if self._take_word("NOT"):
            inner = self._one()
            return lambda row: not inner(row)
        column = self._name()
        self._used.add(column)
        if column.rpartition(".")[2] in _NOT_FILTERED:
            raise QueryRefused("INVALID_FIELD", f"field '{column}' can not be filtered in a query call")
        if self._take_word("IN"):
            wanted = self._list()
            return lambda row: _comparable(value_of(row, column)) in wanted
        if self._take_word("LIKE"):
            pattern = _pattern(str(self._literal(raw=True)))
            return lambda row: bool(pattern.fullmatch(str(value_of(row, column) or "")))
        kind, sign = self._next()
        if kind != "sign" or sign in "(),":
            raise QueryRefused("MALFORMED_QUERY", f"unexpected token: {sign}")
        literal = _comparable(self._literal())
        return lambda row: _compared(_comparable(value_of(row, column)), sign, literal)

    def _list(self) -> list[Any]:
        self._sign("(")
        found = [_comparable(self._literal())]
        while self._take(","):
            found.append(_comparable(self._literal()))
        self._sign(")")
        return found

    def _literal(self, *, raw: bool = False) -> Any:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1] if raw else re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
        if kind == "time":
            return datetime.fromisoformat(text)
        if kind == "day":
            return date.fromisoformat(text)
        if kind == "number":
            return float(text)
        words = {"true": True, "false": False, "null": None}
        if kind == "name" and text.lower() in words:
            return words[text.lower()]
        raise QueryRefused("MALFORMED_QUERY", f"unexpected token: {text}")

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise QueryRefused("MALFORMED_QUERY", "unexpected token: <EOF>")
        self._at += 1
        return self._tokens[self._at - 1]

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise QueryRefused("MALFORMED_QUERY", f"unexpected token: {text}")
        return text

    def _take(self, sign: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)
        self._at += found
        return found

    def _take_word(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at][0] == "name" and self._tokens[self._at][1].upper() == word
        self._at += found
        return found

    def _word(self, word: str) -> None:
        if not self._take_word(word):
            raise QueryRefused("MALFORMED_QUERY", f"expecting {word}")

    def _sign(self, sign: str) -> None:
        if not self._take(sign):
            raise QueryRefused("MALFORMED_QUERY", f"expecting {sign}")


def _always(row: Mapping[str, Any]) -> bool:
    return True


def _comparable(value: Any) -> Any:
    """A value as Salesforce compares it: texts without case, ids by 15 characters, numbers as numbers."""
    if isinstance(value, str):
        return value[:15] if re.fullmatch(r"[a-zA-Z0-9]{3}\d{12}([A-Z0-9]{3})?", value) else value.casefold()
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _compared(value: Any, sign: str, literal: Any) -> bool:
    if sign == "=":
        return bool(value == literal)
    if sign == "!=":
        return bool(value != literal)
    if value is None or literal is None:
        return False
    if isinstance(value, datetime) != isinstance(literal, datetime):
        raise QueryRefused("INVALID_FIELD", "value of filter criterion must be of type dateTime and should not be enclosed in quotes")
    return bool({"<": value < literal, "<=": value <= literal, ">": value > literal, ">=": value >= literal}[sign])


def _pattern(raw: str) -> re.Pattern[str]:
    """The pattern of LIKE, from a literal as it was written."""
    parts = re.findall(r"\\.|.", raw, re.DOTALL)
    found = "".join(
        ".*" if part == "%" else "." if part == "_" else re.escape(_ESCAPES.get(part[1], part[1]) if len(part) == 2 else part)
        for part in parts
    )
    return re.compile(found, re.IGNORECASE | re.DOTALL)

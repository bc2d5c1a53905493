"""SOQL, the query language of Salesforce: how values are written into a query. Nothing else puts a value there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
#: How Salesforce names a field.
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
#: In a pattern of LIKE these two stand for any characters.
_WILD = {"%": "\\%", "_": "\\_"}


def quoted(text: str) -> str:
    """Return the text as a literal of SOQL, with its quotes. Control characters that SOQL cannot write become blanks."""
    return f"'{_escaped(text)}'"


def column(name: str) -> str:
    """Return the name of a field, as it is written into a query. Raises ValueError for what cannot be a name."""
    if not _COLUMN.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no name of a field")
    return name


def containing(text: str) -> str:
    """Return the pattern of LIKE for every value that holds this text, whatever `%` and `_` the text has."""
    return "'%" + "".join(_WILD.get(char, char) for char in _escaped(text)) + "%'"


def listed(texts: Iterable[str]) -> str:
    """Return the list after IN, in a fixed order. Raises ValueError for no text: SOQL has no empty list."""
    found = sorted(set(texts))
    if not found:
        raise ValueError("SOQL has no empty list")
    return f"({', '.join(quoted(text) for text in found)})"


def instant(at: datetime) -> str:
    """Return an aware time as a literal of SOQL, in UTC and whole seconds. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a time in a query has a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_instant(text: str) -> datetime:
    """Return a time as Salesforce writes it (2026-03-02T09:00:00.000+0000), aware, in UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text[:40]} has no zone")
    return at.astimezone(UTC)


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(char, char if char.isprintable() or char == " " else " ") for char in text)

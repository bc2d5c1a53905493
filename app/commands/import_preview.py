"""Shows how an import understood a file: what each column means with its first values, what is not read, and what is wrong."""

from __future__ import annotations

import re
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from agreements.lead import FieldValue, IncomingLead
from app import terminal
from app.csv_import.columns import columns_of
from app.csv_import.file import BadRow, ReadLeads, open_leads
from app.csv_import.lead_map import LeadMap

ROWS_SHOWN = 3
#: What differs between two mistakes of one kind: quoted words and numbers.
_VALUES = re.compile(r"'[^']*'|\d+")


def asks(*, yes: bool) -> bool:
    """Whether the command shows the rows and asks: somebody is there, and did not say yes already. A script goes on as told."""
    return not yes and sys.stdin.isatty() and sys.stdout.isatty()


def show(read: ReadLeads, file: Path, mapping: LeadMap | None, encoding: str) -> None:
    """Print the first rows as they were understood, and the counts of good and bad rows by kind. Stores nothing."""
    header = open_leads(file, mapping, encoding).header
    shown = read.rows[:ROWS_SHOWN]
    table = Table("column", "is read as", *(f"line {row.line}" for row in shown), box=None)
    for column in columns_of(header, mapping, str(file)):
        name = f"field {column.target}" if column.is_field else column.target
        cells = [_written(_value(row.lead, column.target, is_field=column.is_field)) for row in shown]
        table.add_row(*(Text(one) for one in (column.name, name, *cells)))
    terminal.console.print(table)
    _say(f"{len(read.rows)} rows can be taken in, {len(read.bad)} cannot.")
    for many, first in problems(read.bad):
        _say(f"  {many:>6} such as line {first.line}: {first.reason}")


def problems(bad: list[BadRow]) -> list[tuple[int, BadRow]]:
    """Return the kinds of mistakes, the most frequent first: how many rows have it, and the first of them."""
    firsts: dict[str, BadRow] = {}
    for one in bad:
        firsts.setdefault(_VALUES.sub("…", one.reason), one)
    counts = Counter(_VALUES.sub("…", one.reason) for one in bad)
    return [(many, firsts[kind]) for kind, many in counts.most_common(20)]


def agreed() -> bool:
    """Ask whether the rows may be taken in."""
    return typer.confirm("Take these rows in?")


def _value(lead: IncomingLead, target: str, *, is_field: bool) -> FieldValue | datetime:
    found: FieldValue | datetime = lead.fields.get(target) if is_field else getattr(lead, target)
    return found


def _written(value: FieldValue | datetime) -> str:
    if value in (None, ""):
        return ""
    text = f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)
    return text if len(text) <= 30 else f"{text[:29]}…"


def _say(words: str) -> None:
    terminal.console.print(words, markup=False, highlight=False, soft_wrap=True)

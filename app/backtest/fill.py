"""Measures how well past leads can answer an agreement's rules: how often each fact is known, and which values no rule knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from agreements.clauses.facts import LATER, DeclaredField
from agreements.criteria import Operator, Test
from agreements.fields import value_as_it_came, value_of
from agreements.lead import domain_of
from agreements.model import Agreement
from agreements.rules import rules_of
from app.backtest.fact_columns import column_of_fact, columns_of_facts, with_links_in_names
from app.backtest.files import LeadFile
from app.backtest.reader import Wanted, read_rows
from app.backtest.together import put_together
from app.csv_import.file import BadRow

#: How many of the values that no rule knows are shown.
SHOWN = 5
#: Facts that follow from another one, and how.
_FOLLOWS: dict[str, Callable[[Any], Any]] = {
    "email_domain": lambda email: domain_of(str(email or "")),
    "suppressed": bool,
    "sales_sourced": bool,
}
#: The operators that name values.
_NAMES_VALUES: tuple[Operator, ...] = ("is", "in", "contains")
_NO_UNLESS_TOLD = ("suppressed", "sales_sourced")


@dataclass(frozen=True, slots=True)
class Fill:
    """One fact that one rule asks for: the share of leads with a known value (None where a file of leads cannot hold the fact),
    and the most frequent values that no synonym, band, listed value or rule knows, with how many leads have them."""

    rule: str
    fact: str
    known: float | None
    unmatched: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """How a file of leads fits the rules: how many leads it holds, each rule with each of its facts, and the bad rows."""

    leads: int
    fills: tuple[Fill, ...]
    bad: tuple[BadRow, ...] = ()


def read_fill(agreement: Agreement, file: LeadFile, *, now: datetime, progress: Callable[[int, int], None] | None = None) -> Filled:
    """Return how well the leads of this file answer the agreement's rules. now: the present; progress: called with bytes read, of how many.

    Several rows of one lead count once. Raises UnreadableFile for a file that cannot be used.
    """
    facts = {name for rule in rules_of(agreement) for name in rule.facts}
    wanted = Wanted(columns_of_facts(facts))
    read = read_rows(file.path, mapping=file.mapping, timezone=file.timezone, limit=file.limit, today=now, wanted=wanted, progress=progress)
    leads = with_links_in_names(put_together(read.facts, now=now).leads, facts)
    counted = {name: values for name in facts if (values := _counted(leads, name)) is not None}
    return Filled(leads.height, tuple(_fills(agreement, counted, leads.height)), tuple(read.bad))


def _counted(leads: pl.DataFrame, name: str) -> Counter[Any] | None:
    """Return how many leads have each value of the fact, as it came; None where no file of leads can hold it."""
    column = column_of_fact(name)
    if column not in leads.columns:
        if name in LATER or name.startswith("account."):
            return None
        return Counter({False if name in _NO_UNLESS_TOLD else None: leads.height})
    table = leads[column].value_counts(sort=False)
    counted = Counter(dict(zip(table[column].to_list(), table["count"].to_list(), strict=True)))
    follows = _FOLLOWS.get(name)
    if follows is None:
        return counted
    found: Counter[Any] = Counter()
    for told, count in counted.items():
        found[follows(told)] += count
    return found


def _fills(agreement: Agreement, counted: Mapping[str, Counter[Any]], leads: int) -> Iterator[Fill]:
    asked = _asked(agreement)
    answers: dict[str, tuple[float, tuple[tuple[str, int], ...]]] = {}
    for name, values in counted.items():
        meant = _meant(agreement.fields.get(name), values)
        known = sum(count for (_, value), count in meant.items() if value is not None)
        strange = _strange(agreement.fields.get(name), asked.get(name, []), meant)
        answers[name] = (known / leads if leads else 0.0, strange)
    for rule in rules_of(agreement):
        for name in rule.facts:
            known_share, strange_values = answers.get(name, (None, ()))
            yield Fill(rule.name, name, known_share, strange_values)


def _asked(agreement: Agreement) -> dict[str, list[Test]]:
    """Return by fact every test that names values. A test for any value at all names none."""
    asked: dict[str, list[Test]] = {}
    for rule in rules_of(agreement):
        for test in rule.condition.tests:
            if test.operator in _NAMES_VALUES:
                asked.setdefault(test.field, []).append(test)
    if channels := tuple(agreement.qualification.by_channel):
        asked.setdefault("entry_channel", []).append(Test("entry_channel", "in", channels))
    return asked


def _meant(declared: DeclaredField | None, values: Counter[Any]) -> Counter[tuple[Any, Any]]:
    """Return how many leads have each pair of a value as it came and its meaning, None for unknown."""
    bare = declared.model_copy(update={"if_missing": "unknown"}) if declared else None
    pairs = ((raw, value_of(bare, raw) if bare else value_as_it_came(raw), count) for raw, count in values.items())
    return Counter({(raw, value): count for raw, value, count in pairs})


def _strange(declared: DeclaredField | None, tests: list[Test], meant: Counter[tuple[Any, Any]]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values that nothing in the agreement knows."""
    nothing = {_plain(one) for one in declared.null_values} if declared else set()
    listed = {_plain(one) for one in (*declared.values, *declared.synonyms, *declared.synonyms.values())} if declared else set()
    found: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for (raw, value), count in sorted(meant.items(), key=lambda one: (-one[1], str(one[0]))):
        written = _plain(raw)
        if not written or written in nothing:
            continue
        fits = value is not None  # else the value is not of the field's type
        if fits and (not tests or isinstance(value, (int, float)) or {written, _plain(value)} & listed):
            continue
        if not fits or not any(test.answers(value) for test in tests):
            spelled.setdefault(written, str(raw))
            found[written] += count
    return tuple((spelled[written], count) for written, count in found.most_common(SHOWN))


def _plain(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split()).casefold()

"""What a value means: the agreement's `fields` turn the text that came in into the values that rules ask about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from agreements.clauses.facts import DeclaredField
from agreements.lead import LeadFacts, domain_of, is_countable, is_within_bounds
from agreements.model import Agreement

Value = str | int | float | bool | None
_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})
_DASHES = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-"})


def stated(agreement: Agreement, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts as the rules see them: each value read by the agreement's `fields`. Unknown facts are left out.

    `email_domain` follows from the address if it did not come in itself.
    """
    known = {name: value for name, value in values.items() if name not in agreement.fields and value_as_it_came(value) is not None}
    for name, declared in agreement.fields.items():
        if (value := value_of(declared, values.get(name))) is not None:
            known[name] = value
    if "email_domain" not in known and (domain := domain_of(str(known.get("email", "")))):
        known["email_domain"] = domain
    return known


def value_as_it_came(raw: Any) -> Any:
    """Return an undeclared field's value as it is, None if unknown. A value above the limits for a lead is unknown."""
    return None if raw in (None, "") or not is_within_bounds(raw) else raw


def as_stated(agreement: Agreement, facts: LeadFacts) -> LeadFacts:
    """Return the same facts with their values as the rules see them."""
    return LeadFacts(stated(agreement, facts.values), facts.activities, facts.last_touch, facts.entry_channel, facts.since)


def value_of(declared: DeclaredField, raw: Any) -> Value:
    """Return what this value means, None if unknown.

    In this order: blanks and `null_values` are unknown; then `synonyms` apply; then the type. A choice gives the listed value
    in any case; a number its band, else a number with a decimal point; then yes_no, and a date as YYYY-MM-DD. A value that
    does not fit its type, or is above the limits for a lead, is unknown. An unknown value becomes `if_missing`. Text is
    compared without regard to case and outer blanks.
    """
    meant = _read(declared, raw)
    if meant is None and declared.if_missing != "unknown":
        return declared.if_missing
    return meant


def _read(declared: DeclaredField, raw: Any) -> Value:
    if not is_within_bounds(raw):
        return None
    table = _table(declared)
    if isinstance(raw, str):
        key = _key(raw)
        if not key or key in table.nothing:
            return None
        raw = table.synonyms.get(key, raw)
    if raw is None:
        return None
    return _READERS[declared.type](raw, table)


class _Table:
    """The words of one field, prepared for comparing."""

    __slots__ = ("bands", "listed", "nothing", "synonyms")

    def __init__(self, declared: DeclaredField) -> None:
        self.nothing = frozenset(_key(one) for one in declared.null_values)
        self.synonyms = {_key(written): meant for written, meant in declared.synonyms.items()}
        self.bands = {_key(written): number for written, number in declared.bands.items()}
        self.listed = {_key(one): one for one in declared.values}


class _ByIdentity:
    """A clause as a cache key, by identity: clauses hold mappings, so their content cannot be hashed."""

    __slots__ = ("field",)

    def __init__(self, field: DeclaredField) -> None:
        self.field = field

    def __hash__(self) -> int:
        return id(self.field)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.field is self.field


@lru_cache(maxsize=4096)
def _made_ready(declared: _ByIdentity) -> _Table:
    return _Table(declared.field)


def _table(declared: DeclaredField) -> _Table:
    return _made_ready(_ByIdentity(declared))


def _key(text: str) -> str:
    return " ".join(text.translate(_DASHES).split()).casefold()


def _text(raw: Any, table: _Table) -> Value:
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    return " ".join(str(raw).split()) or None


def _choice(raw: Any, table: _Table) -> Value:
    text = str(_text(raw, table) or "")
    return table.listed.get(_key(text), text) or None


def _number(raw: Any, table: _Table) -> Value:
    if isinstance(raw, str):
        if (band := table.bands.get(_key(raw))) is not None:
            raw = band
        else:
            text = raw.strip()
            raw = float(text.replace(",", "")) if _NUMBER.fullmatch(text) and len(text) < 40 else None
    if raw is None or isinstance(raw, bool) or not isinstance(raw, (int, float)) or not is_countable(raw):
        return None
    return int(raw) if float(raw).is_integer() and abs(raw) < 1e15 else raw


def _yes_no(raw: Any, table: _Table) -> Value:
    if isinstance(raw, bool):
        return raw
    word = str(int(raw) if isinstance(raw, float) and raw.is_integer() else raw).strip().casefold()
    return True if word in _YES else False if word in _NO else None


def _date(raw: Any, table: _Table) -> Value:
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    try:
        return date.fromisoformat(str(raw).strip()[:10]).isoformat()
    except ValueError:
        return None


_READERS = {"text": _text, "choice": _choice, "number": _number, "yes_no": _yes_no, "date": _date}

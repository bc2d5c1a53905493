"""An opportunity as a CRM tells it: what it says now, whatever the order in which it was told, and what cannot be right about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from agreements.words import OpportunityState, word

#: What a CRM says of an opportunity, by name.
SAID = ("stage", "amount", "currency", "state", "reason", "opened_on", "closed_on")
#: An amount of more than this is a typing mistake, in hundredths of the currency.
_LARGEST: Final = 10**15
_AMOUNT = re.compile(r"-?\d{1,15}(?:\.\d+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")

#: What a CRM said, by name: when, as ISO text in UTC, and the value.
Told = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What an opportunity is now. amount: hundredths of the currency, None where none is known; faults: what cannot be right, by name."""

    stage: str = ""
    amount: int | None = None
    currency: str = ""
    state: OpportunityState = OpportunityState.OPEN
    reason: str = ""
    opened_on: date | None = None
    closed_on: date | None = None
    faults: Mapping[str, str] = field(default_factory=dict)


def told_too(before: Told, values: Mapping[str, str], *, at: datetime) -> dict[str, tuple[str, str]]:
    """Return what is known after the CRM said these values at that time. The newest value of each name counts, in any order of telling."""
    told = dict(before)
    for name in SAID:
        if name in values:
            new = (at.isoformat(), values[name].strip())
            told[name] = max(new, told.get(name, new))
    return told


def facts_of(told: Told, *, began: date) -> Facts:
    """Return what these values say. What cannot be right is a fault.

    began: the first day, in UTC, on which the CRM spoke of the opportunity. West of Greenwich people may have called it the day before.
    """
    said = {name: value for name, (_, value) in told.items()}
    faults: dict[str, str] = {}
    amount = _amount(said.get("amount", ""), faults)
    state = word(said.get("state", "").casefold() or "open", tuple(OpportunityState))
    if state is None:
        faults["unknown-state"] = said["state"]
    opened_on, closed_on = (_day(name, said.get(name, ""), faults) for name in ("opened_on", "closed_on"))
    opened_on = _not_to_come("opened_on", opened_on, told, faults, said_by=("opened_on",))
    if closed_on is not None and state not in (None, OpportunityState.OPEN):
        if closed_on < (opened_on or began - timedelta(days=1)):
            faults["closed-before-opened"] = closed_on.isoformat()
        closed_on = _not_to_come("closed_on", closed_on, told, faults, said_by=("state", "closed_on"))
    currency = said.get("currency", "").upper()
    if currency and not _CURRENCY.fullmatch(currency):
        faults["unknown-currency"] = currency
        currency = ""
    return Facts(
        said.get("stage", ""), amount, currency, state or OpportunityState.OPEN, said.get("reason", ""), opened_on, closed_on, faults
    )


def _amount(text: str, faults: dict[str, str]) -> int | None:
    """Return the amount in hundredths. A number with separators for thousands is not guessed at: which sign is the point?"""
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        faults["amount-no-number"] = text
        return None
    amount = int((Decimal(text) * 100).to_integral_value())
    if not 0 <= amount < _LARGEST:
        faults["amount-impossible"] = text
        return None
    return amount


def _day(name: str, text: str, faults: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults[f"{name.replace('_', '-')}-no-date"] = text
        return None


def _not_to_come(name: str, day: date | None, told: Told, faults: dict[str, str], *, said_by: tuple[str, ...]) -> date | None:
    """Return the day, None where it had not come when the CRM last said one of these values. East of Greenwich it may be tomorrow."""
    last = max(datetime.fromisoformat(told[one][0]) for one in said_by if one in told) if day else None
    if day is None or last is None or day <= last.date() + timedelta(days=1):
        return day
    faults[f"{name.replace('_', '-')}-to-come"] = day.isoformat()
    return None


def changed(before: Facts, after: Facts) -> tuple[str, ...]:
    """Return the names of what is different now, in the order in which people ask for it."""
    names = ("state", "stage", "amount", "currency", "reason", "closed_on")
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def money(amount: int, currency: str) -> str:
    """Return an amount in hundredths as people write it, such as 45,000.00 EUR."""
    return f"{amount // 100:,}.{amount % 100:02} {currency}".rstrip()

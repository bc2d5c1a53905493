"""Each side's aims, as figures that a review can measure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from agreements.clauses.base import Clause, shown
from agreements.clauses.looks import AIM

#: Side -> possible aim -> what it measures.
MEASURES: Mapping[str, Mapping[str, str]] = {
    "marketing": {
        "mqls": "qualified leads handed to sales",
        "accepted": "share of the assigned leads that sales accepts",
        "pipeline": "worth of the opportunities from these leads",
        "delivery": "share of the qualified leads that reach a rep in time",
    },
    "sales": {
        "speed_to_lead": "share of first attempts made in time",
        "worked": "share of the accepted leads that were attempted",
        "mql_to_opportunity": "share of the qualified leads that become opportunities",
        "opportunities": "opportunities from these leads",
        "answered": "share of the assigned leads that are answered in time",
    },
}
_PERIODS = ("week", "month", "quarter", "year")
_AIM = re.compile(rf"(\d[\d_ ,]*(?:\.\d+)?) ?(%|[A-Z]{{3}})?(?: (?:per|a) ({'|'.join(_PERIODS)}))?")


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure to reach. amount; unit: `%`, a three-letter currency, or empty for a count; per: the period, empty for a share."""

    amount: Decimal
    unit: str = ""
    per: str = ""

    def __str__(self) -> str:
        unit = "" if not self.unit else "%" if self.unit == "%" else f" {self.unit}"
        return f"{self.amount:,f}{unit}{f' per {self.per}' if self.per else ''}"


def aim(value: Any) -> Aim:
    """Read `70%`, `120 per month` or `400000 EUR per quarter`. Raises ValueError, which says what to write instead."""
    found = _AIM.fullmatch(" ".join(str(value).split()))
    if found is None:
        raise ValueError(
            f"{shown(value)} is no aim; write a share, '70%', or an amount a period, '120 per month', '400000 EUR per quarter'"
        )
    amount, unit, per = Decimal(re.sub(r"[_ ,]", "", found[1])), found[2] or "", found[3] or ""
    if unit == "%" and (per or amount > 100):
        raise ValueError(f"{shown(value)} is no share; write one from 0% to 100%, without a period")
    if unit != "%" and not per:
        raise ValueError(f"{shown(value)} has no period; write '{value} per month'")
    return Aim(amount, unit, per)


def _aim(value: Any) -> Aim:
    return value if isinstance(value, Aim) else aim(value)


AnAim = Annotated[Aim, BeforeValidator(_aim), WithJsonSchema(AIM)]


class Objectives(Clause):
    """The aims of marketing and sales, for the reviews."""

    marketing: Mapping[str, AnAim] = {}
    sales: Mapping[str, AnAim] = {}

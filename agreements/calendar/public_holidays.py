"""Days on which nobody works: public holidays as the kept library has them, or as a published version keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from holidays import country_holidays


@dataclass(frozen=True, slots=True)
class KeptHolidays:
    """Public holidays as they were known once. years: for which the names are all there are; outside them nothing is kept."""

    years: range
    names: Mapping[date, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The days on which nobody works, whatever the weekly hours say.

    country, subdivision: whose public holidays, by ISO 3166 code; dates: single days; yearly: (month, day) of
    every year. Source of public holidays: what is kept, else the `holidays` library, at the version installed.
    """

    country: str | None = None
    subdivision: str | None = None
    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    kept: KeptHolidays | None = None

    def __contains__(self, day: date) -> bool:
        return bool(self.name_of(day))

    def name_of(self, day: date) -> str:
        """What the holiday is called, `holiday` for one that is listed by its date; empty for a day that is none."""
        if day in self.dates or (day.month, day.day) in self.yearly:
            return "holiday"
        if self.country is None:
            return ""
        if self.kept is not None and day.year in self.kept.years:
            return self.kept.names.get(day, "")
        return public_holidays(self.country, self.subdivision, day.year).get(day, "")


@lru_cache(maxsize=4096)
def public_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """The holidays of one year with their names. Raises NotImplementedError for a country or part that the library lacks."""
    # A table of its own for every year: the library's own lazy growth is not safe with several threads.
    table = country_holidays(country, subdiv=subdivision, years=year, language=_language(country))
    return {day: str(name) or "holiday" for day, name in table.items()}


@lru_cache(maxsize=512)
def _language(country: str) -> str | None:
    # Left to itself, the library takes the language of the process, and what is kept would depend on who published.
    table = country_holidays(country)
    own: str | None = table.default_language
    if own is None or own.startswith("en"):
        return own
    return "en_US" if "en_US" in table.supported_languages else own

"""Days on which nobody works: public holidays from the installed library, or as a published version keeps them."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

_WARNINGS = threading.Lock()


@dataclass(frozen=True, slots=True)
class KeptHolidays:
    """The public holidays kept at publication. years: the years for which names is complete; nothing is kept outside them."""

    years: range
    names: Mapping[date, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The days on which nobody works, whatever the weekly hours say.

    country, subdivision: whose public holidays, by ISO 3166 code; dates: single days; yearly: (month, day) of
    every year. Source of public holidays: the kept ones, else the installed version of the `holidays` library.
    """

    country: str | None = None
    subdivision: str | None = None
    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    kept: KeptHolidays | None = None

    def __contains__(self, day: date) -> bool:
        return bool(self.name_of(day))

    def name_of(self, day: date) -> str:
        """Return the holiday's name, `holiday` if it is listed by its date; empty if the day is no holiday."""
        if day in self.dates or (day.month, day.day) in self.yearly:
            return "holiday"
        if self.country is None:
            return ""
        if self.kept is not None and day.year in self.kept.years:
            return self.kept.names.get(day, "")
        return public_holidays(self.country, self.subdivision, day.year).get(day, "")


@lru_cache(maxsize=4096)
def public_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """Return the holidays of one year with their names. Raises NotImplementedError if the library lacks the country or part.

    For some countries the library knows the days of the moon up to 2035 only, and warns of later years. No promise runs that
    long, so the warning is left out.
    """
    from holidays import country_holidays  # only where a calendar names a country

    # One table for each year: a library table that adds years on demand is not safe with several threads.
    with _WARNINGS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Requested Holidays are available only", category=UserWarning)
        table = country_holidays(country, subdiv=subdivision, years=year, language=_language(country))
    return {day: str(name) or "holiday" for day, name in table.items()}


@lru_cache(maxsize=512)
def _language(country: str) -> str | None:
    from holidays import country_holidays

    # By default the library takes the language of the process, so kept names would depend on the person who published.
    table = country_holidays(country)
    own: str | None = table.default_language
    if own is None or own.startswith("en"):
        return own
    return "en_US" if "en_US" in table.supported_languages else own

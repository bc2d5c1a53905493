"""How a file writes its dates. The map declares it, because 03/04/2027 is two days, and nobody can see which one is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

ISO, DAY_FIRST, MONTH_FIRST, SECONDS, MILLISECONDS = "iso", "day-first", "month-first", "epoch-seconds", "epoch-milliseconds"
FORMS = (ISO, DAY_FIRST, MONTH_FIRST, SECONDS, MILLISECONDS)
#: The directives that a pattern may have: those of a calendar, not those that depend on the language of a machine.
_DIRECTIVES = frozenset("YymdbBHIMSfpzaAj")
#: With these a pattern gives a time of day.
_CLOCK_DIRECTIVES = ("%H", "%I")
_PROBE = datetime(2027, 11, 23, 18, 47, 31, tzinfo=UTC)

_YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:(?:, ?|[T ]) ?(.+))?", re.ASCII)
_YEAR_FIRST = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].+)?", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d\d(?: .+)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?: ?([AaPp])\.?[Mm]\.?)?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?", re.ASCII)
_COUNT = re.compile(r"-?\d{1,14}(?:\.\d{1,6})?", re.ASCII)
#: The days that a spreadsheet counts, from 1955 to 2119, and the day from which it counts.
_SERIAL, _SERIAL_FROM = range(20_000, 80_000), datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Dates:
    """How the dates of a column are written. form: one of FORMS, or a pattern with the directives of strptime, such as %d.%m.%Y."""

    form: str = ISO

    def iso(self, text: str) -> str:
        """Return this date as ISO 8601 writes it: a day alone, or a day and a time, with an offset where the text has one.

        Raises ValueError that says what to write instead. A text that is ISO itself comes back as it is, also where it is no
        date: the reader of instants names it then.
        """
        if self.form == ISO:
            return text
        if self.form in (SECONDS, MILLISECONDS):
            return _of_count(text, self.form)
        if self.form in (DAY_FIRST, MONTH_FIRST):
            return text if _YEAR_FIRST.fullmatch(text) else _of_parts(text, self.form)
        return self._of_pattern(text)

    def hint(self, text: str) -> str:
        """Return what the map could say about a text that is no ISO date; empty where nothing fits."""
        return _hint(text) if self.form == ISO else ""

    def _of_pattern(self, text: str) -> str:
        try:
            at = datetime.strptime(text, self.form)  # noqa: DTZ007 - the zone of the file is put on later
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no date as the map says, `dates: {self.form}`: correct the date or the map") from None
        return f"{at:%Y-%m-%d}".zfill(10) if not self._has_clock else at.isoformat(sep=" ")

    @cached_property
    def _has_clock(self) -> bool:
        return any(one in self.form for one in _CLOCK_DIRECTIVES)


def known_form(form: str) -> str:
    """Return this way to write dates. Raises ValueError for one that says too little, or that is none."""
    if form in FORMS:
        return form
    if "%" not in form:
        raise ValueError(f"{form[:40]!r} is no way to write dates; write {', '.join(FORMS)} or a pattern such as %d.%m.%Y %H:%M")
    wrong = sorted({one for one in re.findall(r"%(.?)", form.replace("%%", "")) if one not in _DIRECTIVES or not one})
    if wrong:
        raise ValueError(f"%{wrong[0]} is not a part of a pattern; there are %Y %y %m %b %B %d %j %H %I %p %M %S %f %z")
    try:
        day = datetime.strptime(_PROBE.strftime(form), form).date()  # noqa: DTZ007 - only the day counts
    except ValueError as error:
        raise ValueError(f"{form[:40]!r} is no pattern of dates: {error}") from None
    if day != _PROBE.date():
        raise ValueError(f"{form[:40]!r} does not give year, month and day; write a pattern such as %d.%m.%Y %H:%M")
    return form


def _of_parts(text: str, form: str) -> str:
    found = _YEAR_LAST.fullmatch(text)
    if not found:
        more = " in four digits" if _SHORT_YEAR.fullmatch(text) else ""
        what = "15/01/2027" if form == DAY_FIRST else "01/15/2027"
        year = ": write the year" if more else f": write it as {what} or {what} 18:40"
        raise ValueError(f"{text[:40]!r} is no {form} date{year}{more}")
    first, _, second, year, clock = found.groups()
    day, month = (first, second) if form == DAY_FIRST else (second, first)
    if not 1 <= int(month) <= 12:
        raise ValueError(f"{text[:40]!r} is no {form} date, its month would be {int(month)}: correct the date, or `dates:` in the map")
    return f"{year}-{int(month):02}-{int(day):02}{_clock_of(clock, text) if clock else ''}"


def _clock_of(clock: str, text: str) -> str:
    found = _CLOCK.fullmatch(clock)
    if not found:
        raise ValueError(f"{text[:40]!r} has a time that cannot be read: write it as 18:40 or 6:40 PM")
    hour, minute, second, fraction, half, offset = found.groups()
    if half and not 1 <= int(hour) <= 12:
        raise ValueError(f"{text[:40]!r} has a time that cannot be read: with AM or PM the hour is from 1 to 12")
    counted = int(hour) % 12 + (12 if half in ("P", "p") else 0) if half else int(hour)
    zone = "Z" if offset in ("Z", "UTC", "GMT") else offset or ""
    return f" {counted:02}:{minute}:{second or '00'}{'.' + fraction if fraction else ''}{zone}"


def _of_count(text: str, form: str) -> str:
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no number of {form.removeprefix('epoch-')} since 1970: correct it, or `dates:` in the map")
    try:
        at = _EPOCH + (timedelta(milliseconds=float(text)) if form == MILLISECONDS else timedelta(seconds=float(text)))
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is no number of {form.removeprefix('epoch-')} since 1970: correct it, or `dates:`") from None
    return f"{at.year:04}{at:-%m-%d %H:%M:%S.%f}Z"


def _hint(text: str) -> str:
    if found := _YEAR_LAST.fullmatch(text):
        return _which_day(int(found[1]), int(found[3]))
    if _SHORT_YEAR.fullmatch(text):
        return ". A year has four digits, and a map says whether the day or the month comes first: `dates: day-first`"
    if not _COUNT.fullmatch(text):
        return ""
    number = float(text)
    if int(number) in _SERIAL:
        day = _SERIAL_FROM + timedelta(days=int(number))
        return f". It looks like the number by which a spreadsheet keeps {day:%Y-%m-%d}: format the column as yyyy-mm-dd and save again"
    for form, divisor in ((SECONDS, 1), (MILLISECONDS, 1_000)):
        if 10**8 <= number / divisor < 10**10:
            return f". It looks like {_EPOCH + timedelta(seconds=number / divisor):%Y-%m-%d}: write `dates: {form}` into a map"
    return ""


def _which_day(first: int, second: int) -> str:
    if first > 12 and second > 12:
        return ""
    if first > 12:
        return f". The map says that the day comes first: `dates: {DAY_FIRST}`"
    if second > 12:
        return f". The map says that the month comes first: `dates: {MONTH_FIRST}`"
    return f". The map says which of its numbers is the day: `dates: {DAY_FIRST}` or `dates: {MONTH_FIRST}`"

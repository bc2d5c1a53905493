"""What one cell of a CSV file means. Every reader asks these functions; the plain forms say which cells need no question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from agreements.lead import MAX_SHORT, MAX_TEXT, FieldValue
from agreements.slips import SHORTENED
from app.csv_import.dates import Dates

YEARS_BACK, YEARS_AHEAD = 50, 10
#: How a column of numbers is written: not at all (its cells stay text), as plain numbers among texts, or with this decimal sign.
Numbers = Literal["", "plain", ".", ","]
#: The facts that are instants.
TIMES = ("at", "requested_time")

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?", re.ASCII)
#: A decimal, or thousands with a dot between them: only a map can say which.
_MAYBE_THOUSANDS = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"


def instant(text: str, zone: ZoneInfo, year: int, dates: Dates = Dates()) -> datetime:
    """Return the instant in this text, in UTC. year: the present one. dates: how the text is written.

    Raises ValueError that says what to write instead.
    """
    found = _DATE.fullmatch(dates.iso(text))
    try:
        day, clock, offset = found.groups() if found else ("", "", "")
        at = datetime.fromisoformat(f"{day}T{clock or '09:00'}{offset or ''}")
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date: write it as 2027-01-15 or 2027-01-15 18:40{dates.hint(text)}") from None
    if not year - YEARS_BACK <= at.year <= year + YEARS_AHEAD:
        raise ValueError(f"{text[:40]!r} is more than {YEARS_BACK} years ago or {YEARS_AHEAD} ahead: correct the date")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def is_day(text: str) -> bool:
    """Whether a text that is an instant gives only its day."""
    return len(text) == len("2027-01-15")


def number_in(text: str, numbers: Numbers) -> FieldValue:
    """Return the value of a cell in a column whose numbers are written so. Raises ValueError that says what to write instead."""
    if not numbers:
        return text
    return _number_or_text(text) if numbers == "plain" else _number(text, sign=numbers)


def _number_or_text(text: str) -> FieldValue:
    if not _NUMBER.fullmatch(text) or re.search(_MAYBE_THOUSANDS, text):
        return text
    return float(text) if "." in text else int(text)


def _number(text: str, *, sign: str) -> FieldValue:
    other = "," if sign == "." else "."
    grouped = rf"-?(?:\d{{1,15}}|\d{{1,3}}(?:[{other} \u00a0\u202f]\d{{3}}){{1,4}})(?:{re.escape(sign)}\d{{1,10}})?"
    if not re.fullmatch(grouped, text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is no number: write it as 1250 or 12{sign}5")
    plain = re.sub(r"[^0-9.\-]", "", text.replace(other, "").replace(sign, "."))
    return float(plain) if "." in plain else int(plain)


@dataclass(frozen=True, slots=True)
class Plain:
    """Cells whose value their text shows, so that nobody needs to judge them one by one.

    pattern, never: what such a cell matches and does not match, empty for anything; re and polars read both alike. at_least,
    at_most: its length in characters. kind: the type of the value; a text is the cell itself. marks, sign: of a number, the
    characters between its thousands as a pattern, and its decimal sign.
    """

    pattern: str = ""
    never: str = ""
    at_least: int = 1
    at_most: int = MAX_SHORT
    kind: type[str | int | float] = str
    marks: str = ""
    sign: str = "."


def _of_numbers(sign: str, marks: str) -> tuple[Plain, Plain]:
    """Return the forms of whole numbers and of decimals. A longer decimal, or one as close to zero, is not written as it was read."""
    digits = "[1-9][0-9]{0,14}" + (rf"|[1-9][0-9]{{0,2}}(?:{marks}[0-9]{{3}}){{1,4}}" if marks else "")
    point = re.escape(sign)
    never = rf"^-?0{point}0000" + ("" if marks else f"|{_MAYBE_THOUSANDS}")
    return (
        Plain(rf"^(?:0|-?(?:{digits}))$", kind=int, marks=marks),
        Plain(rf"^-?(?:0|{digits}){point}[0-9]{{1,10}}$", never, at_most=16, kind=float, marks=marks, sign=sign),
    )


#: Other characters than those of numbers, or these in an order that no number has: 51-200, 007, 1.2.3, sixteen digits, 1.250.
_NO_NUMBER = Plain(rf"[^0-9.\-]|[0-9.]-|^-?0[0-9]|\.[0-9]*\.|^-?[0-9]{{16}}|{_MAYBE_THOUSANDS}", at_most=MAX_TEXT)
#: What a cell of a field looks like that needs no judge, by how the numbers of its column are written.
OF_FIELDS: dict[Numbers, tuple[Plain, ...]] = {
    "": (Plain(at_most=MAX_TEXT),),
    "plain": (_NO_NUMBER, *_of_numbers(".", "")),
    ".": _of_numbers(".", "[, \u00a0\u202f]"),
    ",": _of_numbers(",", "[. \u00a0\u202f]"),
}
#: The same for the facts of every lead; a text of 1 to 200 characters where nothing else is said.
OF_FACTS: dict[str, tuple[Plain, ...]] = {
    "do_not_contact": (),
    "message": (Plain(at_most=MAX_TEXT),),
    # Countries are written in several ways.
    "country": (),
    **dict.fromkeys(("source_id", "conversion_id", "phone"), (Plain(never=SHORTENED),)),
    "email": (
        Plain(
            r"^[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,2}\.){1,5}[A-Za-z]{2,20}$",
            # Domains that no mail reaches.
            never=r"(?i)[.](?:invalid|localhost|onion|arpa)$",
        ),
    ),
    **dict.fromkeys(TIMES, ()),
}


def plain_forms(target: str, *, is_field: bool, numbers: Numbers) -> tuple[Plain, ...]:
    """Return the forms of cells that need no judge in a column of this fact or field."""
    return OF_FIELDS[numbers] if is_field else OF_FACTS.get(target, (Plain(),))

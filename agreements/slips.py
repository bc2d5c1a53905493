"""What goes wrong in what people and spreadsheets write: shortened numbers, web addresses in names, impossible contact times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SHORTENED = re.compile(r"'?[+-]?(?:\d+(?:[.,]\d+)? ?[eE] ?[+-] ?\d{1,3}|\d+[.,]\d+ ?[eE] ?\d{1,3})", re.ASCII)
#: The same, as a pattern that the reader of files can use as well: what an id or a telephone number never looks like.
SHORTENED = f"^(?:{_SHORTENED.pattern})$"


def whole_number(text: str) -> str:
    """Return an id or a telephone number. Raises ValueError, which says what to do, for one that a spreadsheet has shortened."""
    if _SHORTENED.fullmatch(text):
        remedy = "format the column as text, put the numbers in again from where they came, and send the lead again"
        raise ValueError(f"{text!r} is a number that a spreadsheet has shortened, and its digits are lost; {remedy}")
    return text


#: Endings of addresses that no name has. `.de`, `.la`, `.di` and the like are left out: `Anna.de Souza` lacks only a blank.
_ENDINGS = "com|net|org|info|biz|ru|xyz|top|shop|site|online|website|store|icu"
_LINK = re.compile(
    rf"h[tx]{{2}}ps?:|\bwww\s?\.|<\s*a\b|\bhref\b|\[/?url|\b[a-z0-9-]+\.[a-z]{{2,}}/|(?<![@.\w])(?:[a-z0-9-]+\.)*[a-z0-9-]{{2,}}\.(?:{_ENDINGS})\b",
    re.IGNORECASE,
)


def has_link(first_name: str, last_name: str) -> bool | None:
    """Whether a person's name holds a web address, as forms get from spam; None for no name. A mail address is none."""
    names = [name for name in (first_name, last_name) if name]
    return any(_LINK.search(name) is not None for name in names) if names else None


#: A contact time may lie this long before its request: people take time to fill in a form.
PAST_BY = timedelta(minutes=15)
#: If a lead asks for a contact time further ahead, the time is a typing error.
FARTHEST = timedelta(days=365)


def unlikely_request(requested: datetime | None, *, asked_at: datetime) -> str:
    """Say why nobody can have asked for this contact time at that instant; empty if somebody can. Both are aware.

    asked_at: when the request was made, for an old lead long ago.
    """
    if requested is None or asked_at - PAST_BY <= requested <= asked_at + FARTHEST:
        return ""
    what = "had passed when the lead asked for it" if requested < asked_at else "is more than a year after the request"
    return f"{what}, at {asked_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}; correct the time or its zone, or leave it out"

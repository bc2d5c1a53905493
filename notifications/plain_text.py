"""Clean texts that people wrote, before a letter, a header or a page shows them."""

from __future__ import annotations

import re

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ud800-\udfff]")
_PHONE = re.compile(r"\s*(\+?)([\d\s().\-/]+)")


def clean(text: str) -> str:
    """Return the text with plain line ends, without control characters and marks that change the writing direction."""
    if text.isprintable():  # nothing of all this is in it, and nearly every text is so
        return text
    return _UNPRINTABLE.sub("\ufffd", _DIRECTION_MARKS.sub("", _LINE_ENDS.sub("\n", text)))


def one_line(text: str) -> str:
    """Return the text cleaned and on one line, for a header. Every run of white space becomes one space."""
    return " ".join(clean(text).split())


def tel(phone: str) -> str:
    """Return a tel: link, "" for an unreadable number. "(0)" after a country code and extensions are left out."""
    found = _PHONE.match(phone.replace("(0)", "") if phone.strip().startswith("+") else phone)
    digits = re.sub(r"[^0-9]", "", found[2]) if found else ""
    return f"tel:{found[1]}{digits}" if found and 3 <= len(digits) <= 15 else ""

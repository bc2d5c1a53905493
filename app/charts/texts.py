"""Texts in a picture: it cannot wrap them, so they are measured by the usual width of letters and cut into lines here."""

from __future__ import annotations

import unicodedata

_LETTER, _WIDE_LETTER = 6.4, 12.0


def fitted(text: str, *, room: float) -> str:
    """Cut a text of 12 pixels in height to this width in pixels."""
    used = 0.0
    for at, sign in enumerate(text):
        used += _width(sign)
        if used > room:
            return text[: max(1, at - 1)].rstrip() + "…"
    return text


def wrapped(text: str, *, room: float, most: int = 3) -> tuple[str, ...]:
    """Return the lines of a text of 12 pixels in height for this width in pixels. What needs more than `most` lines is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if sum(map(_width, longer)) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = [*lines[: most - 1], " ".join(lines[most - 1 :])] if len(lines) >= most else lines
    return tuple(fitted(line, room=room) for line in kept)


def _width(sign: str) -> float:
    return _WIDE_LETTER if unicodedata.east_asian_width(sign) in ("W", "F") else _LETTER

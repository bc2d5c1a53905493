"""The marks by which a returned message names its delivery: in the return path (bounces+MARK@…) and in a header of the message."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from typing import Final

MARK_HEADER: Final = "X-Baton-Mark"
"""The header with the mark of a delivery, for complaints, which go to another address than bounces."""
_MARK_DIGITS, _NAMED_MAX, _COPY_MAX = 16, 5, 100_000
_MARK = re.compile(rf"(\d{{1,15}})-([a-z2-7]{{{_MARK_DIGITS}}})")
_MARKED = re.compile(rf"[+=](\d{{1,15}}-[a-z2-7]{{{_MARK_DIGITS}}})(?=[@=])", re.IGNORECASE)
_MARK_LINE = re.compile(rf"^{MARK_HEADER}:[ \t]{{0,5}}(\d{{1,15}}-[a-z2-7]{{{_MARK_DIGITS}}})[ \t\r]{{0,5}}$", re.IGNORECASE | re.MULTILINE)


class BounceMarks:
    """Writes and reads marks: the number of a delivery with a signature of this installation. A mark can be read for as long as the
    key that wrote it is kept. Capitals do not matter."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [hmac.digest(secret.encode(), b"baton.bounce", "sha256") for secret in secrets]

    def of(self, delivery_id: int) -> str:
        """Return the mark of a delivery."""
        return f"{delivery_id}-{_sign(self._keys[-1], delivery_id)}"

    def read(self, mark: str) -> int | None:
        """Return the delivery of a mark, None for a mark that this installation did not write."""
        found = _MARK.fullmatch(mark.lower())
        if found is None or f"{int(found[1])}" != found[1]:
            return None
        delivery_id = int(found[1])
        known = [hmac.compare_digest(_sign(key, delivery_id), found[2]) for key in self._keys]
        return delivery_id if any(known) else None


def marks_in(address: str) -> list[str]:
    """Return the first few marks in an address, such as that of a return path. They are not checked."""
    return [mark.lower() for mark in _MARKED.findall(address[:2000])][:_NAMED_MAX]


def marks_in_headers(text: str) -> Iterator[str]:
    """Yield the marks in headers that are written as text. They are not checked."""
    yield from (found[1].lower() for found in _MARK_LINE.finditer(text[:_COPY_MAX]))


def few_marks(found: Iterator[str]) -> tuple[str, ...]:
    """Return the first few marks, without repeats."""
    kept: dict[str, None] = {}
    for one in found:
        kept.setdefault(one)
        if len(kept) == _NAMED_MAX:
            break
    return tuple(kept)


def _sign(key: bytes, delivery_id: int) -> str:
    return b32encode(hmac.digest(key, str(delivery_id).encode(), hashlib.sha256)).decode("ascii").lower()[:_MARK_DIGITS]

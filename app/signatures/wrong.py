"""The refusal of a call that is not signed as agreed, and the comparison of words that nobody may guess."""

from __future__ import annotations

import hmac


class SignatureWrong(Exception):
    """The call is not signed as agreed, or too long ago. The message says what is wrong, and never what the signature should be."""


def is_same(given: str, expected: str) -> bool:
    """Whether two words are alike, compared in constant time. Nothing is like an empty word."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))

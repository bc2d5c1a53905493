"""Masks secrets in every log line: tokens of links and forms, API keys, cookies of browsers.

Masks go by a secret's shape, not its place: a path, a query, a referrer, the text of an error, a line of a library.
"""

from __future__ import annotations

import logging
import re

#: Length of a SHA-256 signature, as links and forms carry one after a full stop.
_SIGNATURE = 43
#: How many characters of a token stay, so that a reader can match two lines about one link.
_SHOWN = 8
_DOTTED = re.compile(rf"[A-Za-z0-9_.-]{{{_SIGNATURE + 2},}}")
_KEY = re.compile(r"(baton_)[A-Za-z0-9_-]{40,}")
_NAMED = re.compile(r"""(baton_device["']?[=:]\s*["']?|\b(?:bearer|basic)\s+)[^\s;,"']+""", re.IGNORECASE)


def masked(text: str) -> str:
    """Return the text without secrets. The first characters of each token stay."""
    text = _NAMED.sub(r"\1…", text)
    text = _KEY.sub(r"\1…", text)
    return _DOTTED.sub(_without_signature, text)


def begin() -> None:
    """Mask every line that this process logs from now on, its traceback too, whichever handler writes it."""
    logging.setLogRecordFactory(MaskedRecord)


class MaskedRecord(logging.LogRecord):
    """A log line without secrets, whichever handler writes it."""

    _traceback: str | None = None

    def getMessage(self) -> str:  # noqa: N802 - as logging calls it
        """Return the message, masked."""
        return masked(super().getMessage())

    @property
    def exc_text(self) -> str | None:
        """The traceback, masked. The first handler that writes the line sets it once."""
        return self._traceback

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._traceback = masked(text) if text else text


def _without_signature(found: re.Match[str]) -> str:
    parts = found[0].split(".")
    return found[0][:_SHOWN] + "…" if any(len(part) >= _SIGNATURE for part in parts[1:]) else found[0]

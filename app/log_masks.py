"""Masks what opens a door wherever it turns up in a log: tokens of links and forms, API keys, cookies of browsers.

They are known by their shape, not by where they stand: in a path, a query, a referrer, the text of an error, a line of a library.
"""

from __future__ import annotations

import logging
import re

#: A signature of SHA-256, as links and forms carry one behind a full stop.
_SIGNATURE = 43
#: So much of a token stays, by which two lines about one link can be told to belong together.
_SHOWN = 8
_DOTTED = re.compile(rf"[A-Za-z0-9_.-]{{{_SIGNATURE + 2},}}")
_KEY = re.compile(r"(baton_)[A-Za-z0-9_-]{40,}")
_NAMED = re.compile(r"""(baton_device["']?[=:]\s*["']?|\b(?:bearer|basic)\s+)[^\s;,"']+""", re.IGNORECASE)


def masked(text: str) -> str:
    """The text without secrets. Of a token its first characters stay."""
    text = _NAMED.sub(r"\1…", text)
    text = _KEY.sub(r"\1…", text)
    return _DOTTED.sub(_without_signature, text)


def begin() -> None:
    """Has every line masked that this process logs from now on, its traceback too, whichever handler writes it."""
    logging.setLogRecordFactory(MaskedRecord)


class MaskedRecord(logging.LogRecord):
    """A line of a log without secrets, however it is written out."""

    _traceback: str | None = None

    def getMessage(self) -> str:  # noqa: N802 - as logging calls it
        """What is said."""
        return masked(super().getMessage())

    @property
    def exc_text(self) -> str | None:
        """The traceback, which is put together once, by the first handler that writes it."""
        return self._traceback

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._traceback = masked(text) if text else text


def _without_signature(found: re.Match[str]) -> str:
    parts = found[0].split(".")
    return found[0][:_SHOWN] + "…" if any(len(part) >= _SIGNATURE for part in parts[1:]) else found[0]

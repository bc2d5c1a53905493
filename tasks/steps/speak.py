"""Speak: send the messages that are queued and due."""

from __future__ import annotations

from tasks.work import Doing, Tell, Work


def speak(work: Work) -> Doing:
    """Sends every due message of this handoff."""
    yield Tell()

"""Speak: send what is queued and due."""

from __future__ import annotations

from tasks.work import Doing, Tell, Work


def speak(work: Work) -> Doing:
    """Sends every message of this handoff that is due."""
    yield Tell()

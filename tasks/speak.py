"""Speak: send what is queued and due."""

from __future__ import annotations

from tasks.sending import send_due
from tasks.turn import Turn, step


@step
async def speak(turn: Turn) -> Turn:
    """Sends every message of this handoff that is due."""
    return await send_due(turn)

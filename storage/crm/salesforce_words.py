"""What values of Salesforce mean in the words of the port."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

#: How a person says in Salesforce that a call reached the prospect. Every other result is an attempt.
_REACHED = frozenset("answered|completed|connected|connected - positive|contacted|conversation|interested|reached|spoke|talked".split("|"))
#: How a person was touched, by the words of the port; empty for not at all.
Touch = Literal["call", "email", "meeting", ""]
_TOUCHES: tuple[Touch, ...] = ("call", "email", "meeting")


def channel_of(subtype: str, task_type: str) -> Touch:
    """Return call, email or meeting for a task's subtype or type, empty for another task: it does not say that a person was touched."""
    names: Collection[str] = {subtype.casefold(), task_type.casefold()}
    return next((touch for touch in _TOUCHES if touch in names), "")


def outcome_of(channel: Touch, disposition: str) -> str:
    """Return connected for a meeting, and for a call whose result says so; attempted otherwise."""
    reached = channel == "meeting" or (channel == "call" and disposition.strip().casefold() in _REACHED)
    return "connected" if reached else "attempted"


def as_text(value: object) -> str:
    """Return a value as text: an amount with no decimals or at least two and never with an exponent; true and false in small letters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole, _, rest = f"{value:.4f}".partition(".")
        rest = rest.rstrip("0")
        return f"{whole}.{rest:0<2}" if rest else whole
    return str(value)

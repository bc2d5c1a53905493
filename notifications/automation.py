"""The marketing automation, which somebody else runs: Baton enrols nurtured leads in its tracks, and takes them out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from notifications.channels.webhook import SignedDoor

VERSION = 1
"""The version of the webhook's body. It changes when a field goes or changes its meaning."""

#: What the automation is told.
Told = Literal["enrol", "leave"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the automation is told about one lead. key: the same key twice is one enrolment. person: facts to recognise the person, empty
    for `leave`: the automation knows the lead by its number."""

    do: Told
    key: str
    track: str
    lead_number: int
    person: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """The automation's answer. confirmed: the lead is in its track, or out of it, now; otherwise the confirmation comes later."""

    proof: str
    confirmed: bool


class MarketingAutomation(Protocol):
    """A marketing automation. Errors are DeliveryError, which says whether a later try can help."""

    async def tell(self, ask: Ask) -> Heard:
        """Tell it to enrol the lead in a track, or to take it out. The same key twice makes one change."""
        ...


class WebhookAutomation:
    """Posts each ask to one URL, signed as the company's own webhook is. `{"confirmed": true}` in the answer confirms it at once."""

    def __init__(self, door: SignedDoor) -> None:
        self._door = door

    async def tell(self, ask: Ask) -> Heard:
        """Post the ask once. Raises DeliveryError, ServiceAway or DeliveryUnknown as the webhook channel does."""
        body = {"version": VERSION, "do": ask.do, "key": ask.key, "track": ask.track, "lead_number": ask.lead_number}
        content = json.dumps({**body, "person": dict(ask.person)}, separators=(",", ":")).encode("ascii")
        proof, answer = await self._door.post(ask.key, content)
        return Heard(proof, confirmed=_is_confirmed(answer))


def _is_confirmed(answer: bytes) -> bool:
    try:
        said: Any = json.loads(answer[:10_000])
    except (ValueError, RecursionError):  # it is no JSON, or nests deeper than any answer of ours
        return False
    return isinstance(said, dict) and said.get("confirmed") is True

"""A marketing automation behind a URL, to which Baton posts signed JSON."""

from __future__ import annotations

import json
from typing import Any

from notifications.channels.webhook import SignedDoor
from tasks.automation.port import Ask, Heard

VERSION = 1
"""The version of the webhook's body. It changes when a field goes or changes its meaning."""


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

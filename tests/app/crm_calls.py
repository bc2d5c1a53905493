"""Calls to /hooks/crm, signed as HubSpot signs them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

from tasks.wiring.toolbox import SteppedTime, Toolbox

SECRET = "the-secret-of-the-app"


def signed(
    box: Toolbox, time: SteppedTime, body: bytes, *, secret: str = SECRET, ago: float = 0, url: str = "/hooks/crm"
) -> dict[str, str]:
    """Return the headers of a call with this body, signed so many seconds ago."""
    at = str(int((time.at.timestamp() - ago) * 1000))
    text = f"POST{box.settings.public_url}{url}".encode() + body + at.encode()
    found = b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
    return {"x-hubspot-signature-v3": found, "x-hubspot-request-timestamp": at}

"""Post signed JSON to the company's own webhook, by the Standard Webhooks scheme. A 2xx answer is the proof."""

from __future__ import annotations

import base64
import binascii
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from agreements.errors import DeliveryError, ServiceAway
from notifications.channels.over_http import TIMEOUT_SECONDS, is_this_machine, post, retry_after
from notifications.letter import Letter
from notifications.plain_text import one_line

VERSION = 1
"""The version of the body. It changes when a field goes or changes its meaning. A new field does not change it."""

_SECRET_MIN = 16
_PREFIX = "whsec_"
#: The refusals (4xx) that a later attempt may overcome: too slow, too early, too many.
_MAY_PASS = (408, 425, 429)


class SignedDoor:
    """One URL of another system, to which Baton posts signed JSON. name: the setting's part in its name, and the sender in errors.

    secret: at least 16 characters, or "whsec_" and at least 16 bytes in base64. The URL must be https, except on this machine.
    Raises: ValueError for any other URL or secret. The error holds neither of them.
    """

    def __init__(self, url: str, secret: str, name: str = "webhook", *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.name, self._url, self._timeout = name, _checked(url), timeout_seconds
        self._signer = Webhook(_key(secret))

    async def post(self, key: str, content: bytes) -> tuple[str, bytes]:
        """Post the content once under this key. Return the status line of the answer, and its body. content: JSON in ASCII.

        Raises: DeliveryError, permanent for 3xx (no redirect is followed) and 4xx except 408, 425 and 429; ServiceAway for these
        three, for 5xx and where nobody answers; DeliveryUnknown where the message was sent and no answer came.
        """
        headers = {"Content-Type": "application/json", **signed(self._signer, key, content, at=int(time.time()))}
        answer = await post(self.name, self._url, content=content, headers=headers, timeout_seconds=self._timeout)
        if answer.is_success:
            return f"{self.name}: {_status(answer)}", answer.content
        if answer.is_server_error or answer.status_code in _MAY_PASS:
            raise ServiceAway(self.name, _status(answer), retry_after_seconds=retry_after(answer))
        hint = f"; redirects are not followed, set BATON_{self.name.upper()}_URL to where it leads" if answer.is_redirect else ""
        raise DeliveryError(self.name, f"{_status(answer)}{hint}", permanent=True)


class WebhookChannel:
    """Posts letters to one URL. url, secret: as a SignedDoor takes them, with the errors that it raises."""

    may_bounce = False
    read_by_people = True

    def __init__(self, url: str, secret: str, name: str = "webhook", *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.name = name
        self._door = SignedDoor(url, secret, name, timeout_seconds=timeout_seconds)

    async def send(self, letter: Letter) -> str:
        """Post the letter once and return the status line of the answer. Raises what the door raises."""
        proof, _ = await self._door.post(letter.key, _body(letter))
        return proof


def signed(signer: Webhook, key: str, content: bytes, *, at: int) -> dict[str, str]:
    """Return the headers that prove who sent the content. content: ASCII; at: seconds since 1970."""
    ident = one_line(key).encode("ascii", "backslashreplace").decode("ascii")
    signature = signer.sign(ident, datetime.fromtimestamp(at, UTC), content.decode("ascii"))
    return {"webhook-id": ident, "webhook-timestamp": str(at), "webhook-signature": signature}


def _body(letter: Letter) -> bytes:
    facts = dict(letter.facts)
    told = {
        "version": VERSION,
        "message": letter.message,
        "key": letter.key,
        "recipient": letter.to.id,
        "lead_number": facts.get("lead_number", ""),
        "company": facts.get("company", ""),
        "facts": facts,
        "link": letter.link,
        "due": facts.get("due", ""),
    }
    return json.dumps(told, separators=(",", ":")).encode("ascii")


def _status(answer: httpx.Response) -> str:
    return one_line(f"{answer.status_code} {answer.reason_phrase}")[:80]


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("write the URL as https://host/path")
    if parts.scheme == "http" and not is_this_machine(host):
        raise ValueError("write https: facts about leads go to this URL")
    return url


def _key(secret: str) -> bytes:
    # The library skips characters that are not base64, so a typo in a secret would go unnoticed. It also reads plain words as base64.
    code = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(code + "=" * (-len(code) % 4), validate=True) if secret.startswith(_PREFIX) else secret.encode()
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _SECRET_MIN:
        raise ValueError(f"it needs a secret of at least {_SECRET_MIN} characters, or {_PREFIX} and as many bytes in base64")
    return key

"""Amazon SNS: which certificate signs its messages, and the confirmation of a subscription. Baton asks nobody but Amazon for either."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.signatures.wrong import SignatureWrong

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets an address and returns the body of the answer. Raises httpx.HTTPError."""
_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")
_LONGEST, _KEPT, _TIMEOUT_SECONDS = 20_000, 8, 5


async def fetch(url: str) -> bytes:
    """Get an address over TLS, follow no redirect, and return at most the first 20,000 bytes. Raises httpx.HTTPError."""
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > _LONGEST:
                raise httpx.DecodingError("the answer is too long")
        return body


class Certificates:
    """The certificates by which Amazon signs. file: the only one that is trusted, for places without a way out; empty to fetch them."""

    def __init__(self, file: str, fetch: Fetch = fetch) -> None:
        self._file, self._fetch = file, fetch
        self._known: dict[str, bytes] = {}

    async def of(self, sent: Mapping[str, Any]) -> bytes:
        """Return the certificate that the message names. Raises SignatureWrong where it is not Amazon's or cannot be had."""
        url = str(sent.get("SigningCertURL", ""))
        if not is_amazons(url, str(sent.get("TopicArn", ""))) or not _CERTIFICATE.fullmatch(urlsplit(url).path) or urlsplit(url).query:
            raise SignatureWrong("the certificate is not at an address of Amazon SNS")
        if self._file:
            return Path(self._file).expanduser().read_bytes()
        if url not in self._known:
            try:
                found = await self._fetch(url)
            except httpx.HTTPError as error:
                raise CertificateAway(f"the certificate cannot be had ({type(error).__name__})") from error
            while len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[url] = found
        return self._known[url]


class CertificateAway(Exception):
    """Amazon's certificate cannot be had now. Amazon tries again."""


def is_amazons(url: str, topic: str) -> bool:
    """Whether this address is one of Amazon SNS, over https, in the region of the topic."""
    try:
        parts = urlsplit(url)
        named = (parts.scheme, parts.port, parts.username, parts.fragment) == ("https", None, None, "")
    except ValueError:
        return False
    region = topic.split(":")[3] if topic.count(":") >= 5 else ""
    host = parts.netloc
    return named and bool(_HOST.fullmatch(host)) and host.split(".")[1] == region


def confirmation_url(sent: Mapping[str, Any]) -> str:
    """Return the address that confirms a subscription. Raises SignatureWrong where it would do something else, or is not Amazon's."""
    url, topic = str(sent.get("SubscribeURL", "")), str(sent.get("TopicArn", ""))
    asked = parse_qs(urlsplit(url).query) if is_amazons(url, topic) else {}
    if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [topic]:
        raise SignatureWrong("the address to confirm at is not one of Amazon SNS for this topic")
    return url

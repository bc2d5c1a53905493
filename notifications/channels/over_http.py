"""Shared by the channels that use HTTP: post one request, and translate its failure into an error of the letter."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address

import httpx

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway

TIMEOUT_SECONDS = 10.0
#: After these errors the request was not sent in full, so nobody acts on it.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.PoolTimeout, httpx.ProxyError)


async def post(
    channel: str, url: str, *, content: bytes, headers: Mapping[str, str], timeout_seconds: float = TIMEOUT_SECONDS
) -> httpx.Response:
    """Post once, follow no redirect, and return the answer, whatever its status.

    Raises: ServiceAway where the request was not sent; DeliveryUnknown where it was sent and no answer came. Neither names the URL.
    """
    try:
        async with httpx.AsyncClient(verify=_trust(), timeout=timeout_seconds, follow_redirects=False) as client:
            return await client.post(url, content=content, headers=dict(headers))
    except _NOT_SENT as error:
        raise ServiceAway(channel, f"the service cannot be reached: {type(error).__name__}{_certificate(error)}") from None
    except httpx.TransportError as error:
        raise DeliveryUnknown(channel, f"no answer to the message, it may have arrived: {type(error).__name__}") from None
    except (httpx.InvalidURL, httpx.HTTPError, UnicodeError) as error:
        raise DeliveryError(channel, f"the request could not be made: {type(error).__name__}") from None


def retry_after(answer: httpx.Response) -> float | None:
    """Return how many seconds the service asks us to wait, None if it does not say. A date is compared with the answer's own date."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdecimal():
        return float(told[:9])
    try:
        return max(0.0, (parsedate_to_datetime(told) - parsedate_to_datetime(answer.headers["date"])).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def is_this_machine(host: str) -> bool:
    """Return whether this host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _certificate(error: httpx.TransportError) -> str:
    text = str(error)
    return " (its certificate is not trusted)" if "CERTIFICATE_VERIFY_FAILED" in text else ""

"""Apprise: one message to one address of whatever service it speaks. E-mail has its own channel and is refused here."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from apprise import Apprise, NotifyBase, NotifyFormat
from requests import RequestException
from requests import exceptions as broken
from urllib3.exceptions import NewConnectionError

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from notifications.rendering import one_line

_MAIL = ("mailto", "mailtos")
_JSON = ("json", "jsons")
#: The longest that an address may make us wait for a connection, and for an answer.
_TIMEOUT_SECONDS = 10.0
#: A failure that took so much of the time limit was a service that hangs, and not one that refused.
_SLOW = 0.9
#: Threads of its own: services that hang must not keep the database's work waiting.
_THREADS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="apprise")

#: What breaks before a request is sent as a whole; NewConnectionError hides within others.
_NOT_SENT = (broken.ConnectTimeout, broken.SSLError, broken.ProxyError)
_BROKEN = (broken.ConnectionError, broken.Timeout, broken.ChunkedEncodingError, broken.ContentDecodingError)
_heard = threading.local()

# Apprise writes an address that it cannot read into its log as it is, and the secret in it too.
logging.getLogger("apprise").addFilter(lambda record: " URL" not in record.getMessage())


class _ErrorsHeard(logging.Handler):
    """Keeps the error of a request. Apprise logs it where it catches it, and says no more than that it failed."""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(error := sys.exc_info()[1], RequestException):
            _heard.error = error


logging.getLogger("apprise").addHandler(_ErrorsHeard())


def schema_of(url: str) -> str:
    """The scheme of an address, in small letters: which service it is."""
    return url.partition("://")[0].strip().lower()


def why_unusable(url: str) -> str:
    """Why nothing can be sent to this address, in words that hold nothing of it; empty where it can be used."""
    if schema_of(url).partition(":")[0] in _MAIL:
        return "mailto is not a chat address; e-mail has its own channel"
    return "" if isinstance(Apprise.instantiate(url), NotifyBase) else "is not an address that Apprise can use"


async def send_by_apprise(channel: str, url: str, *, key: str, title: str, body: str) -> str:
    """Sends once and returns "apprise: <schema> accepted"; a retry that the URL asks for is not made.

    A receiver of json:// also gets the key, as the header X-Baton-Key.
    Raises: DeliveryError, permanent for an address that Apprise cannot use, or one for e-mail; DeliveryUnknown where the
    connection broke before an answer came; ServiceAway where the service took long to fail. It never holds the address, which
    may contain a secret.
    """
    schema = schema_of(url)
    if schema in _MAIL:
        raise DeliveryError(channel, "mailto is not a chat address; e-mail has its own channel", permanent=True)
    service = _service(_with_key(url, key) if schema in _JSON else url)
    if service is None:
        raise DeliveryError(channel, "the address is not one that Apprise can use", permanent=True)
    began = time.monotonic()
    accepted, error = await asyncio.get_running_loop().run_in_executor(_THREADS, _notify, service, title, body)
    if not accepted and error is not None and _may_have_arrived(error):
        raise DeliveryUnknown(channel, f"no answer to the message, it may have arrived: {type(error).__name__}")
    if not accepted:
        slow = time.monotonic() - began >= _SLOW * min(service.socket_connect_timeout, service.socket_read_timeout)
        raise (ServiceAway if slow else DeliveryError)(channel, f"{schema} did not accept the message")
    return f"apprise: {schema} accepted"


def _service(url: str) -> NotifyBase | None:
    service = Apprise.instantiate(url)
    if not isinstance(service, NotifyBase):
        return None
    # A failure of an "optional" address would count as delivered, and a retry could deliver twice.
    service.optional, service.retry = False, 0
    service.socket_connect_timeout = min(service.socket_connect_timeout, _TIMEOUT_SECONDS)
    service.socket_read_timeout = min(service.socket_read_timeout, _TIMEOUT_SECONDS)
    return service


def _notify(service: NotifyBase, title: str, body: str) -> tuple[bool, RequestException | None]:
    """Whether the service took it, and the error by which the connection broke, if it did."""
    apprise, _heard.error = Apprise(), None
    apprise.add(service)
    accepted = bool(apprise.notify(title=title, body=body, body_format=NotifyFormat.TEXT))
    return accepted, _heard.error


def _may_have_arrived(error: RequestException) -> bool:
    """Whether the request may have been sent as a whole before the connection broke."""
    cause = error.args[0] if error.args else None
    not_connected = isinstance(getattr(cause, "reason", cause), NewConnectionError)
    return isinstance(error, _BROKEN) and not isinstance(error, _NOT_SENT) and not not_connected


def _with_key(url: str, key: str) -> str:
    # Encoded twice, for Apprise decodes it twice.
    value = quote(quote(one_line(key), safe="").encode("ascii"), safe="")
    address, fragment_mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}+X-Baton-Key={value}{fragment_mark}{fragment}"

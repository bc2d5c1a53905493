"""Send one message to one address of any service that Apprise supports. E-mail has its own channel and is refused here."""

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
from notifications.plain_text import one_line

_MAIL = ("mailto", "mailtos")
_JSON = ("json", "jsons")
#: The longest wait for a connection, and the longest for an answer.
_TIMEOUT_SECONDS = 10.0
#: A failure that took this share of the time limit means that the service hangs. A quicker one means that it refused.
_SLOW = 0.9
#: Separate threads: a service that hangs must not hold up database work.
_THREADS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="apprise")

#: Errors that come before the whole request is sent. NewConnectionError is wrapped in other errors.
_NOT_SENT = (broken.ConnectTimeout, broken.SSLError, broken.ProxyError)
_BROKEN = (broken.ConnectionError, broken.Timeout, broken.ChunkedEncodingError, broken.ContentDecodingError)
_heard = threading.local()

# Apprise logs an unreadable address unchanged, with the secret in it.
logging.getLogger("apprise").addFilter(lambda record: " URL" not in record.getMessage())


class _ErrorsHeard(logging.Handler):
    """Keeps the error of a request. Apprise only logs the error, and reports no more than that the send failed."""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(error := sys.exc_info()[1], RequestException):
            _heard.error = error


logging.getLogger("apprise").addHandler(_ErrorsHeard())


def schema_of(url: str) -> str:
    """Return the scheme of an address in lower case. It names the service."""
    return url.partition("://")[0].strip().lower()


def why_unusable(url: str) -> str:
    """Return why nothing can be sent to this address, without quoting it; empty if the address works."""
    if schema_of(url).partition(":")[0] in _MAIL:
        return "mailto is not a chat address; e-mail has its own channel"
    return "" if isinstance(Apprise.instantiate(url), NotifyBase) else "is not an address that Apprise can use"


async def send_by_apprise(channel: str, url: str, *, key: str, title: str, body: str) -> str:
    """Send once and return "apprise: <schema> accepted". A retry that the URL asks for is not made.

    A receiver of json:// also gets the key, as the header X-Baton-Key.
    Raises: DeliveryError, permanent for an e-mail address or one that Apprise cannot use; DeliveryUnknown where the
    connection broke before an answer came; ServiceAway where the service took long to fail. No error holds the address,
    because it may contain a secret.
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
    """Return whether the service took the message, and the error that broke the connection, if any."""
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
    # Encoded twice, because Apprise decodes it twice.
    value = quote(quote(one_line(key), safe="").encode("ascii"), safe="")
    address, fragment_mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}+X-Baton-Key={value}{fragment_mark}{fragment}"

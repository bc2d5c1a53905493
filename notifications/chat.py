"""Chat by Apprise: one address per person, in whatever service Apprise speaks. E-mail has its own channel and is refused here."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import quote

from apprise import Apprise, NotifyBase, NotifyFormat

from agreements.errors import DeliveryError
from notifications.letter import Letter
from notifications.rendering import one_line

_MAIL = ("mailto", "mailtos")
_JSON = ("json", "jsons")

# Apprise writes an address that it cannot read into its log as it is, and the secret in it too.
logging.getLogger("apprise").addFilter(lambda record: " URL" not in record.getMessage())


class ChatChannel:
    """Sends the short form of letters to the person's own chat address, else to one for all.

    default_url: an Apprise URL for people without a chat address, "" for none.
    """

    may_bounce = False

    def __init__(self, name: str = "chat", default_url: str = "") -> None:
        self.name, self._default_url = name, default_url

    async def send(self, letter: Letter) -> str:
        """Sends the short form and returns "apprise: <schema> accepted".

        It is sent at most once: a retry that the URL asks for is not made. A receiver of json:// also gets the letter's key,
        as the header X-Baton-Key.
        Raises: DeliveryError, permanent where there is no address, or none that Apprise can use, or one for e-mail. It never
        holds the address, which may contain a secret.
        """
        url = letter.to.chat or self._default_url
        if not url:
            raise DeliveryError(self.name, f"{one_line(letter.to.name)[:80]} has no chat address", permanent=True)
        schema = self._schema(url)
        if not await asyncio.to_thread(self._notify, url, schema, letter):
            raise DeliveryError(self.name, f"{schema} did not accept the message")
        return f"apprise: {schema} accepted"

    def _schema(self, url: str) -> str:
        schema = url.partition("://")[0].strip().lower()
        if schema in _MAIL:
            raise DeliveryError(self.name, "mailto is not a chat address; e-mail has its own channel", permanent=True)
        return schema

    def _notify(self, url: str, schema: str, letter: Letter) -> bool:
        service = Apprise.instantiate(_with_key(url, letter.key) if schema in _JSON else url)
        if not isinstance(service, NotifyBase):
            raise DeliveryError(self.name, "the chat address is not one that Apprise can use", permanent=True)
        # A failure of an "optional" address would count as delivered, and a retry could deliver twice.
        service.optional, service.retry = False, 0
        apprise = Apprise()
        apprise.add(service)
        return bool(apprise.notify(title=letter.subject, body=letter.chat, body_format=NotifyFormat.TEXT))


def _with_key(url: str, key: str) -> str:
    # Encoded twice, for Apprise decodes it twice.
    value = quote(quote(one_line(key), safe="").encode("ascii"), safe="")
    address, fragment_mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}+X-Baton-Key={value}{fragment_mark}{fragment}"

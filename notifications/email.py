"""E-mail over SMTP. What the server answers to the message is the proof; a bounce that comes later is not seen here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, parseaddr
from functools import partial
from hashlib import sha256
from typing import Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPResponseException, SMTPSenderRefused

from agreements.errors import DeliveryError, DeliveryUnknown
from notifications.letter import Letter
from notifications.rendering import one_line

Tls = Literal["none", "starttls", "implicit"]

_SCHEMES: dict[str, tuple[Tls, int]] = {"smtp": ("none", 25), "smtp+starttls": ("starttls", 587), "smtps": ("implicit", 465)}
_ADDRESS = re.compile(r"([^\s@<>()\[\]\\,;:\"]{1,64})@((?:[^\W_](?:[\w-]*[^\W_])?\.)*[^\W_](?:[\w-]*[^\W_])?)")
_ADDRESS_MAX = 254
_KEPT_CONNECTIONS = 4
_REFUSALS = (SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError)
#: The standard library writes these as encoded words when they are long, and then nobody finds the thread or the key.
_UNFOLDED = {"references", "in-reply-to", "message-id", "x-baton-key"}
_HEADER_MAX = 900


class _Policy(EmailPolicy):
    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _UNFOLDED:
            return f"{name}: {value}\r\n".encode("ascii", "backslashreplace")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


class EmailChannel:
    """Sends letters through one mail server, and keeps a few connections to it open between them.

    sender: an address, or a name with one ("Baton <baton@firm.example>"); letters come from it and so do bounces.
    tls: "starttls" and "implicit" check the certificate against the system's authorities and send nothing without TLS.
    timeout_seconds: for each answer of the server.
    Raises: ValueError for a sender that is no address.
    """

    may_bounce = True

    def __init__(
        self,
        name: str = "email",
        *,
        host: str,
        port: int,
        sender: str,
        username: str = "",
        password: str = "",
        tls: Tls = "none",
        timeout_seconds: float = 10,
    ) -> None:
        self.name = name
        self._sender_name, address = parseaddr(one_line(sender))
        self._sender, self._domain = _split(address)
        self._idle: list[SMTP] = []
        self._new_connection = partial(
            SMTP,
            hostname=host,
            port=port,
            # Our own name: a server wants a full one, and asking the DNS for it may hang.
            local_hostname=self._domain,
            timeout=timeout_seconds,
            username=username or None,
            password=password or None,
            use_tls=tls == "implicit",
            start_tls=tls == "starttls",
        )

    @classmethod
    def from_url(cls, url: str, *, sender: str, name: str = "email", timeout_seconds: float = 10) -> Self:
        """A channel from smtp://, smtp+starttls:// or smtps://user:password@host:port, where all but the host may be left out.

        User and password are percent-encoded; the ports are 25, 587 and 465 where not given.
        Raises: ValueError, which never names the password, for another scheme, no host or a port that is none.
        """
        parts, tls, port = _server(url)
        server, login = parts.hostname or "", {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
        return cls(name, host=server, port=port, sender=sender, tls=tls, timeout_seconds=timeout_seconds, **login)

    async def send(self, letter: Letter) -> str:
        """Sends the letter and returns the server's answer to it, such as "250 queued as 17".

        Raises: DeliveryError, permanent when the server refused sender, recipient or message for good (5xx) or the address
        is none. If the connection is lost after the message was handed over, the error says that it may have arrived.
        """
        try:
            recipient, _ = _split(letter.to.email)
            message = self._message(letter, recipient)
        except ValueError as error:
            raise DeliveryError(self.name, str(error), permanent=True) from error
        try:
            async with self._connection() as smtp:
                return await self._hand_over(smtp, recipient, message)
        except SMTPResponseException as error:
            final = isinstance(error, _REFUSALS) and error.code >= 500
            raise self._failed(f"{error.code} {error.message}", permanent=final) from error
        except (SMTPException, OSError, ValueError) as error:
            raise self._failed(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Says goodbye on every connection that is kept. To be called in the event loop that sent; sending opens new ones."""
        while smtp := self._from_this_loop():
            await _say_goodbye(smtp)

    async def _hand_over(self, smtp: SMTP, recipient: str, message: EmailMessage) -> str:
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        international = not (recipient + self._sender).isascii()
        if international and not smtp.supports_extension("smtputf8"):
            raise self._failed(f"the mail server does not take addresses such as {recipient}", permanent=True)
        encoding, options = ("utf-8", ["SMTPUTF8"]) if international else ("ascii", [])
        await smtp.mail(self._sender, options=options, encoding=encoding)
        await smtp.rcpt(recipient, encoding=encoding)
        content = message.as_bytes(policy=_POLICY.clone(utf8=international))
        try:
            answer = await smtp.data(content)
        except OSError as error:
            raise DeliveryUnknown(self.name, f"no answer to the message, it may have arrived: {error}") from error
        return one_line(f"{answer.code} {answer.message}")

    def _message(self, letter: Letter, recipient: str) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = _address(self._sender_name, self._sender)
        message["To"] = _address(letter.to.name, recipient)
        message["Subject"] = _undecodable(letter.subject)
        message["Auto-Submitted"] = "auto-generated"
        message["Date"] = formatdate(usegmt=True)  # the real time, also where Baton's own is stepped
        for name, value in self._marks(letter).items():
            message[name] = one_line(value)[:_HEADER_MAX]
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        return message

    def _marks(self, letter: Letter) -> dict[str, str]:
        """By the headers a repeat is recognised and one lead's letters are shown together."""
        domain = self._domain
        with suppress(ValueError):
            domain = _split(letter.thread)[1] or domain
        marks = {"Message-ID": _message_id("letter", letter.key, domain), "X-Baton-Key": letter.key}
        thread = _message_id("thread", letter.thread, domain)
        return marks | ({"In-Reply-To": thread, "References": thread} if letter.thread else {})

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        smtp = await self._kept() or await self._opened()
        try:
            yield smtp
        except BaseException:
            smtp.close()
            raise
        if len(self._idle) < _KEPT_CONNECTIONS:
            self._idle.append(smtp)
        else:
            await _say_goodbye(smtp)

    async def _kept(self) -> SMTP | None:
        while smtp := self._from_this_loop():
            try:
                await smtp.rset()  # the server may have hung up meanwhile
            except (SMTPException, OSError):
                smtp.close()
            else:
                return smtp
        return None

    def _from_this_loop(self) -> SMTP | None:
        """A kept connection that this event loop opened; another loop's cannot be used, and not even closed, from here."""
        self._idle = [smtp for smtp in self._idle if smtp.loop and not smtp.loop.is_closed()]
        mine = next((smtp for smtp in self._idle if smtp.loop is asyncio.get_running_loop()), None)
        if mine:
            self._idle.remove(mine)
        return mine

    async def _opened(self) -> SMTP:
        smtp = self._new_connection()
        await smtp.connect()
        return smtp

    def _failed(self, problem: str, *, permanent: bool = False) -> DeliveryError:
        return DeliveryError(self.name, one_line(problem)[:300], permanent=permanent)


async def _say_goodbye(smtp: SMTP) -> None:
    with suppress(SMTPException, OSError):
        await smtp.quit()
    smtp.close()


def _server(url: str) -> tuple[SplitResult, Tls, int]:
    try:
        parts = urlsplit(url)
        tls, usual_port = _SCHEMES[parts.scheme]
        port = parts.port or usual_port
    except (KeyError, ValueError):  # not passed on: it shows a part of the password where that is not encoded
        port = 0
    if not port or not parts.hostname:
        raise ValueError("A mail server is written as smtp://host:port, smtp+starttls://host:port or smtps://host:port.")
    return parts, tls, port


def _split(address: str) -> tuple[str, str]:
    """The address with its domain as the network writes it, and that domain. Raises ValueError if it is none."""
    found = _ADDRESS.fullmatch(address) if len(address) <= _ADDRESS_MAX and address.isprintable() else None
    domain = _network_name(found[2].lower()) if found else ""
    if not found or not domain:
        raise ValueError(f"{one_line(address)[:80]!r} is not an e-mail address" if address else "there is no e-mail address")
    return f"{found[1]}@{domain}", domain


def _network_name(domain: str) -> str:
    try:
        name = domain.encode("idna")
        # Python's rules of 2003 turn some letters into others ("ß" into "ss"): that is somebody else's domain.
        exact = domain.isascii() or name.decode("idna") == domain
    except UnicodeError:
        return ""
    return name.decode("ascii") if exact else ""


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    # Without these signs no name can be read as a second address, however a mail program decodes it.
    return Address(" ".join(re.sub(r'[<>@,;:"()\[\]\\]', " ", _undecodable(name)).split())[:100], local, domain)


def _undecodable(text: str) -> str:
    """One line in which nothing is taken for an encoded word, behind which any sign could hide."""
    return one_line(text).replace("=?", "= ?")


def _message_id(kind: str, text: str, domain: str) -> str:
    return f"<{kind}.{sha256(text.encode(errors='replace')).hexdigest()[:32]}@{domain}>"

"""E-mail over SMTP. The server's answer to the message is the proof. A later bounce goes to the return path."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from agreements.words import MailSource
from notifications.channels.mail_message import POLICY, message_of, sender_of, split_address
from notifications.letter import Letter
from notifications.plain_text import one_line

Tls = Literal["none", "starttls", "implicit"]

_SCHEMES: dict[str, tuple[Tls, int]] = {"smtp": ("none", 25), "smtp+starttls": ("starttls", 587), "smtps": ("implicit", 465)}
_KEPT_CONNECTIONS = 4
_REFUSALS = (SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError)
#: A server may answer any command with this code, to say that it closes the connection.
_CLOSING = 421
_MARK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server that takes our e-mail, and how this installation logs in.

    tls: "starttls" and "implicit" check the certificate and send nothing without TLS. ca_file: authorities to trust instead of
    the system's. Log-in: password, or token_file with an OAuth token, which is read again for each connection, needs a
    username and goes over TLS only. timeout_seconds: for each answer of the server.
    """

    host: str
    port: int
    tls: Tls = "none"
    username: str = ""
    password: str = ""
    token_file: str = ""
    ca_file: str = ""
    timeout_seconds: float = 10

    @classmethod
    def from_url(cls, url: str, *, token_file: str = "", ca_file: str = "") -> Self:
        """Read a server from smtp://, smtp+starttls:// or smtps://user:password@host:port. Only scheme and host are required.

        User and password are percent-encoded. The default ports are 25, 587 and 465.
        Raises: ValueError for another scheme, no host or an invalid port. It never names the password.
        """
        parts, tls, port = _server(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname or "", port, tls, user, password, token_file, ca_file)


class EmailChannel:
    """Sends letters through one mail server, and keeps a few connections open between letters.

    sender: the From address, alone or with a name ("Baton <baton@firm.example>"). bounces: the address for bounces, empty for
    the sender's. The letter's bounce_mark is added to that address ("bounces+mark@firm.example"). echoes: the mail providers
    whose calls give back that mark.
    Raises: ValueError for an invalid address, an unusable ca_file, or a token without user or TLS.
    """

    may_bounce = True
    read_by_people = True

    def __init__(
        self, server: SmtpServer, *, sender: str, bounces: str = "", name: str = "email", echoes: Collection[MailSource] = ()
    ) -> None:
        self.name, self._echoes = name, tuple(echoes)
        self._sender_name, self._sender, self._domain = sender_of(sender)
        self._bounces, self._marks_bounces = split_address(bounces)[0] if bounces else self._sender, bool(bounces)
        self._token_file = server.token_file
        self._idle: list[SMTP] = []
        if server.token_file and (not server.username or server.password or server.tls == "none"):
            raise ValueError("A token needs a user without a password, and TLS: write smtps://user@host or smtp+starttls://user@host.")
        login: dict[str, Any] = {"oauth_token_generator": self._token} if server.token_file else {"password": server.password or None}
        self._new_connection = partial(
            SMTP,
            hostname=server.host,
            port=server.port,
            # Our domain as host name: a server wants a full name, and asking the DNS for one may hang.
            local_hostname=self._domain,
            timeout=server.timeout_seconds,
            username=server.username or None,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=trusting(server.ca_file),
            **login,
        )

    async def send(self, letter: Letter) -> str:
        """Send the letter and return the server's answer, such as "250 queued as 17".

        Raises: DeliveryError, permanent for an invalid address or where the server refused sender, recipient or message (5xx);
        ServiceAway where no letter could go: no server, a bad certificate, a refused log-in, a server that hangs;
        DeliveryUnknown where the connection broke after the message was handed over.
        """
        try:
            recipient, _ = split_address(letter.to.email)
            message = message_of(letter, recipient, sender=self._sender, sender_name=self._sender_name, echoes=self._echoes)
        except ValueError as error:
            raise DeliveryError(self.name, str(error), permanent=True) from error
        try:
            async with self._connection() as smtp:
                return await self._hand_over(smtp, self._return_path(letter), recipient, message)
        except (SMTPException, OSError, ValueError) as error:
            raise self._error(error) from error

    async def close(self) -> None:
        """Close every kept connection. Call it in the event loop that sent; sending opens new connections."""
        while smtp := self._from_this_loop():
            await _say_goodbye(smtp)

    def _return_path(self, letter: Letter) -> str:
        """Return the address for bounces of this letter. A mark that does not fit into an address is left out."""
        local, _, domain = self._bounces.rpartition("@")
        marked = f"{local}+{letter.bounce_mark}"
        fits = self._marks_bounces and _MARK.fullmatch(letter.bounce_mark) and len(marked) <= 64
        return f"{marked}@{domain}" if fits else self._bounces

    async def _hand_over(self, smtp: SMTP, sender: str, recipient: str, message: EmailMessage) -> str:
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        international = not (recipient + self._sender + sender).isascii()
        if international and not smtp.supports_extension("smtputf8"):
            raise self._failed(f"the mail server does not take addresses such as {recipient}", permanent=True)
        encoding, options = ("utf-8", ["SMTPUTF8"]) if international else ("ascii", [])
        await smtp.mail(sender, options=options, encoding=encoding)
        await smtp.rcpt(recipient, encoding=encoding)
        content = message.as_bytes(policy=POLICY.clone(utf8=international))
        try:
            answer = await smtp.data(content)
        except OSError as error:
            raise DeliveryUnknown(self.name, f"no answer to the message, it may have arrived: {error}") from error
        return one_line(f"{answer.code} {answer.message}")

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
                await smtp.rset()  # the server may have closed the connection meanwhile
            except (SMTPException, OSError):
                smtp.close()
            else:
                return smtp
        return None

    def _from_this_loop(self) -> SMTP | None:
        """Return a kept connection that this event loop opened. It can neither use nor close those of other loops."""
        self._idle = [smtp for smtp in self._idle if smtp.loop and not smtp.loop.is_closed()]
        mine = next((smtp for smtp in self._idle if smtp.loop is asyncio.get_running_loop()), None)
        if mine:
            self._idle.remove(mine)
        return mine

    async def _opened(self) -> SMTP:
        smtp = self._new_connection()
        await smtp.connect()
        return smtp

    async def _token(self) -> str:
        try:
            token = one_line(await asyncio.to_thread(Path(self._token_file).read_text, "utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceAway(self.name, f"the token cannot be read from {self._token_file}: {type(error).__name__}") from error
        if not token:
            raise ServiceAway(self.name, f"there is no token in {self._token_file}")
        return token

    def _error(self, error: Exception) -> DeliveryError:
        """Translate an error of the connection: does only this letter fail, or would all?"""
        if (certificate := _certificate_error(error)) is not None:
            told = f"the mail server's certificate is not trusted: {certificate.verify_message or certificate.reason}"
            return ServiceAway(self.name, one_line(told)[:300])
        if isinstance(error, SMTPAuthenticationError):
            return ServiceAway(self.name, one_line(f"the mail server refused our login: {error.code} {error.message}")[:300])
        if isinstance(error, _REFUSALS) and error.code != _CLOSING:
            return self._failed(f"{error.code} {error.message}", permanent=error.code >= 500)
        told = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else str(error) or type(error).__name__
        return ServiceAway(self.name, one_line(told)[:300])

    def _failed(self, problem: str, *, permanent: bool = False) -> DeliveryError:
        return DeliveryError(self.name, one_line(problem)[:300], permanent=permanent)


def trusting(ca_file: str) -> ssl.SSLContext | None:
    """Return a TLS context that trusts the authorities in that file, None for no file. Raises ValueError for an unusable file."""
    try:
        return None if not ca_file else ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        raise ValueError(f"No certificates can be read from {ca_file}: {type(error).__name__}.") from error


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


async def _say_goodbye(smtp: SMTP) -> None:
    with suppress(SMTPException, OSError):
        await smtp.quit()
    smtp.close()


def _server(url: str) -> tuple[SplitResult, Tls, int]:
    try:
        parts = urlsplit(url)
        tls, usual_port = _SCHEMES[parts.scheme]
        port = parts.port or usual_port
    except (KeyError, ValueError):  # not passed on: its text holds a part of a password that was not encoded
        port = 0
    if not port or not parts.hostname:
        raise ValueError("A mail server is written as smtp://host:port, smtp+starttls://host:port or smtps://host:port.")
    return parts, tls, port

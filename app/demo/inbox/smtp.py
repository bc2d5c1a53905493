"""The SMTP side of the demo inbox: a mail server that passes each e-mail on before it answers 250."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

SIZE_LIMIT = 10 * 1024 * 1024
"""Largest e-mail taken, in bytes; a larger one is answered with 552."""

_START_SECONDS = 60.0
_HANG_UP_SECONDS = 2.0

log = logging.getLogger(__name__)


class _Reception:
    """The answers to a delivered e-mail, and to any error on the way."""

    def __init__(self, keep: Callable[[Envelope], None]) -> None:
        self._keep = keep

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        try:
            self._keep(envelope)
        except OSError as error:
            log.error("an e-mail was refused because it could not be written: %s", error)
            return "451 4.3.0 Could not be written, try again later"
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        if not isinstance(error, ConnectionError):
            log.error("an SMTP session failed", exc_info=error)
        return "451 4.3.0 Something went wrong here, try again later"


class MailServer(Controller):
    """Serves a listening socket from its own thread and takes 8-bit and UTF-8 mail.

    ``keep`` is called in that thread, one e-mail at a time. The sender gets 250 if ``keep`` returns, and 451 (try again
    later) if it raises. ``host`` is an address at which this process reaches the socket.
    """

    def __init__(self, keep: Callable[[Envelope], None], listener: socket.socket, host: str) -> None:
        reception, port = _Reception(keep), listener.getsockname()[1]
        # A fixed server name, since aiosmtpd otherwise asks the DNS for one at every connection.
        super().__init__(
            reception, hostname=host, port=port, server_hostname="localhost", ready_timeout=_START_SECONDS, data_size_limit=SIZE_LIMIT
        )
        self._listener = listener
        self._sessions: WeakSet[SMTP] = WeakSet()
        self.loop.set_exception_handler(_without_dropped_connections)

    def factory(self) -> SMTP:
        session = SMTP(self.handler, loop=self.loop, **self.SMTP_kwargs)
        self._sessions.add(session)
        return session

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)

    def close(self) -> None:
        """Hang up on every client and end the thread. Call it after ``start``, even after one that failed."""
        if self.loop.is_running():
            asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result()
        if not self.loop.is_closed():
            self.stop(no_assert=True)
        self.loop.close()

    async def _hang_up(self) -> None:
        # The listener closes last: asyncio complains about a connection accepted just before that.
        deadline = self.loop.time() + _HANG_UP_SECONDS
        while (talks := asyncio.all_tasks() - {asyncio.current_task()}) and self.loop.time() < deadline:
            for transport in self._transports():
                transport.close()
            await asyncio.wait(talks, timeout=_HANG_UP_SECONDS / 20)
        if self.server is not None:
            self.server.close()
        for transport in self._transports():
            transport.abort()
        await asyncio.sleep(0)

    def _transports(self) -> list[asyncio.WriteTransport]:
        transports = [session.transport for session in self._sessions]
        return [transport for transport in transports if isinstance(transport, asyncio.WriteTransport)]


def _without_dropped_connections(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)

"""Slow clients: cuts off a request whose headers or body take too long, so that nobody holds connections open for nothing."""

from __future__ import annotations

import asyncio

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol


class BodyTooSlow(Exception):
    """The rest of what you sent did not arrive in time."""


class BodyInTime:
    """Wraps the site: reading a body raises BodyTooSlow once the body has taken more than so many seconds.

    seconds: from the first look at the body to its end; 0 for no bound.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.seconds:
            await self.app(scope, receive, send)
            return
        until, complete = 0.0, False

        async def receive_in_time() -> Message:
            nonlocal until, complete
            if complete:  # the only message after this says that the client has left
                return await receive()
            until = until or asyncio.get_running_loop().time() + self.seconds
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(BodyTooSlow.__doc__) from None
            complete = not message.get("more_body", False)
            return message

        await self.app(scope, receive_in_time, send)


class HeadersInTime(H11Protocol):
    """A connection that closes after so many seconds without a request, counted from its start or from the last answer.

    A client that sends its headers byte by byte gets 408. A client that goes on sending a body after its answer is cut off too.
    """

    seconds: float = 10
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Take the received bytes; a complete request stops the timer."""
        super().data_received(data)
        self._end_if_asked()

    def on_response_complete(self) -> None:
        """Start the timer again."""
        self._begin()
        super().on_response_complete()  # may begin with the next request, if that has come already
        self._end_if_asked()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._late = self.loop.call_later(self.seconds, self._cut_off)

    def _end(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end_if_asked(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._end()

    def _cut_off(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            headers = [("Connection", "close"), ("Content-Length", "0")]
            for event in (h11.Response(status_code=408, headers=headers), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def protocol(seconds: float) -> type[asyncio.Protocol]:
    """Return the class that serves connections. seconds: until the headers of a request are complete; 0 for no bound."""
    return type("HeadersInTime", (HeadersInTime,), {"seconds": seconds}) if seconds else H11Protocol


def configured(app: ASGIApp, *, seconds: float, trusted_proxies: str, stop_seconds: int) -> Config:
    """Return the server's configuration. trusted_proxies: whose X-Forwarded-For counts, addresses and networks with commas between."""
    return Config(
        app,
        http=protocol(seconds),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=stop_seconds,
    )

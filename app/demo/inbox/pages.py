"""The web pages of the inbox: the list of messages, one message, its source, and all as JSON."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.demo.inbox.mail_height import NARROW_LINE, WIDE_LINE, pixels
from app.demo.inbox.message import Received, header_lines, links
from notifications.html_templates import html_templates

REFRESH_SECONDS = 5
"""How often the list loads itself again, in seconds."""

_START_SECONDS = 60.0
_STOP_SECONDS = 2
_KEEP_SECONDS = 60
_NEW_TAB = '<base target="_blank">'
# A message may use any style and show its pictures, but it runs nothing and posts nothing.
_POLICY = {
    "Content-Security-Policy": ("default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:; form-action 'none'"),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Mailbox(Protocol):
    """What the pages read from; ``messages`` promises what ``Inbox.messages`` does."""

    def messages(self, to: str | None = None, after: int = 0) -> list[Received]:
        """Return messages numbered above ``after``, oldest first; for ``to`` only those with that recipient."""
        ...


def pages(mailbox: Mailbox, start_page: Callable[[], str] = str) -> FastAPI:
    """Return the web application. Everything in a message is escaped or shown in a sandbox. start_page: where the link back leads,
    empty for no link."""
    app = FastAPI(title="Inbox", docs_url=None, redoc_url=None, openapi_url=None)
    render = _Templates(start_page)

    @app.get("/", response_class=HTMLResponse)
    async def message_list(to: str = "") -> Response:
        shown = mailbox.messages(to=to or None)[::-1]
        people = people_of(mailbox.messages())
        return render("list.html", messages=shown, people=people, to=to, refresh=REFRESH_SECONDS)

    @app.get("/m/{number:int}", response_class=HTMLResponse)
    async def one_message(number: int) -> Response:
        message = _found(mailbox, number)
        headers = header_lines(_source(message))
        wide, narrow = (pixels(message.html, line=line) for line in (WIDE_LINE, NARROW_LINE))
        return render("message.html", message=message, framed=_NEW_TAB + message.html, headers=headers, wide=wide, narrow=narrow)

    @app.get("/m/{number:int}/raw")
    async def raw_message(number: int) -> Response:
        source = _source(_found(mailbox, number))
        return Response(source, media_type="text/plain; charset=utf-8", headers=_POLICY)

    @app.get("/messages.json")
    async def all_messages(to: str = "", after: int = 0) -> Response:
        newer = mailbox.messages(to=to or None, after=after)
        return JSONResponse([_as_json(message) for message in newer], headers=_POLICY)

    @app.exception_handler(404)
    async def missing(request: Request, error: Exception) -> Response:
        return render("missing.html", status=404)

    return app


def people_of(messages: list[Received]) -> list[tuple[str, str, int]]:
    """Return every recipient as (address, short label, number of messages), sorted by label.

    Case makes no difference. The label is the part before the @, or the whole address where two recipients share that
    part.
    """
    counts = Counter(address for message in messages for address in set(map(str.casefold, message.recipients)))
    sharing = Counter(_local_part(address) for address in counts)
    labelled = [(a, _local_part(a) if sharing[_local_part(a)] == 1 else a, n) for a, n in counts.items()]
    return sorted(labelled, key=lambda person: person[1])


class PageServer:
    """Serves an application on a listening socket from its own thread, without signal handlers."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        # No log settings and no lifespan: this process may run another uvicorn.
        limits: dict[str, Any] = {"timeout_graceful_shutdown": _STOP_SECONDS, "timeout_keep_alive": _KEEP_SECONDS}
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", **limits)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="inbox-pages", daemon=True)

    def start(self) -> None:
        """Return when the pages answer; RuntimeError if they do not within a minute."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the inbox pages did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Finish the requests under way, for at most 2 seconds, and end the thread."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()


@contextmanager
def served(app: FastAPI) -> Iterator[int]:
    """Serve an application on a free port of this machine until the block ends; the port."""
    with ExitStack() as ending:
        listener = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = PageServer(app, listener)
        ending.callback(server.stop)
        server.start()
        yield int(listener.getsockname()[1])


class _Templates:
    def __init__(self, start_page: Callable[[], str]) -> None:
        self._start_page = start_page
        self._templates = html_templates(Path(__file__).parents[1] / "templates" / "inbox")
        self._templates.filters.update(short=_short, long=_long)

    def __call__(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        html = self._templates.get_template(name).render(start_page=self._start_page(), **values)
        return HTMLResponse(html, status_code=status, headers=_POLICY)


def _local_part(address: str) -> str:
    return address.rpartition("@")[0] or address


def _found(mailbox: Mailbox, number: int) -> Received:
    newer = mailbox.messages(after=number - 1)
    if not newer or newer[0].number != number:
        raise HTTPException(404)
    return newer[0]


def _source(message: Received) -> bytes:
    try:
        return message.path.read_bytes()
    except FileNotFoundError:
        raise HTTPException(404) from None


def _as_json(message: Received) -> dict[str, Any]:
    return {
        "number": message.number,
        "at": message.at.isoformat(),
        "sender": message.sender,
        "recipients": list(message.recipients),
        "subject": message.subject,
        "key": message.key,
        "text": message.text,
        "html": message.html,
        "links": links(message),
    }


def _short(at: datetime) -> str:
    return f"{at:%a %H:%M}"


def _long(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B %Y, %H:%M %Z}"

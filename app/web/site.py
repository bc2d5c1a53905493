"""The site: pages and intake, and for every request the headers, one log line, and a plain answer to an unforeseen error."""

from __future__ import annotations

import json
import logging
import re
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agreements.errors import LinkError, LinkOver
from app.web import (
    api_page,
    crm_hook,
    digest_page,
    dispute_page,
    dsn_hook,
    health,
    intake,
    intake_doors,
    manager_page,
    me_page,
    nurture_hook,
    overseen_lead_page,
    overview_page,
    pages,
    question_pages,
    sign_page,
    slack_hook,
)
from app.web.alarm_watch import watching
from app.web.answers import is_api, said
from app.web.away_page import AWAY
from app.web.bodies import BodyTooLarge
from app.web.link_paths import without_tail
from app.web.mail_hooks import routes as mail_hooks
from app.web.page_request_queue import PageRequestQueue
from app.web.rates import Rates
from app.web.rendering import page, plain
from app.web.slowness import BodyInTime, BodyTooSlow, configured
from app.web.twins_page import TWINS
from tasks.wiring.toolbox import Toolbox

access = logging.getLogger("baton.web.access")
log = logging.getLogger("baton.web")

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_STOP_SECONDS = 5
_CLIENT_LEFT = 499
_TOKEN = re.compile(r"(/(?:l|d|m|q|sign)/[^/]{8})[^/]*")


def create_site(box: Toolbox, *, real_time: Callable[[], float] = time.time) -> FastAPI:
    """Return the whole site of this installation. The server must flush `state.page_requests` at the end.

    real_time: the clock that others sign by.
    """
    site = FastAPI(
        title="Baton",
        summary="Leads come in here.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,  # a redirect would carry a token to any host that the Host header names
    )
    site.state.public_url = box.settings.public_url
    requests = site.state.page_requests = PageRequestQueue(box)
    site.include_router(pages.routes(box, requests))
    site.include_router(me_page.routes(box))
    for question in (AWAY, TWINS):
        site.include_router(question_pages.routes(box, question))
    site.include_router(overview_page.routes(box))
    site.include_router(overseen_lead_page.routes(box))
    site.include_router(manager_page.routes(box, requests))
    site.include_router(sign_page.routes(box))
    site.include_router(digest_page.routes(box))
    site.include_router(dispute_page.routes(box, requests))
    site.include_router(intake.routes(box))
    site.include_router(intake_doors.routes(box, real_time=real_time))
    site.include_router(dsn_hook.routes(box))
    site.include_router(mail_hooks.routes(box, real_time=real_time))
    site.include_router(crm_hook.routes(box, real_time=real_time))
    site.include_router(nurture_hook.routes(box))
    site.include_router(api_page.routes(box))
    site.include_router(health.routes(box, real_time=real_time))
    site.include_router(slack_hook.routes(box, real_time=real_time))
    _add_front(site)
    site.add_exception_handler(HTTPException, _not_here)
    site.add_exception_handler(LinkError, _no_link)
    site.add_exception_handler(BodyTooLarge, _too_large)
    site.add_exception_handler(BodyTooSlow, _too_slow)
    site.add_middleware(BodyInTime, seconds=box.settings.request_seconds)
    site.add_middleware(Rates, settings=box.settings)
    site.add_middleware(Watch, folder=urlsplit(box.settings.public_url).path)
    return site


def serve(box: Toolbox, host: str, port: int) -> None:
    """Serve the site until SIGINT or SIGTERM, then finish requests under way (at most 5 seconds) and return.

    Signals are caught in the main thread only, and are as before afterwards. Raises: OSError if the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=512) as listener:
        site = create_site(box)
        config = configured(
            site,
            seconds=box.settings.request_seconds,
            trusted_proxies=box.settings.trusted_proxies,
            stop_seconds=_STOP_SECONDS,
        )
        try:
            with watching(box):
                _Server(config).run(sockets=[listener])
        finally:
            site.state.page_requests.flush()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at SIGINT or SIGTERM without sending the signal on: the caller decides what comes then."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Watch:
    """Wraps the site: adds the headers, writes the log line of each request, and answers for unforeseen errors.

    folder: the path under which people reach the site, empty for none. Requests may come with it or without.
    """

    def __init__(self, app: ASGIApp, folder: str = "") -> None:
        self.app, self.folder = app, folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["root_path"] = self.folder
        scope["path"] = without_tail(scope["path"], self.folder)
        began, status = time.monotonic(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await self.app(scope, receive, tell)
        except ClientDisconnect:
            status = _CLIENT_LEFT
        except Exception:  # any error: the visitor gets a plain page, and the log gets the traceback once
            reference = secrets.token_hex(4)
            log.exception("a request failed, reference %s", reference)
            if not status:
                await _sorry(scope, reference)(scope, receive, tell)
        finally:
            _write_line(scope, status, time.monotonic() - began)


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    headers = Headers(scope=scope)
    line = {
        "method": scope["method"],
        "path": _TOKEN.sub(r"\1", scope["path"], count=1)[:200],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "user_agent": headers.get("user-agent", "")[:200],
        "has_cookie": "cookie" in headers,
    }
    access.info("%s", json.dumps(line))


def _add_front(site: FastAPI) -> None:
    @site.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def start(request: Request) -> Response:
        return page("start.html", base=request.scope["root_path"])


def _sorry(scope: Scope, reference: str) -> Response:
    said = "Something went wrong here. It is not your fault."
    if is_api(scope):
        return JSONResponse({"error": f"{said} Send it again later.", "reference": reference}, status_code=500)
    again = "Open your link again in a minute. The page shows whether your answer arrived."
    return plain("That did not work", f"{said} {again}", f"If this goes on, give your operator this number: {reference}", status=500)


async def _not_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = error.headers if isinstance(error, HTTPException) else None
    if is_api(request.scope):
        return JSONResponse({"error": "There is no such page here. See /api/docs."}, status_code=status, headers=headers)
    response = plain("There is no such page", "Open the link again from the message you received.", status=status)
    response.headers.update(headers or {})
    return response


async def _no_link(request: Request, error: Exception) -> Response:
    if isinstance(error, LinkOver):
        hint = "Links that open more than one lead work for 48 hours. In a browser that is remembered as yours, you find your list at /me."
        return plain("This link is over", str(error), hint, status=410)
    hint = "If you copied the link, copy all of it, to the last character. If it still does not work, ask your operator for a new message."
    return plain("This link does not work", str(error), hint, status=404)


async def _too_slow(request: Request, error: Exception) -> Response:
    response = said(request.scope, "That took too long", f"{error} Please send it again.", status=408)
    response.headers["Connection"] = "close"
    return response


async def _too_large(request: Request, error: Exception) -> Response:
    return plain("That is too long", f"{error} Go back, shorten your text and send it again.", status=413)

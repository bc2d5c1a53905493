"""Callers: the browser that asks, the cookies that identify it, and whether a form came from a page that Baton showed it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from app.web.bodies import body_of, read_form
from notifications.plain_text import clean
from storage import devices
from tasks.replies.browsers import Sender
from tasks.wiring.toolbox import Toolbox

MAX_FORM_BYTES = 64_000
DEVICE_COOKIE = "baton_device"

_SECONDS = int(devices.KEPT.total_seconds())
_DEVICE = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the link's token, its path for this browser, and the browser's stable id (known: the browser sent one).
    wait_id: the wait that is asked for on a person's own page. next_device: the id that the browser gets when it is promoted."""

    token: str
    path: str
    device: str
    known: bool
    wait_id: str = ""
    next_device: str = ""

    @classmethod
    def of(cls, request: Request, token: str, *, folder: str = "l") -> Caller:
        """Return the caller of this request; a browser without an id gets a new one. folder: the path of this kind of links."""
        device = request.cookies.get(cookie_name(request.app.state.public_url), "")
        known, wait_id = bool(_DEVICE.fullmatch(device)), str(request.path_params.get("wait_id", ""))
        path = "/".join(filter(None, (f"{request.scope['root_path']}/{folder}", token, wait_id)))
        return cls(token, path, device if known else secrets.token_urlsafe(24), known, wait_id, secrets.token_urlsafe(24))

    @property
    def hash(self) -> str:
        """Return the hash by which the database knows this browser."""
        return devices.hash_of(self.device)

    def promoted(self) -> Caller:
        """Return the same browser with its next id, which the browser does not have yet."""
        return replace(self, device=self.next_device, known=False)


def sender_of(request: Request, caller: Caller, age: timedelta | None) -> Sender:
    """Return the browser as `tasks` sees a sender. age: of the form that it sent, None for none."""
    agent, becomes = request.headers.get("user-agent", "")[:200], devices.hash_of(caller.next_device)
    return Sender(caller.hash, not caller.known, request.method, agent, age, becomes=becomes)


def remember_device(box: Toolbox, response: Response, caller: Caller) -> None:
    """Give the browser its id for 90 days, in a cookie that no script reads and that travels over TLS where people use TLS."""
    url = box.settings.public_url
    secure = url.startswith("https:")
    response.set_cookie(cookie_name(url), caller.device, max_age=_SECONDS, path="/", httponly=True, samesite="lax", secure=secure)


def remembered(box: Toolbox, response: Response, caller: Caller) -> Response:
    """Return the response; it also gives the browser its id where the browser has none yet."""
    if not caller.known:
        remember_device(box, response, caller)
    return response


def cookie_name(public_url: str) -> str:
    """Return the cookie's name. Under https no other host of the domain and no page without TLS can plant a cookie of this name.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
    """
    return f"__Host-{DEVICE_COOKIE}" if public_url.startswith("https:") else DEVICE_COOKIE


async def age_of_form(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> timedelta | None:
    """Return how long ago this browser was shown the form for this link; None where it was not, or over a day ago."""
    if not caller.known or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return None
    nonce = typed.get("nonce", "")
    return await box.read(lambda session, now: _age(session, box, caller, nonce, now))


def _age(session: Session, box: Toolbox, caller: Caller, nonce: str, now: datetime) -> timedelta | None:
    """Return as age_of_form does. A form that was shown before the browser got its present cookie, say in another tab, counts too."""
    age = box.links.nonce_age(nonce, caller.token, caller.hash, caller.wait_id, now=now)
    if age is not None:
        return age
    for before, until in devices.before(session, caller.hash, now=now):
        age = box.links.nonce_age(nonce, caller.token, before, caller.wait_id, now=now)
        if age is not None and now - age <= until:
            return age
    return None


async def is_from_page(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> bool:
    """Return whether a form comes from a page that was shown to this browser for this link within the last day."""
    return await age_of_form(box, request, caller, typed) is not None


async def form_of(request: Request) -> dict[str, str]:
    """Return the cleaned fields of a submitted form. Raises BodyTooLarge."""
    fields = read_form(await body_of(request, MAX_FORM_BYTES))
    return {name: clean(value) for name, value in fields.items()}


def public_address(box: Toolbox, request: Request) -> str:
    """Return the address as the sender has it, with its query: behind a proxy, the request itself shows another one."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    query = request.scope.get("query_string", b"").decode("latin-1")
    return f"{box.settings.public_url}{path}{'?' if query else ''}{query}"

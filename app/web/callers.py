"""Callers: the browser that asks, the cookies by which it is known again, and whether a form came from a page it was shown."""

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
from notifications.rendering import clean
from storage import devices
from tasks.replies.browsers import Sender
from tasks.wiring.toolbox import Toolbox

MAX_FORM_BYTES = 64_000
DEVICE_COOKIE = "baton_device"

_SECONDS = int(devices.KEPT.total_seconds())
_DEVICE = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the link's token and its path for this browser, and the browser's stable id (known: it had one before).
    wait_id: what is asked for on somebody's own page. next_device: the id that the browser gets when it is promoted."""

    token: str
    path: str
    device: str
    known: bool
    wait_id: str = ""
    next_device: str = ""

    @classmethod
    def of(cls, request: Request, token: str, *, folder: str = "l") -> Caller:
        """The caller of this request; a browser without an id gets a new one. folder: under which the links of this kind are."""
        device = request.cookies.get(cookie_name(request.app.state.public_url), "")
        known, wait_id = bool(_DEVICE.fullmatch(device)), str(request.path_params.get("wait_id", ""))
        path = "/".join(filter(None, (f"{request.scope['root_path']}/{folder}", token, wait_id)))
        return cls(token, path, device if known else secrets.token_urlsafe(24), known, wait_id, secrets.token_urlsafe(24))

    @property
    def hash(self) -> str:
        """By what the database knows this browser."""
        return devices.hash_of(self.device)

    def promoted(self) -> Caller:
        """The same browser with its next id, which it has not got yet."""
        return replace(self, device=self.next_device, known=False)


def sender_of(request: Request, caller: Caller, age: timedelta | None) -> Sender:
    """The browser as the desk sees it. age: of the form that it sent, None for none."""
    agent, becomes = request.headers.get("user-agent", "")[:200], devices.hash_of(caller.next_device)
    return Sender(caller.hash, not caller.known, request.method, agent, age, becomes=becomes)


def remember_device(box: Toolbox, response: Response, caller: Caller) -> None:
    """Gives the browser its id, for 90 days: a cookie that no script reads, and that goes over TLS only where people use it."""
    url = box.settings.public_url
    secure = url.startswith("https:")
    response.set_cookie(cookie_name(url), caller.device, max_age=_SECONDS, path="/", httponly=True, samesite="lax", secure=secure)


def remembered(box: Toolbox, response: Response, caller: Caller) -> Response:
    """The response, with which the browser gets its id where it has not got it."""
    if not caller.known:
        remember_device(box, response, caller)
    return response


def cookie_name(public_url: str) -> str:
    """What the cookie is called. Under https no other host of the domain and no page without TLS can plant one of that name.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
    """
    return f"__Host-{DEVICE_COOKIE}" if public_url.startswith("https:") else DEVICE_COOKIE


async def age_of_form(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> timedelta | None:
    """How long ago the form that was sent was shown to this browser for this link; None where it was not, or over a day ago."""
    if not caller.known or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return None
    nonce = typed.get("nonce", "")
    return await box.read(lambda session, now: _age(session, box, caller, nonce, now))


def _age(session: Session, box: Toolbox, caller: Caller, nonce: str, now: datetime) -> timedelta | None:
    """As age_of_form. A form that was shown before the browser got its present cookie, in another tab say, is one of its own."""
    age = box.links.nonce_age(nonce, caller.token, caller.hash, caller.wait_id, now=now)
    if age is not None:
        return age
    for before, until in devices.before(session, caller.hash, now=now):
        age = box.links.nonce_age(nonce, caller.token, before, caller.wait_id, now=now)
        if age is not None and now - age <= until:
            return age
    return None


async def is_from_page(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> bool:
    """Whether a form was sent from a page that was shown to this browser for this link within the last day."""
    return await age_of_form(box, request, caller, typed) is not None


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent, cleaned. Raises BodyTooLarge."""
    fields = read_form(await body_of(request, MAX_FORM_BYTES))
    return {name: clean(value) for name, value in fields.items()}

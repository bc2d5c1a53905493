"""Callers: the browser that asks, the cookies by which it is known again, and whether a form came from a page it was shown."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from app.web.bodies import body_of, read_form
from notifications.rendering import clean
from storage import devices
from tasks.senders import Sender
from tasks.toolbox import Toolbox

MAX_FORM_BYTES = 64_000
DEVICE_COOKIE = "baton_device"

_YEAR_SECONDS = 365 * 24 * 60 * 60
_DEVICE = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the link's token and its path for this browser, and the browser's stable id (known: it had one before).
    wait_id: what is asked for on somebody's own page."""

    token: str
    path: str
    device: str
    known: bool
    wait_id: str = ""

    @classmethod
    def of(cls, request: Request, token: str, *, folder: str = "l") -> Caller:
        """The caller of this request; a browser without an id gets a new one. folder: under which the links of this kind are."""
        device = request.cookies.get(DEVICE_COOKIE, "")
        known, wait_id = bool(_DEVICE.fullmatch(device)), str(request.path_params.get("wait_id", ""))
        path = "/".join(filter(None, (f"{request.scope['root_path']}/{folder}", token, wait_id)))
        return cls(token, path, device if known else secrets.token_urlsafe(24), known, wait_id)

    @property
    def hash(self) -> str:
        """By what the database knows this browser."""
        return devices.hash_of(self.device)


def sender_of(request: Request, caller: Caller, age: timedelta | None) -> Sender:
    """The browser as the desk sees it. age: of the form that it sent, None for none."""
    return Sender(caller.hash, not caller.known, request.method, request.headers.get("user-agent", "")[:200], age)


def remember_device(box: Toolbox, response: Response, caller: Caller) -> None:
    """Gives the browser its lasting id."""
    set_cookie(box, response, DEVICE_COOKIE, caller.device, "/", _YEAR_SECONDS)


def set_cookie(box: Toolbox, response: Response, name: str, value: str, path: str, seconds: int) -> None:
    """A cookie that no script reads, and that goes over TLS only where people use it."""
    secure = box.settings.public_url.startswith("https:")
    response.set_cookie(name, value, max_age=seconds, path=path, httponly=True, samesite="lax", secure=secure)


async def age_of_form(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> timedelta | None:
    """How long ago the form that was sent was shown to this browser for this link; None where it was not, or over a day ago."""
    if not caller.known or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return None
    nonce = typed.get("nonce", "")
    return await box.read(lambda session, now: box.links.nonce_age(nonce, caller.token, caller.device, caller.wait_id, now=now))


async def is_from_page(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> bool:
    """Whether a form was sent from a page that was shown to this browser for this link within the last day."""
    return await age_of_form(box, request, caller, typed) is not None


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent, cleaned. Raises BodyTooLarge."""
    fields = read_form(await body_of(request, MAX_FORM_BYTES))
    return {name: clean(value) for name, value in fields.items()}

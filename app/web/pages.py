"""The pages behind a link. Looking changes nothing, however often and by whomever; only a form sent from such a page answers."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.web.bodies import body_of, read_form
from app.web.notices import notice_for, number
from app.web.showing import lead_page, ticked
from notifications.rendering import clean
from tasks import desk
from tasks.desk import ChoiceRefused, Reply, Visit
from tasks.toolbox import Toolbox

MAX_FORM_BYTES = 64_000
DEVICE_COOKIE = "baton_device"
ANSWER_COOKIE = "baton_answer"
"""Names the answer that this browser gave, so that no other one is offered to take it back."""

_YEAR_SECONDS = 365 * 24 * 60 * 60
_HOUR_SECONDS = 60 * 60
_DEVICE = re.compile(r"[A-Za-z0-9_-]{20,64}")
_CHOSEN = ("choice", "decision")
_OPEN_AGAIN = (
    "This form was not opened in this browser, or that was too long ago. Please open the link again and choose there,"
    " or choose here once more."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the link's token and its path for this browser, the browser's stable id (known: it had one before), and the
    answer it gave, 0 for none."""

    token: str
    path: str
    device: str
    known: bool
    answered: int = 0

    @classmethod
    def of(cls, request: Request, token: str, *, folder: str = "l") -> Caller:
        """The caller of this request; a browser without an id gets a new one. folder: under which the links of this kind are."""
        device, answered = request.cookies.get(DEVICE_COOKIE, ""), request.cookies.get(ANSWER_COOKIE, "")
        known = bool(_DEVICE.fullmatch(device))
        path = f"{request.scope['root_path']}/{folder}/{token}"
        return cls(token, path, device if known else secrets.token_urlsafe(24), known, number(answered))


def routes(box: Toolbox) -> APIRouter:
    """The pages of this installation."""
    router, pages = APIRouter(include_in_schema=False), LinkPages(box)
    router.add_api_route("/l/{token}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/l/{token}", pages.take, methods=["POST"], response_model=None)
    router.add_api_route("/l/{token}/undo", pages.go_back, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/l/{token}/undo", pages.undo, methods=["POST"], response_model=None)
    return router


class LinkPages:
    """What a link answers to each request. A link that is not from here raises LinkInvalid, a form too large BodyTooLarge."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """The page as it is now."""
        return await self._page(Caller.of(request, token), asked=request.query_params)

    async def go_back(self, request: Request, token: str) -> Response:
        """The page itself, for somebody who opens the address that a form was sent to."""
        return RedirectResponse(Caller.of(request, token).path, 303)

    async def take(self, request: Request, token: str) -> Response:
        """Gives the chosen answer; what is missing is said, with all that was typed kept."""
        caller, typed = Caller.of(request, token), await form_of(request)
        if not await self._is_ours(request, caller, typed):
            return await self._refused(caller, typed)
        if not typed.get("choice"):
            return await self._page(caller, status=422, typed=typed, problem="Please choose one of the answers.")
        key = hashlib.sha256(typed["nonce"].encode()).hexdigest()[:32]
        try:
            reply = await self.box.write(
                lambda session, now: desk.answer(session, token, typed["choice"], now=now, fields=_answer_fields(typed), key=key)
            )
        except ChoiceRefused as error:
            return await self._page(caller, status=422, typed=typed, problem=str(error))
        return self._left(caller, reply)

    async def undo(self, request: Request, token: str) -> Response:
        """Takes back the answer that this browser gave, while that is possible."""
        caller, typed = Caller.of(request, token), await form_of(request)
        answer_id = number(typed.get("answer_id", ""))
        if not await self._is_ours(request, caller, typed) or not answer_id or answer_id != caller.answered:
            return await self._refused(caller, {})
        undone = await self.box.write(lambda session, now: desk.undo(session, token, answer_id, now=now))
        return RedirectResponse(f"{caller.path}?{'undone' if undone else 'kept'}={answer_id}", 303)

    def _left(self, caller: Caller, reply: Reply) -> Response:
        """Where an answer leaves its visitor: on the page again, which says what came of it."""
        first = reply.winner.answer_id if reply.winner else 0
        if not reply.won:
            return RedirectResponse(f"{caller.path}?late={first}", 303)
        if not first:
            return RedirectResponse(f"{caller.path}?noted={reply.kind}", 303)
        response = RedirectResponse(f"{caller.path}?done={first}", 303)
        _set_cookie(self.box, response, ANSWER_COOKIE, str(first), caller.path, _HOUR_SECONDS)
        return response

    async def _is_ours(self, request: Request, caller: Caller, typed: Mapping[str, str]) -> bool:
        """Whether the form was sent from a page that was shown to this browser for this link. Raises LinkInvalid."""
        self.box.links.read(caller.token)
        return await is_from_page(self.box, request, caller, typed)

    async def _refused(self, caller: Caller, typed: Mapping[str, str]) -> Response:
        kept = {name: value for name, value in typed.items() if name not in _CHOSEN}
        return await self._page(caller, status=403, typed=kept, problem=_OPEN_AGAIN)

    async def _page(
        self,
        caller: Caller,
        *,
        status: int = 200,
        asked: Mapping[str, str] | None = None,
        typed: Mapping[str, str] | None = None,
        problem: str = "",
    ) -> Response:
        def look(session: Session, now: datetime) -> tuple[Visit, str]:
            seen = desk.visit(session, caller.token, now=now)
            return seen, self.box.links.nonce(caller.token, caller.device, "", now=now)

        visit, nonce = await self.box.read(look)
        notice = None if problem else notice_for(visit, asked or {}, answered=caller.answered)
        response = lead_page(visit, status=status, path=caller.path, nonce=nonce, notice=notice, typed=typed or {}, problem=problem)
        if not caller.known:
            remember_device(self.box, response, caller)
        return response


def remember_device(box: Toolbox, response: Response, caller: Caller) -> None:
    """Gives the browser its lasting id."""
    _set_cookie(box, response, DEVICE_COOKIE, caller.device, "/", _YEAR_SECONDS)


def _set_cookie(box: Toolbox, response: Response, name: str, value: str, path: str, seconds: int) -> None:
    secure = box.settings.public_url.startswith("https:")
    response.set_cookie(name, value, max_age=seconds, path=path, httponly=True, samesite="lax", secure=secure)


async def is_from_page(box: Toolbox, request: Request, caller: Caller, typed: Mapping[str, str]) -> bool:
    """Whether a form was sent from a page that was shown to this browser for this link within the last day."""
    nonce = typed.get("nonce", "")
    fits = await box.read(lambda session, now: box.links.check_nonce(nonce, caller.token, caller.device, "", now=now))
    from_here = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return fits and caller.known and from_here


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent, cleaned. Raises BodyTooLarge."""
    fields = read_form(await body_of(request, MAX_FORM_BYTES))
    return {name: clean(value) for name, value in fields.items()}


def _answer_fields(typed: Mapping[str, str]) -> dict[str, str]:
    named = {name: typed.get(name, "") for name in ("reason", "text", "colleague", "revisit_on", "renewal_date", "channel")}
    stated = {name.removeprefix("state_"): value for name, value in typed.items() if name.startswith("state_")}
    return {**stated, **named, "choice": typed.get("decision", ""), "note_wrong": ticked(typed)}

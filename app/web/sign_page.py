"""The page on which people sign a version. Looking changes nothing. A form sent from such a page signs, with a typed name and
the code from the message; another form withdraws the signature until the version is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agreements.errors import AgreementError
from app.web.callers import Caller, form_of, is_from_page, remembered
from app.web.rendering import page
from notifications.contract_page import contract_html
from tasks.replies.opened_link import OpenedLink
from tasks.signing import page as signing_page
from tasks.signing.page import ToBeSigned
from tasks.wiring.toolbox import Toolbox

NAME_MAX = 120
_OPEN_AGAIN = "You did not open this form in this browser, or you opened it too long ago. Please read it here and send it again."


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of the signing pages."""
    router, pages = APIRouter(include_in_schema=False), SignPages(box)
    router.add_api_route("/sign/{token}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/sign/{token}", pages.take, methods=["POST"], response_model=None)
    router.add_api_route("/sign/{token}/withdraw", pages.go_back, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/sign/{token}/withdraw", pages.withdraw, methods=["POST"], response_model=None)
    return router


class SignPages:
    """Answers requests to a signer's link. An unknown link raises LinkInvalid, a form too large BodyTooLarge."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """Show the contract, what changes, and the form while it can be signed."""
        return await self._page(Caller.of(request, token, folder="sign"), thanks="done" in request.query_params)

    async def take(self, request: Request, token: str) -> Response:
        """Sign with the typed name and code. A missing field is named, with what was typed kept."""
        caller, typed = Caller.of(request, token, folder="sign"), await form_of(request)
        self.box.links.read_to_sign(token)
        link = OpenedLink(self.box, token)
        if not await is_from_page(self.box, request, caller, typed):
            return await self._page(caller, status=403, typed={"name": typed.get("name", "")}, problem=_OPEN_AGAIN)
        name = " ".join(typed.get("name", "").split())
        if missing := _missing(typed, name):
            return await self._page(caller, status=422, typed=typed, problem=missing)
        try:
            refused = await self.box.write(
                lambda session, now: signing_page.sign(session, link, name, code=typed.get("code", ""), device=caller.hash, now=now)
            )
        except AgreementError as error:
            return await self._page(caller, status=409, problem=str(error))
        if refused:
            return await self._page(caller, status=422, typed={**typed, "code": ""}, problem=refused)
        return RedirectResponse(f"{caller.path}?done=1", 303)

    async def withdraw(self, request: Request, token: str) -> Response:
        """Take the signature back, with the code from the message."""
        caller, typed = Caller.of(request, token, folder="sign"), await form_of(request)
        self.box.links.read_to_sign(token)
        link = OpenedLink(self.box, token)
        if not await is_from_page(self.box, request, caller, typed):
            return await self._page(caller, status=403, problem=_OPEN_AGAIN)
        try:
            refused = await self.box.write(
                lambda session, now: signing_page.withdraw(session, link, code=typed.get("code", ""), device=caller.hash, now=now)
            )
        except AgreementError as error:
            return await self._page(caller, status=409, problem=str(error))
        return await self._page(caller, status=422, problem=refused) if refused else RedirectResponse(caller.path, 303)

    async def go_back(self, request: Request, token: str) -> Response:
        """Redirect to the page for somebody who opens the address that a form was sent to."""
        return RedirectResponse(Caller.of(request, token, folder="sign").path, 303)

    async def _page(
        self, caller: Caller, *, status: int = 200, thanks: bool = False, typed: Mapping[str, str] | None = None, problem: str = ""
    ) -> Response:
        def look(session: Session, now: datetime) -> tuple[ToBeSigned, str]:
            seen = signing_page.visit(session, OpenedLink(self.box, caller.token), now=now)
            return seen, self.box.links.nonce(caller.token, caller.hash, "", now=now)

        seen, nonce = await self.box.read(look)
        response = _shown(seen, status=status, path=caller.path, nonce=nonce, thanks=thanks, typed=typed or {}, problem=problem)
        return remembered(self.box, response, caller)


def _missing(typed: Mapping[str, str], name: str) -> str:
    if typed.get("choice") != "sign":
        return "Please tick the box to sign this version, or close this page."
    if not name:
        return "Please type your name: a signature needs one."
    return f"Please write your name in at most {NAME_MAX} characters." if len(name) > NAME_MAX else ""


def _shown(seen: ToBeSigned, *, status: int, path: str, nonce: str, thanks: bool, typed: Mapping[str, str], problem: str) -> HTMLResponse:
    return page(
        "sign.html",
        status=status,
        seen=seen,
        contract=contract_html(seen.agreement) if seen.agreement else "",
        begins=f"{seen.agreement.effective.from_:%d %B %Y}".lstrip("0") if seen.agreement else "",
        zone=seen.agreement.timezone if seen.agreement else "UTC",
        now=seen.now,
        path=path,
        nonce=nonce,
        thanks=thanks and seen.own is not None,
        typed={"name": "", **typed},
        problem=problem,
        name_max=NAME_MAX,
    )

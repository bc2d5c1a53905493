"""The page on which a manager says until when somebody is away whose mailbox answers by itself. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agreements.errors import AbsenceRefused
from app.web.callers import Caller, age_of_form, form_of, remembered, sender_of
from app.web.page_notices import number
from app.web.rendering import page
from tasks.replies import absence_page, number_check
from tasks.replies.absence_page import AwayVisit
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox

_OPEN_AGAIN = "You did not open this form in this browser, or you opened it too long ago. Please choose here again."


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of these pages. wait_id: the number of the automatic reply; a form is bound to it."""
    router, pages = APIRouter(include_in_schema=False), AwayPages(box)
    router.add_api_route("/m/{token}/away/{wait_id}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/m/{token}/away/{wait_id}", pages.take, methods=["POST"], response_model=None)
    return router


class AwayPages:
    """Answers requests. An unknown link, or one of somebody who does not decide, raises LinkInvalid; an expired link raises LinkOver."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """Show what is asked, or what was said."""
        return await self._page(_caller(request, token), done="done" in request.query_params)

    async def take(self, request: Request, token: str) -> Response:
        """Record the absence, or that the person is there. In a browser that is not known, this needs the code from the message."""
        caller, typed = _caller(request, token), await form_of(request)
        manager = absence_page.manager_of(self._link(caller))
        age = await age_of_form(self.box, request, caller, typed)
        if age is None:
            return await self._page(caller, status=403, typed=typed, problem=_OPEN_AGAIN)
        sender, link = sender_of(request, caller, age), self._link(caller)
        proof = await self.box.write(
            lambda session, now: number_check.prove(session, link, manager, typed.get("number", ""), sender=sender, now=now)
        )
        if proof.refused:
            return await self._page(caller, status=422, typed=typed, problem=proof.refused, asks_number=True)
        caller = caller.promoted() if proof.device != caller.hash else caller
        try:
            await self.box.write(lambda session, now: _do(session, link, number(caller.wait_id), typed, now))
        except AbsenceRefused as error:
            return await self._page(caller, status=422, typed=typed, problem=str(error))
        return remembered(self.box, RedirectResponse(f"{caller.path}?done=1", 303), caller)

    def _link(self, caller: Caller) -> OpenedLink:
        return OpenedLink(self.box, caller.token)

    async def _page(
        self,
        caller: Caller,
        *,
        status: int = 200,
        done: bool = False,
        typed: Mapping[str, str] | None = None,
        problem: str = "",
        asks_number: bool = False,
    ) -> Response:
        def look(session: Session, now: datetime) -> tuple[AwayVisit, str]:
            seen = absence_page.visit(session, self._link(caller), number(caller.wait_id), now=now, device=caller.hash)
            return seen, self.box.links.nonce(caller.token, caller.hash, caller.wait_id, now=now)

        seen, nonce = await self.box.read(look)
        until = (typed or {}).get("until") or (seen.until.isoformat() if seen.until else "")
        values = {"seen": seen, "nonce": nonce, "done": done, "until": until, "problem": problem, "zone": seen.zone}
        asks = asks_number or not seen.level
        response = page("away.html", status=status, path=caller.path, asks_number=asks, list=caller.path.partition("/away/")[0], **values)
        return remembered(self.box, response, caller)


def _caller(request: Request, token: str) -> Caller:
    caller = Caller.of(request, token, folder="m")
    return replace(caller, path=f"{caller.path.removesuffix(f'/{caller.wait_id}')}/away/{caller.wait_id}")


def _do(session: Session, link: OpenedLink, reply_id: int, typed: Mapping[str, str], now: datetime) -> str:
    """Do what was chosen. Raises AbsenceRefused."""
    match typed.get("choice", ""):
        case "away":
            return absence_page.record(session, link, reply_id, typed.get("until", ""), now=now)
        case "there":
            return absence_page.is_there(session, link, reply_id, now=now)
    raise AbsenceRefused("Please choose one of the answers.")

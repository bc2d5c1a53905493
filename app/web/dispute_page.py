"""The page of a dispute: marketing objects to a rejection, a manager rules on it. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.web.pages import Caller, form_of, is_from_page, remember_device
from app.web.showing import page
from notifications.links import ToDispute
from storage import disputes
from tasks import dispute, dispute_visits
from tasks.asking import ChoiceRefused
from tasks.dispute_visits import DisputeList, DisputeVisit
from tasks.toolbox import Toolbox

_OPEN_AGAIN = "This form was not opened in this browser, or that was too long ago. Please choose here once more."


def routes(box: Toolbox) -> APIRouter:
    """The dispute pages of this installation."""
    router, pages = APIRouter(include_in_schema=False), DisputePages(box)
    router.add_api_route("/q/{token}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/q/{token}", pages.take, methods=["POST"], response_model=None)
    return router


class DisputePages:
    """What a dispute's link answers. A link that is not from here raises LinkInvalid, a form too large BodyTooLarge."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """The rejection with what may be done about it now, or the list of the last week."""
        return await self._page(Caller.of(request, token, folder="q"), left=_left(request.query_params))

    async def take(self, request: Request, token: str) -> Response:
        """Stores the objection or the ruling; what is missing is said, with what was typed kept."""
        caller, typed = Caller.of(request, token, folder="q"), await form_of(request)
        asked = self.box.links.read_to_dispute(token)
        if not await is_from_page(self.box, request, caller, typed):
            return await self._page(caller, status=403, typed={"text": typed.get("text", "")}, problem=_OPEN_AGAIN)
        try:
            left = await self.box.write(lambda session, now: _do(session, asked, typed, now))
        except ChoiceRefused as refused:
            return await self._page(caller, status=422, typed=typed, problem=str(refused))
        return RedirectResponse(f"{caller.path}?left={left}", 303)

    async def _page(
        self, caller: Caller, *, status: int = 200, left: str = "", typed: Mapping[str, str] | None = None, problem: str = ""
    ) -> Response:
        def look(session: Session, now: datetime) -> tuple[DisputeVisit | DisputeList, str]:
            return dispute_visits.visit(session, caller.token, now=now), self.box.links.nonce(caller.token, caller.device, "", now=now)

        seen, nonce = await self.box.read(look)
        response = _shown(seen, status=status, path=caller.path, nonce=nonce, left=left, typed=typed or {}, problem=problem)
        if not caller.known:
            remember_device(self.box, response, caller)
        return response


def _do(session: Session, asked: ToDispute, typed: Mapping[str, str], now: datetime) -> str:
    """What the form asks for; how it was left, as a word for the address."""
    text, choice = typed.get("text", ""), typed.get("choice", "")
    if choice == "dispute":
        dispute.raise_dispute(session, asked.answer_id, asked.person, text, now=now)
        return "raised"
    row = disputes.of_answer(session, asked.answer_id)
    if row is None or choice not in dispute.RULINGS:
        raise ChoiceRefused("Please choose one of the answers.")
    return "decided" if dispute.decide(session, row.id or 0, choice, asked.person, text=text, now=now).won else "late"


def _left(asked: Mapping[str, str]) -> str:
    left = asked.get("left", "")
    return left if left in ("raised", "decided", "late") else ""


def _shown(
    seen: DisputeVisit | DisputeList, *, status: int, path: str, nonce: str, left: str, typed: Mapping[str, str], problem: str
) -> HTMLResponse:
    return page(
        "disputes.html" if isinstance(seen, DisputeList) else "dispute.html",
        status=status,
        seen=seen,
        zone=seen.timezone,
        now=seen.now,
        path=path,
        nonce=nonce,
        left=left,
        typed={"text": "", "choice": "", **typed},
        problem=problem,
        rulings=dispute.RULINGS,
    )

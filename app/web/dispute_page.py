"""The page of a dispute: marketing objects to a rejection, and a manager rules on it. Looking changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agreements.words import word
from app.web.callers import Caller, age_of_form, form_of, remembered, sender_of
from app.web.page_request_queue import SightQueue
from app.web.rendering import page
from notifications.links import ToDispute
from storage import disputes
from storage.tables import Look
from tasks.disputes import page as dispute_page
from tasks.disputes import rulings
from tasks.disputes.page import DisputeList, DisputeVisit
from tasks.replies import number_check
from tasks.replies.browsers import Sender
from tasks.replies.number_check import CodeProof
from tasks.replies.opened_link import OpenedLink
from tasks.replies.validation import ChoiceRefused
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.web")
_OPEN_AGAIN = "You did not open this form in this browser, or you opened it too long ago. Please choose here again."


def routes(box: Toolbox, sights: SightQueue) -> APIRouter:
    """Return the routes of the dispute pages."""
    router, pages = APIRouter(include_in_schema=False), DisputePages(box, sights)
    router.add_api_route("/q/{token}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/q/{token}", pages.take, methods=["POST"], response_model=None)
    return router


class DisputePages:
    """Answers requests to a dispute's link. An unknown link raises LinkInvalid, a form too large BodyTooLarge."""

    def __init__(self, box: Toolbox, sights: SightQueue) -> None:
        self.box, self.sights = box, sights

    async def show(self, request: Request, token: str) -> Response:
        """Show the rejection with the choices open now, or the list of the last week."""
        caller = Caller.of(request, token, folder="q")
        response = await self._page(caller, left=_left(request.query_params))
        await self._note(sender_of(request, caller, None), self.box.links.read_to_dispute(token), "looked")
        return response

    async def take(self, request: Request, token: str) -> Response:
        """Store the objection or the ruling. A missing field is named, with what was typed kept.

        Where a robot may have pressed, nothing is stored without the code from the message, and what is stored counts from the
        press that carried the code.
        """
        caller, typed = Caller.of(request, token, folder="q"), await form_of(request)
        asked = self.box.links.read_to_dispute(token)
        age = await age_of_form(self.box, request, caller, typed)
        sender = sender_of(request, caller, age)
        if age is None:
            await self._note(sender, asked, "refused")
            return await self._page(caller, status=403, typed={"text": typed.get("text", "")}, problem=_OPEN_AGAIN)
        proof = await self._prove(asked, typed, caller, sender)
        if proof.refused:
            await self._note(sender, asked, "refused")
            return await self._page(caller, status=422, typed=typed, problem=proof.refused, asks_number=True)
        caller = caller.promoted() if proof.device != caller.hash else caller
        sender = replace(sender, device=proof.device)
        try:
            left = await self.box.write(lambda session, now: _do(session, asked, typed, now))
        except ChoiceRefused as error:
            await self._note(sender, asked, "refused")
            return await self._page(caller, status=422, typed=typed, problem=str(error))
        await self._note(sender, asked, "sent")
        return remembered(self.box, RedirectResponse(f"{caller.path}?left={left}", 303), caller)

    async def _prove(self, asked: ToDispute, typed: Mapping[str, str], caller: Caller, sender: Sender) -> CodeProof:
        """Return the proof that says whether anything may be stored."""
        link = OpenedLink(self.box, caller.token)
        return await self.box.write(
            lambda session, now: number_check.prove(session, link, asked.person, typed.get("number", ""), sender=sender, now=now)
        )

    async def _note(self, sender: Sender, asked: ToDispute, what: Look) -> None:
        """Record the page request. No error in recording concerns the visitor."""
        try:
            request = await self.box.read(lambda session, now: dispute_page.request_for(session, asked, sender, what, now=now))
            if request is not None:
                self.sights.put(request)
        except Exception as error:
            log.warning("a request for the page of a dispute could not be kept: %s", type(error).__name__)

    async def _page(
        self,
        caller: Caller,
        *,
        status: int = 200,
        left: str = "",
        typed: Mapping[str, str] | None = None,
        problem: str = "",
        asks_number: bool = False,
    ) -> Response:
        def look(session: Session, now: datetime) -> tuple[DisputeVisit | DisputeList, str]:
            seen = dispute_page.visit(session, OpenedLink(self.box, caller.token), now=now, device=caller.hash)
            return seen, self.box.links.nonce(caller.token, caller.hash, "", now=now)

        seen, nonce = await self.box.read(look)
        response = page(
            "disputes.html" if isinstance(seen, DisputeList) else "dispute.html",
            status=status,
            seen=seen,
            zone=seen.timezone,
            now=seen.now,
            path=caller.path,
            nonce=nonce,
            left=left,
            typed={"text": "", "choice": "", **(typed or {})},
            problem=problem,
            rulings=rulings.RULINGS,
            asks_number=asks_number or (isinstance(seen, DisputeVisit) and not seen.level),
        )
        return remembered(self.box, response, caller)


def _do(session: Session, asked: ToDispute, typed: Mapping[str, str], now: datetime) -> str:
    """Do what the form asks for; return the outcome as a word for the address."""
    text, choice = typed.get("text", ""), typed.get("choice", "")
    if choice == "dispute":
        rulings.raise_dispute(session, asked.answer_id, asked.person, text, now=now)
        return "raised"
    row, ruling = disputes.of_answer(session, asked.answer_id), word(choice, rulings.RULINGS)
    if row is None or ruling is None:
        raise ChoiceRefused("Please choose one of the answers.")
    return "decided" if rulings.decide(session, row.id, ruling, asked.person, text=text, now=now).won else "late"


def _left(asked: Mapping[str, str]) -> str:
    left = asked.get("left", "")
    return left if left in ("raised", "decided", "late") else ""

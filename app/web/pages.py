"""The pages behind a link. Opening a page changes nothing. Only a form sent from such a page answers;
where a robot may have sent it, the answer needs the code from the message."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.web.callers import (
    MAX_FORM_BYTES,
    Caller,
    age_of_form,
    form_of,
    is_from_page,
    remembered,
    sender_of,
)
from app.web.page_notices import notice_for, number
from app.web.page_request_queue import PageRequestQueue
from app.web.rendering import LeadForm, lead_page, ticked
from storage.page_requests import PageRequest
from storage.tables import Look
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused, Reply, Undone, Visit
from tasks.replies.browsers import Sender, note_page_request, request_at
from tasks.replies.link_page import place_of, visit_at
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox

__all__ = ["MAX_FORM_BYTES", "Caller", "LinkPages", "form_of", "is_from_page", "remembered", "routes"]

_CHOSEN = ("choice", "decision", "member")
_OPEN_AGAIN = (
    "You did not open this form in this browser, or you opened it too long ago. Please open the link again and choose there,"
    " or choose here again."
)


def routes(box: Toolbox, requests: PageRequestQueue) -> APIRouter:
    """Return the routes of the pages behind links."""
    router = APIRouter(include_in_schema=False)
    add_link_pages(router, LinkPages(box, requests), "/l/{token}")
    return router


def add_link_pages(router: APIRouter, pages: LinkPages, path: str) -> None:
    """Serve such pages under this path: the page itself, /number for the code from the message, /undo."""
    router.add_api_route(path, pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route(path, pages.take, methods=["POST"], response_model=None)
    for part, send in (("number", pages.confirm), ("undo", pages.undo)):
        router.add_api_route(f"{path}/{part}", pages.go_back, methods=["GET", "HEAD"], response_model=None)
        router.add_api_route(f"{path}/{part}", send, methods=["POST"], response_model=None)


class LinkPages:
    """Answers each request to a link. An unknown link raises LinkInvalid, a form too large BodyTooLarge.

    folder: the path of such links.
    """

    def __init__(self, box: Toolbox, requests: PageRequestQueue, folder: str = "l") -> None:
        self.box, self.requests, self.folder = box, requests, folder

    async def show(self, request: Request, token: str) -> Response:
        """Show the page as it is now."""
        caller = Caller.of(request, token, folder=self.folder)
        return await self._page(caller, sender_of(request, caller, None), asked=request.query_params)

    async def go_back(self, request: Request, token: str) -> Response:
        """Redirect to the page for somebody who opens the address that a form was sent to."""
        return RedirectResponse(Caller.of(request, token, folder=self.folder).path, 303)

    async def take(self, request: Request, token: str) -> Response:
        """Give the chosen answer. A missing field is named, with everything typed kept."""
        caller, typed = Caller.of(request, token, folder=self.folder), await form_of(request)
        age = await self._age(request, caller, typed)
        if age is None:
            return await self._refused(request, caller, typed)
        link, sender, key = self._link(caller), sender_of(request, caller, age), hashlib.sha256(typed["nonce"].encode()).hexdigest()[:32]

        def work(session: Session, now: datetime) -> Reply:
            fields, digits = _answer_fields(typed), typed.get("number", "")
            sent = answering.SentForm(answering.kind_of(typed["choice"]), fields, key=key, number=digits)
            reply = answering.answer(session, link, sent, now=now, sender=sender)
            here = replace(sender, device=sender.becomes) if reply.promoted else sender
            what: Look = "refused" if reply.refused else "held" if reply.held else "sent"
            note_page_request(session, place_of(session, link, now=now), here, what, now=now)
            return reply

        try:
            if not typed.get("choice"):
                raise ChoiceRefused("Please choose one of the answers.")
            reply = await self.box.write(work)
        except ChoiceRefused as error:
            return await self._page(caller, sender, status=422, typed=typed, problem=str(error))
        if reply.needs_number:
            return await self._page(caller, None, status=422, typed=typed, problem=reply.refused, needs_number=True)
        return remembered(self.box, self._left(caller, reply), caller.promoted() if reply.promoted else caller)

    async def confirm(self, request: Request, token: str) -> Response:
        """Let the answer that this browser sent count, if the code is the one from the message."""
        caller, typed = Caller.of(request, token, folder=self.folder), await form_of(request)
        age, answer_id = await self._age(request, caller, typed), number(typed.get("answer_id", ""))
        if age is None:
            return await self._refused(request, caller, {})
        link, sender = self._link(caller), sender_of(request, caller, age)

        def work(session: Session, now: datetime) -> Reply:
            digits = typed.get("number", "")
            reply = answering.confirm(session, link, answer_id, digits, now=now, sender=sender)
            place = place_of(session, link, now=now)
            here = replace(sender, device=sender.becomes) if reply.promoted else sender
            note_page_request(session, place, here, "refused" if reply.refused else "confirmed", now=now)
            return reply

        try:
            reply = await self.box.write(work)
        except ChoiceRefused as error:
            return await self._page(caller, sender, status=422, problem=str(error))
        if reply.refused:
            return await self._page(caller, None, status=422, problem=reply.refused)
        return remembered(self.box, self._left(caller, reply), caller.promoted() if reply.promoted else caller)

    async def undo(self, request: Request, token: str) -> Response:
        """Take back the answer that this browser gave, while that is possible."""
        caller, typed = Caller.of(request, token, folder=self.folder), await form_of(request)
        age, answer_id = await self._age(request, caller, typed), number(typed.get("answer_id", ""))
        if age is None or not answer_id:
            return await self._refused(request, caller, {})
        link, sender = self._link(caller), sender_of(request, caller, age)

        def work(session: Session, now: datetime) -> Undone:
            undone = answering.undo(session, link, answer_id, now=now, device=caller.hash)
            if not undone.stranger:
                note_page_request(session, place_of(session, link, now=now), sender, "sent", now=now)
            return undone

        undone = await self.box.write(work)
        if undone.stranger:
            return await self._refused(request, caller, {})
        return RedirectResponse(f"{caller.path}?{'undone' if undone.taken_back else 'kept'}={answer_id}", 303)

    def _left(self, caller: Caller, reply: Reply) -> Response:
        """Send the visitor to the page again, which shows the result of the answer, or asks for the code."""
        first = reply.winner.answer_id if reply.winner else 0
        if reply.held:
            return RedirectResponse(f"{caller.path}?held={reply.held}", 303)
        if not reply.won:
            return RedirectResponse(f"{caller.path}?late={first}", 303)
        if not first:
            return RedirectResponse(f"{caller.path}?noted={reply.kind}", 303)
        return RedirectResponse(f"{caller.path}?done={first}", 303)

    async def _age(self, request: Request, caller: Caller, typed: Mapping[str, str]) -> timedelta | None:
        """Return how long ago this browser was shown the form for this link, None where it was not. Raises LinkInvalid."""
        self._read(caller)
        return await age_of_form(self.box, request, caller, typed)

    def _link(self, caller: Caller) -> OpenedLink:
        return OpenedLink(self.box, caller.token, caller.wait_id)

    def _read(self, caller: Caller) -> None:
        if caller.wait_id:
            self.box.links.read_person(caller.token)
        else:
            self.box.links.read(caller.token)

    async def _refused(self, request: Request, caller: Caller, typed: Mapping[str, str]) -> Response:
        kept = {name: value for name, value in typed.items() if name not in _CHOSEN}
        return await self._page(caller, sender_of(request, caller, None), status=403, typed=kept, problem=_OPEN_AGAIN)

    async def _page(
        self,
        caller: Caller,
        sender: Sender | None,
        *,
        status: int = 200,
        asked: Mapping[str, str] | None = None,
        typed: Mapping[str, str] | None = None,
        problem: str = "",
        needs_number: bool = False,
    ) -> Response:
        """Return the page, and record that it was asked for. sender: None where the request is recorded already."""

        def look(session: Session, now: datetime) -> tuple[Visit, PageRequest | None, str]:
            place = place_of(session, self._link(caller), now=now)
            seen = visit_at(session, place, now=now, device=caller.hash)
            to_record = request_at(session, place, sender, "refused" if problem else "looked", now=now) if sender else None
            return seen, to_record, self.box.links.nonce(caller.token, caller.hash, caller.wait_id, now=now)

        asked = asked or {}
        visit, to_record, nonce = await self.box.read(look)
        notice = None if problem else notice_for(visit, asked)
        asks_number = visit.held is not None and notice is None and "anew" not in asked and not typed
        form = LeadForm(status, nonce, notice, typed or {}, problem, asks_number, needs_number)
        response = remembered(self.box, lead_page(visit, caller, form), caller)
        if to_record:
            self.requests.put(to_record)
        return response


def _answer_fields(typed: Mapping[str, str]) -> dict[str, str]:
    asked = ("reason", "text", "colleague", "revisit_on", "renewal_date", "into", "refused", "channel", "member")
    named = {name: typed.get(name, "") for name in asked}
    stated = {name.removeprefix("state_"): value for name, value in typed.items() if name.startswith("state_")}
    return {**stated, **named, "choice": typed.get("decision", ""), "note_wrong": ticked(typed)}

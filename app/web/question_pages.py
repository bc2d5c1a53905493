"""Pages that ask the person of a link one question beside the list of their waits. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agreements.errors import HandoffError
from agreements.words import NoWord
from app.web.callers import Caller, age_of_form, form_of, remembered, sender_of
from app.web.rendering import page
from storage.tables import Level
from tasks.replies import number_check
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox

_OPEN_AGAIN = "You did not open this form in this browser, or you opened it too long ago. Please choose here again."


class Asked(Protocol):
    """The content of such a page. level: of the browser for the person; zone: the person's."""

    @property
    def zone(self) -> str: ...

    @property
    def level(self) -> Level | NoWord: ...


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of question. folder: its part of the path; template: the page; visit: reads the content of the page for the ident at
    the end of the path and the browser's hash; do: carries out what was typed; refused: the error that `do` raises for what
    cannot be done; values: more for the template, from the content and what was typed."""

    folder: str
    template: str
    visit: Callable[[Session, OpenedLink, str, datetime, str], Asked]
    do: Callable[[Session, OpenedLink, str, Mapping[str, str], datetime], object]
    refused: type[HandoffError]
    values: Callable[[Any, Mapping[str, str]], Mapping[str, object]] = lambda seen, typed: {}


def routes(box: Toolbox, question: Question) -> APIRouter:
    """Return the routes of these pages. The last part of the path names what is asked about; a form is bound to it."""
    router, pages = APIRouter(include_in_schema=False), QuestionPages(box, question)
    path = f"/m/{{token}}/{question.folder}/{{wait_id}}"
    router.add_api_route(path, pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route(path, pages.take, methods=["POST"], response_model=None)
    return router


class QuestionPages:
    """Answers requests. An unknown link, or one of somebody who is not asked, raises LinkInvalid; an expired link raises LinkOver."""

    def __init__(self, box: Toolbox, question: Question) -> None:
        self.box, self.question = box, question

    async def show(self, request: Request, token: str) -> Response:
        """Show what is asked, or what was said."""
        return await self._page(self._caller(request, token), done="done" in request.query_params)

    async def take(self, request: Request, token: str) -> Response:
        """Carry out what was chosen. In a browser that is not known, this needs the code from the message."""
        caller, typed = self._caller(request, token), await form_of(request)
        person = self._link(caller).links.read_person(token).person
        age = await age_of_form(self.box, request, caller, typed)
        if age is None:
            return await self._page(caller, status=403, typed=typed, problem=_OPEN_AGAIN)
        sender, link = sender_of(request, caller, age), self._link(caller)
        proof = await self.box.write(
            lambda session, now: number_check.prove(session, link, person, typed.get("number", ""), sender=sender, now=now)
        )
        if proof.refused:
            return await self._page(caller, status=422, typed=typed, problem=proof.refused, asks_number=True)
        caller = caller.promoted() if proof.device != caller.hash else caller
        try:
            await self.box.write(lambda session, now: self.question.do(session, link, caller.wait_id, typed, now))
        except self.question.refused as error:
            return await self._page(caller, status=422, typed=typed, problem=str(error))
        return remembered(self.box, RedirectResponse(f"{caller.path}?done=1", 303), caller)

    def _link(self, caller: Caller) -> OpenedLink:
        return OpenedLink(self.box, caller.token)

    def _caller(self, request: Request, token: str) -> Caller:
        caller = Caller.of(request, token, folder="m")
        return replace(caller, path=f"{caller.path.removesuffix(f'/{caller.wait_id}')}/{self.question.folder}/{caller.wait_id}")

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
        def look(session: Session, now: datetime) -> tuple[Asked, str]:
            seen = self.question.visit(session, self._link(caller), caller.wait_id, now, caller.hash)
            return seen, self.box.links.nonce(caller.token, caller.hash, caller.wait_id, now=now)

        seen, nonce = await self.box.read(look)
        values = {"seen": seen, "nonce": nonce, "done": done, "problem": problem, "zone": seen.zone}
        values |= self.question.values(seen, typed or {})
        back = caller.path.partition(f"/{self.question.folder}/")[0]
        asks = asks_number or not seen.level
        response = page(self.question.template, status=status, path=caller.path, asks_number=asks, list=back, **values)
        return remembered(self.box, response, caller)

"""A person's own page in an enrolled browser: how to enrol it, the person's open tasks, and how to forget the browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agreements.errors import LinkError
from app.web.callers import Caller, age_of_form, form_of, is_from_page, remembered
from app.web.rendering import page
from notifications.links import Links
from storage import devices, roster
from storage.devices import ENROLLED
from tasks.replies import enrolment
from tasks.replies.enrolment import CodeRefused
from tasks.replies.lead_overview import reader_of
from tasks.replies.link_page import place_of
from tasks.replies.opened_link import OpenedLink
from tasks.replies.overseen_lead import LEADS
from tasks.replies.work_list import Row, own_list
from tasks.wiring.toolbox import Toolbox

ME = "me"
_OPEN_AGAIN = "You did not open this form in this browser, or you opened it too long ago. Please send it again from here."


@dataclass(frozen=True, slots=True)
class Mine:
    """What the page shows. people: those for whom the browser is enrolled, each with a list; known: for whom it is at least known."""

    people: tuple[tuple[str, str, tuple[Row, ...]], ...]
    known: tuple[str, ...]
    code_asked_of: str
    zone: str
    now: datetime


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of the own page."""
    router, pages = APIRouter(include_in_schema=False), MePages(box)
    router.add_api_route("/me", pages.show, methods=["GET", "HEAD"], response_model=None)
    for part, send in (("enrol", pages.enrol), ("code", pages.code), ("forget", pages.forget)):
        router.add_api_route(f"/me/{part}", pages.go_back, methods=["GET", "HEAD"], response_model=None)
        router.add_api_route(f"/me/{part}", send, methods=["POST"], response_model=None)
    return router


class MePages:
    """Answers requests to the own page. Looking changes nothing."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request) -> Response:
        """Show the list, the question for the code, or how to get there."""
        return await self._page(self._caller(request))

    async def go_back(self, request: Request) -> Response:
        """Redirect to the page for somebody who opens the address that a form was sent to."""
        return RedirectResponse(self._caller(request).path, 303)

    async def enrol(self, request: Request) -> Response:
        """Mail a code to the person whose page sent this form."""
        typed = await form_of(request)
        wait_id, caller = typed.get("wait_id", ""), self._caller(request)
        sent_from = Caller(typed.get("token", ""), caller.path, caller.device, caller.known, wait_id=wait_id)
        if await age_of_form(self.box, request, sent_from, typed) is None:
            return await self._page(caller, status=403, problem=_OPEN_AGAIN)

        def work(session: Session, now: datetime) -> None:
            enrolment.ask(session, _whose(session, OpenedLink(self.box, sent_from.token, wait_id), now), caller.hash, now=now)

        try:
            await self.box.write(work)
        except (CodeRefused, LinkError) as error:
            return await self._page(caller, status=422, problem=str(error))
        return RedirectResponse(caller.path, 303)

    async def code(self, request: Request) -> Response:
        """Enrol this browser, if the code is the one that was mailed."""
        caller, typed = self._caller(request), await form_of(request)
        if not await is_from_page(self.box, request, caller, typed):
            return await self._page(caller, status=403, problem=_OPEN_AGAIN)
        links, code, becomes = self.box.links, typed.get("code", ""), devices.hash_of(caller.next_device)
        refused = await self.box.write(lambda session, now: enrolment.enter(session, links, caller.hash, code, now=now, becomes=becomes))
        if refused:
            return await self._page(caller, status=422, problem=refused)
        return remembered(self.box, RedirectResponse(caller.path, 303), caller.promoted())

    async def forget(self, request: Request) -> Response:
        """Forget this browser, so that it belongs to nobody again."""
        caller, typed = self._caller(request), await form_of(request)
        if not await is_from_page(self.box, request, caller, typed):
            return await self._page(caller, status=403, problem=_OPEN_AGAIN)

        def work(session: Session, now: datetime) -> None:
            for row in devices.of_person(session, now=now):
                if row.hash == caller.hash:
                    devices.forget(session, row, now=now)

        await self.box.write(work)
        return RedirectResponse(caller.path, 303)

    def _caller(self, request: Request) -> Caller:
        seen = Caller.of(request, ME)
        return Caller(ME, f"{request.scope['root_path']}/me", seen.device, seen.known, next_device=seen.next_device)

    async def _page(self, caller: Caller, *, status: int = 200, problem: str = "") -> Response:
        def look(session: Session, now: datetime) -> tuple[Mine, str]:
            return _mine(session, self.box.links, caller.hash, now), self.box.links.nonce(ME, caller.hash, "", now=now)

        mine, nonce = await self.box.read(look)
        response = page(
            "me.html", status=status, mine=mine, path=caller.path, nonce=nonce, problem=problem, zone=mine.zone, now=mine.now, soon=_SOON
        )
        return remembered(self.box, response, caller)


_SOON = timedelta(hours=1)


def _whose(session: Session, link: OpenedLink, now: datetime) -> str:
    """Return the person of the page from which the form came: the page of all open leads, or one that takes answers."""
    return reader_of(session, link, now=now)[0] if link.wait_id == LEADS else place_of(session, link, now=now).person


def _mine(session: Session, links: Links, device: str, now: datetime) -> Mine:
    people = roster.current(session)
    enrolled = [ident for ident in devices.people_of(session, device, now=now, level=ENROLLED) if people.person(ident)]
    asked, first = enrolment.pending(session, device, now=now), people.person(enrolled[0]) if enrolled else None
    return Mine(
        people=tuple((ident, people.name_of(ident), tuple(own_list(session, links, ident, now=now))) for ident in enrolled),
        known=tuple(people.name_of(ident) for ident in devices.people_of(session, device, now=now)),
        code_asked_of=people.name_of(asked.person) if asked else "",
        zone=first.timezone if first else "UTC",
        now=now,
    )

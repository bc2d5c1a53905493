"""The page of a manager: everything that waits in their teams, each answered as in Prefect's forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from agreements import presence
from agreements.errors import LinkInvalid
from app.web.callers import Caller, remembered
from app.web.page_request_queue import PageRequestQueue
from app.web.pages import LinkPages, add_link_pages
from app.web.rendering import page
from notifications.prefect_window import window_links
from storage import roster
from tasks.replies.absence_page import perhaps_away
from tasks.replies.lead_overview import oversees
from tasks.replies.link_life import require_good
from tasks.replies.twins_page import perhaps_one_person
from tasks.replies.work_list import list_for
from tasks.wiring.toolbox import Toolbox


def routes(box: Toolbox, requests: PageRequestQueue) -> APIRouter:
    """Return the routes of the managers' pages: the list, and one page for each entry."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/m/{token}", ManagerPage(box).show, methods=["GET", "HEAD"], response_model=None)
    add_link_pages(router, LinkPages(box, requests, "m"), "/m/{token}/{wait_id}")
    return router


class ManagerPage:
    """The list. An unknown link, or one of a person who left, raises LinkInvalid; an expired link raises
    LinkOver."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """Show what waits now. Looking changes nothing."""
        caller = Caller.of(request, token, folder="m")

        def look(session: Session, now: datetime) -> tuple[str, dict[str, Any]]:
            own, people = self.box.links.read_person(token), roster.current(session)
            require_good(session, people, own.person, own.at, now=now, opens_many=True)
            ident, person = own.person, people.person(own.person)
            if person is None:
                raise LinkInvalid()
            folder = f"{request.scope['root_path']}/m"
            return person.timezone, {
                "reader": person.name,
                "away": perhaps_away(session, people, ident, now=now),
                "twins": perhaps_one_person(session, people, ident, now=now),
                "list": list_for(session, ident, token=token, folder=folder, now=now),
                "overview": oversees(people, ident, now),
                "window": window_links(self.box.settings.prefect_window, ident) if presence.decides_for_others(people, ident, now) else (),
                "now": now,
            }

        zone, shown = await self.box.read(look)
        return remembered(self.box, page("mine.html", path=caller.path, zone=zone, **shown), caller)

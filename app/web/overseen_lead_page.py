"""The page of one lead, for people of marketing and for managers. The lists of their pages and the review's page lead to it."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agreements.errors import LinkInvalid
from agreements.time_shares import time_shares
from app.web.callers import Caller, remembered
from app.web.rendering import page, plain
from tasks.replies.opened_link import OpenedLink
from tasks.replies.overseen_lead import IN_OWN_BROWSER, LEADS, OverseenLead, link_in_own_browser, overseen_lead
from tasks.wiring.toolbox import Toolbox

_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
#: How to open a lead from an address that is the same for everybody.
_HOW = (
    "This address opens a lead for marketing, and for the manager of the lead's rep, in a browser that is remembered as theirs.",
    "To get there, open the link to all open leads in one of your messages and type its code. The page then offers to remember this "
    "browser as yours. Then open this address again.",
)


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of the page: behind a person's link, and the one that leads a remembered browser there."""
    router = APIRouter(include_in_schema=False)
    pages = OverseenLeadPage(box)
    router.add_api_route(f"/m/{{token}}/{LEADS}/{{number}}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route(f"/{IN_OWN_BROWSER}/{{number}}", pages.find, methods=["GET", "HEAD"], response_model=None)
    return router


class OverseenLeadPage:
    """Answers requests. An unknown link or lead, or a lead of other people, raises LinkInvalid; an expired link raises LinkOver."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str, number: str) -> Response:
        """Show the lead, without names in a browser that is not known as the reader's."""
        caller, lead = Caller.of(request, token, folder="m"), _lead(number)

        def look(session: Session, now: datetime) -> OverseenLead:
            return overseen_lead(session, OpenedLink(self.box, token), lead, now=now, device=caller.hash)

        seen = await self.box.read(look)
        overview = f"{caller.path}/{LEADS}"
        shares = time_shares(seen.time_parts)
        shown = page("overseen_lead.html", seen=seen, zone=seen.zone, now=seen.now, overview=overview, time_shares=shares)
        return remembered(self.box, shown, caller)

    async def find(self, request: Request, number: str) -> Response:
        """Lead a browser that is remembered as the reader's to the page. Any other one is told how to get there, whatever the lead."""
        device, lead = Caller.of(request, IN_OWN_BROWSER).hash, _lead(number)
        link = await self.box.read(lambda session, now: link_in_own_browser(session, self.box.links, lead, now=now, device=device))
        return RedirectResponse(urlsplit(link).path, 303) if link else plain(f"Lead {lead}", *_HOW, status=403)


def _lead(number: str) -> int:
    if not _NUMBER.fullmatch(number):
        raise LinkInvalid()
    return int(number)

"""The page of one lead, for people of marketing and for managers. The lists of their pages and the review's page lead to it."""

from __future__ import annotations

import re
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from agreements.errors import LinkInvalid
from agreements.time_shares import time_shares
from app.web.callers import Caller, remembered
from app.web.rendering import page
from tasks.replies.opened_link import OpenedLink
from tasks.replies.overseen_lead import LEADS, OverseenLead, overseen_lead
from tasks.wiring.toolbox import Toolbox

_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


def routes(box: Toolbox) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(f"/m/{{token}}/{LEADS}/{{number}}", OverseenLeadPage(box).show, methods=["GET", "HEAD"], response_model=None)
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


def _lead(number: str) -> int:
    if not _NUMBER.fullmatch(number):
        raise LinkInvalid()
    return int(number)

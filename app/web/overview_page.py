"""The page with an overview of the open leads, for people of marketing and for managers. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agreements.lifecycle import OPEN_STAGES
from agreements.time_shares import so_far, time_shares
from app.review.wording import AIMS
from app.web.callers import Caller, age_of_form, form_of, remembered, sender_of
from app.web.rendering import page
from notifications.plain_text import clean
from notifications.prefect_window import window_links
from notifications.rendering import label
from tasks.replies import number_check
from tasks.replies.lead_overview import Overview, overview
from tasks.replies.opened_link import OpenedLink
from tasks.replies.overseen_lead import LEADS
from tasks.wiring.toolbox import Toolbox

#: What a reader may choose, and the longest choice that is read.
CHOICES, LONGEST = ("stage", "campaign", "source", "rep", "month", "after"), 500
_OPEN_AGAIN = "You did not open this form in this browser, or you opened it too long ago. Please type the code here again."


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of the overview. They come before those of a manager's page, whose last part may be anything."""
    router, pages = APIRouter(include_in_schema=False), OverviewPages(box)
    router.add_api_route(f"/m/{{token}}/{LEADS}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route(f"/m/{{token}}/{LEADS}", pages.know, methods=["POST"], response_model=None)
    return router


class OverviewPages:
    """Answers requests. An unknown link, or one of somebody who oversees nobody, raises LinkInvalid; an expired link raises LinkOver."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """Show the leads that were asked for, without names in a browser that is not known as the reader's."""
        return await self._page(_caller(request, token), _asked(request))

    async def know(self, request: Request, token: str) -> Response:
        """Make the browser known, if the code is the one from the message."""
        caller, typed, asked = _caller(request, token), await form_of(request), _asked(request)
        person, link = self.box.links.read_person(token).person, OpenedLink(self.box, token)
        age = await age_of_form(self.box, request, caller, typed)
        if age is None:
            return await self._page(caller, asked, status=403, problem=_OPEN_AGAIN)
        sender = sender_of(request, caller, age)

        def prove(session: Session, now: datetime) -> number_check.CodeProof:
            overview(session, link, {}, now=now, device=caller.hash)  # a link that shows nothing makes no browser known
            return number_check.prove(session, link, person, typed.get("number", ""), sender=sender, now=now)

        proof = await self.box.write(prove)
        if proof.refused:
            return await self._page(caller, asked, status=422, problem=proof.refused)
        caller = caller.promoted() if proof.device != caller.hash else caller
        return remembered(self.box, RedirectResponse(_address(caller.path, asked), 303), caller)

    async def _page(self, caller: Caller, asked: Mapping[str, str], *, status: int = 200, problem: str = "") -> Response:
        def look(session: Session, now: datetime) -> tuple[Overview, str]:
            seen = overview(session, OpenedLink(self.box, caller.token), asked, now=now, device=caller.hash)
            return seen, self.box.links.nonce(caller.token, caller.hash, LEADS, now=now)

        seen, nonce = await self.box.read(look)
        path = caller.path
        response = page(
            "overview.html",
            status=status,
            seen=seen,
            zone=seen.zone,
            now=seen.now,
            path=path,
            here=_address(path, asked),
            list=path.removesuffix(f"/{LEADS}"),
            following=_address(path, {**seen.asked, "after": seen.following}) if seen.following else "",
            first=_address(path, seen.asked) if asked.get("after") else "",
            of_stage={stage: _address(path, {**seen.asked, "stage": stage}) for stage, _ in seen.stages},
            choices=_choices(seen),
            so_far=so_far,
            aims=AIMS,
            time_shares=time_shares(seen.kept.time_parts),
            window=window_links(self.box.settings.prefect_window, seen.person) if seen.decides else (),
            nonce=nonce,
            token=caller.token,
            wait_id=caller.wait_id,
            base=path.rpartition(f"/m/{caller.token}")[0],
            problem=problem,
        )
        return remembered(self.box, response, caller)


def _choices(seen: Overview) -> dict[str, list[tuple[str, str]]]:
    """Return what each filter offers, as value and words."""
    return {
        "stage": [(stage, label(stage)) for stage in OPEN_STAGES],
        "campaign": [(name, name) for name in seen.campaigns],
        "source": [(name, name) for name in seen.sources],
        "rep": list(seen.reps),
        "month": [(month, month) for month in seen.months],
    }


def _caller(request: Request, token: str) -> Caller:
    caller = Caller.of(request, token, folder="m")
    return replace(caller, path=f"{caller.path}/{LEADS}", wait_id=LEADS)


def _asked(request: Request) -> dict[str, str]:
    return {name: clean(request.query_params.get(name, ""))[:LONGEST] for name in CHOICES}


def _address(path: str, asked: Mapping[str, str]) -> str:
    chosen = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(chosen)}" if chosen else path

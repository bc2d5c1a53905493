"""POST /hooks/crm: the CRM says that something has changed there. Baton reads the CRM at the clock's next tick, and believes only that."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.signatures import webhooks
from app.signatures.webhooks import SentRequest
from app.signatures.wrong import SignatureWrong
from app.web.bodies import BodyTooLarge, body_of
from app.web.callers import public_address
from app.web.intake import Refused, caller
from storage import door_days, kept_payloads
from storage.keys import Scope
from tasks.background.read_crm import read_soon
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.web.crm")
MAX_BYTES = 1_000_000
#: The name under which refused calls are counted.
DOOR = "crm-hook"
_BEARER = HTTPBearer(auto_error=False, description="A key of this installation. Your operator makes it.")


def routes(box: Toolbox, *, real_time: Callable[[], float]) -> APIRouter:
    """Return the route. real_time: the clock by which HubSpot signs, in seconds."""
    router = APIRouter(include_in_schema=False)

    @router.post("/hooks/crm", status_code=202)
    async def take_in(request: Request, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> JSONResponse:
        """Asks for a reading. 401, and nothing stored but a count, for a call without HubSpot's signature or a key with the scope crm."""
        try:
            mark = await _checked(box, request, given, real_time)
        except Refused as refused:
            await box.write(lambda session, now: door_days.add(session, DOOR, {"refused": 1}, now=now))
            return refused.answer
        await box.write(lambda session, now: _ask(session, mark, now))
        return JSONResponse({"result": "reading soon"}, status_code=202)

    return router


def _ask(session: Session, mark: str, now: datetime) -> None:
    read_soon(session, now=now)
    if mark:
        kept_payloads.remember(session, mark, now=now)


async def _checked(box: Toolbox, request: Request, given: HTTPAuthorizationCredentials | None, real_time: Callable[[], float]) -> str:
    """Return the mark of HubSpot's signature, empty for a call with a key. Raises Refused."""
    if given is not None:
        await caller(box, given, Scope.CRM)
        return ""
    try:
        body = await body_of(request, MAX_BYTES)
    except BodyTooLarge as error:
        raise Refused(413, str(error)) from error
    sent = SentRequest(body, {one.lower(): value for one, value in request.headers.items()}, public_address(box, request), request.method)
    try:
        mark = f"{DOOR}:{webhooks.check('hubspot-v3', sent, box.settings.crm_hook_secret, now=real_time())}"
    except SignatureWrong as error:
        log.warning("a call to /hooks/crm was refused: %s", error)
        raise Refused(401, "The signature, its time, or the key is wrong.") from error
    if await box.read(lambda session, now: kept_payloads.was_seen(session, mark)):
        raise Refused(401, "This very request was taken before. Its sender signs each try anew, with the time of the try.")
    return mark

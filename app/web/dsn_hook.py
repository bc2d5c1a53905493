"""Takes returned mail: a mail server sends mail for the bounce address to POST /hooks/dsn."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.web.bodies import BodyTooLarge, body_of
from app.web.intake import Refused, caller
from notifications import bounces
from storage.keys import Scope
from tasks.background.bounces import AWAY, COMPLAINED, DOUBTFUL, NOTED, REPEATED, take
from tasks.wiring.toolbox import Toolbox

_BEARER = HTTPBearer(auto_error=False, description="A key of this installation. Your operator makes it.")
_KINDS = ("message/rfc822", "message/global")


def routes(box: Toolbox) -> APIRouter:
    """Return the route for returned mail."""
    router = APIRouter(include_in_schema=False)

    @router.post("/hooks/dsn", status_code=202)
    async def take_in(request: Request, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> JSONResponse:
        """Takes one raw message (RFC 5322). `result` says what it was. The same bounce, complaint or automatic reply twice counts once."""
        try:
            await caller(box, given, Scope.DSN)
            raw = await _message(request)
        except Refused as refused:
            return refused.answer
        try:
            returned = await asyncio.to_thread(bounces.read, raw)
        except bounces.UnreadableMessage as error:
            return JSONResponse({"result": "unreadable", "problem": f"This is no message: {error}."})
        result = await box.write(lambda session, now: take(session, returned, box.links, now=now))
        return JSONResponse({"result": result}, status_code=202 if result in (NOTED, REPEATED, AWAY, COMPLAINED, DOUBTFUL) else 200)

    return router


async def _message(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise Refused(415, "Send the message as it came, with the header `Content-Type: message/rfc822`.")
    try:
        return await body_of(request, bounces.MAX_BYTES)
    except BodyTooLarge as error:
        raise Refused(413, f"{error} A returned message is shorter than that.") from error

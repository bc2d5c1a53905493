"""The intake API: POST /api/leads takes one lead or up to a thousand at once, and refuses unreadable parts with their place."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request
from starlette.responses import JSONResponse

from agreements.lead import IncomingLead
from app.intake_doors import taking
from app.web.bodies import BodyTooLarge, NotJson, body_of, read_json
from storage import keys
from storage.keys import Scope
from tasks.wiring.toolbox import Toolbox

MAX_BYTES = 1_000_000
MAX_LEADS = 1_000
_BEARER = HTTPBearer(auto_error=False, description="A key of this installation. Your operator makes it.")


class Refused(Exception):
    """A refused call; `answer` says why."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        self.answer = JSONResponse({"error": error}, status_code=status, headers=headers)


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of the intake."""
    router = APIRouter(tags=["intake"])

    @router.post("/api/leads", status_code=201, summary="Take in leads", openapi_extra=_BODY, responses=ANSWERS)
    async def take_in(request: Request, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> JSONResponse:
        """Takes one lead (an object) or several (a list).

        `source` and `source_id` name the lead, unless the e-mail address or the name is another person's. `conversion_id` names what
        the lead did: the same id twice changes nothing, a new id adds an activity. Each lead of a list is judged alone, and the good
        ones go in. A list of which none went in is answered with 422.
        """
        try:
            actor = await caller(box, given, Scope.INTAKE)
            value = await _json(request)
            if isinstance(value, list):
                return await _take_many(box, value, actor)
            status, said = await _take(box, value, actor)
            return JSONResponse(said, status_code=status)
        except Refused as refused:
            return refused.answer

    return router


async def caller(box: Toolbox, given: HTTPAuthorizationCredentials | None, scope: Scope) -> str:
    """Return the name of the caller's key. Raises Refused for no key, one that does not work, or one with another scope."""
    row = await box.read(lambda session, now: keys.verify(session, given.credentials)) if given else None
    if row is None:
        raise Refused(401, "Send a key that works, as the header `Authorization: Bearer KEY`.", **{"WWW-Authenticate": "Bearer"})
    if not keys.may(row, scope):
        remedy = f"Your operator makes one with `baton keys create NAME --scope {scope}`."
        raise Refused(403, f"This key has the wrong scope. Send a key with the scope {scope}. {remedy}")
    return f"api:{row.name}"


async def _json(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "Send JSON, with the header `Content-Type: application/json`.")
    try:
        return read_json(await body_of(request, MAX_BYTES))
    except BodyTooLarge as error:
        raise Refused(413, f"{error} Send the leads in several calls.") from error
    except NotJson as error:
        raise Refused(400, str(error)) from error


async def _take_many(box: Toolbox, items: list[Any], actor: str) -> JSONResponse:
    if len(items) > MAX_LEADS:
        raise Refused(422, f"You sent {len(items):,} leads. At most {MAX_LEADS:,} are taken at once. Send them in several calls.")
    results = []
    for item in items:
        status, said = await _take(box, item, actor)
        results.append({"status": status, **said})
    return JSONResponse({"results": results}, status_code=_status_of_list([one["status"] for one in results]))


def _status_of_list(statuses: list[int]) -> int:
    """Return 422 where nothing of a list was taken, so that a sender that looks at the status alone sends it again."""
    return 422 if statuses and min(statuses) >= 400 else 200


async def _take(box: Toolbox, item: Any, actor: str) -> tuple[int, dict[str, Any]]:
    return await asyncio.to_thread(taking.take_in, box, item, actor=actor)


def _inlined(schema: Any, defined: Any = None) -> Any:
    """Return the schema without references: inside a description of the whole API they would not lead to the schema's own parts."""
    defined = schema.get("$defs", {}) if defined is None else defined
    if isinstance(schema, list):
        return [_inlined(one, defined) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return _inlined(defined[str(reference).rpartition("/")[2]], defined)
    return {name: _inlined(one, defined) for name, one in schema.items() if name != "$defs"}


_LEAD = _inlined(IncomingLead.model_json_schema())
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"anyOf": [_LEAD, {"type": "array", "items": _LEAD, "maxItems": MAX_LEADS}]}}},
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A known lead: result is activity, merged or repeated. A list: results, with a status for each."
        " notes, here and with 201: what went in and is not clear, such as a country."
    },
    201: {"description": "A new handoff started: lead and handoff are its numbers, result is new."},
    400: {"description": "Not readable; error says where."},
    401: {"description": "No key, or one that does not work."},
    403: {"description": "The key has another scope; error names the scope that is needed."},
    413: {"description": f"More than {MAX_BYTES:,} bytes."},
    415: {"description": "Not JSON."},
    422: {
        "description": "The lead has mistakes: problems names each field and what to write instead."
        " A list of which no lead went in: results, as with 200."
    },
}

"""Takes confirmations of the marketing automation: POST /api/nurture says what became of an enrolment."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.intake_doors.taking import problems_of
from app.web.bodies import BodyTooLarge, NotJson, body_of, read_json
from app.web.intake import Refused, caller
from storage import enrolments
from storage.keys import Scope
from tasks.background.enrolments import Confirmed, confirm, refuse
from tasks.wiring.toolbox import Toolbox

MAX_BYTES = 10_000
_BEARER = HTTPBearer(auto_error=False, description="A key of this installation. Your operator makes it.")


class Said(BaseModel):
    """What became of one enrolment. key: as Baton sent it. error: why it was refused, without the person's data."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str = Field(min_length=1, max_length=80)
    result: Literal["confirmed", "refused"]
    error: str = Field(default="", max_length=500)


def routes(box: Toolbox) -> APIRouter:
    """Return the route for confirmations."""
    router = APIRouter(tags=["nurture"])

    @router.post("/api/nurture", summary="Confirm an enrolment", include_in_schema=False)
    async def take_in(request: Request, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> JSONResponse:
        """Takes one confirmation or refusal. The same one twice changes nothing. A key that is no longer the newest changes nothing."""
        try:
            by = await caller(box, given, Scope.INTAKE)
            said = Said.model_validate(await _json(request))
        except Refused as refused:
            return refused.answer
        except ValidationError as error:
            return JSONResponse({"error": "This is no confirmation.", "problems": problems_of(error)}, status_code=422)
        result = await box.write(lambda session, now: _take(session, said, by, now))
        if result is None:
            return JSONResponse({"error": "Baton has sent no such key."}, status_code=404)
        return JSONResponse({"result": result})

    return router


def _take(session: Session, said: Said, by: str, now: datetime) -> str | None:
    row = enrolments.of_key(session, said.key, lock=True)
    if row is None:
        return None
    if enrolments.key_of(row) != said.key:
        return "outdated"
    if said.result == "confirmed":
        return "confirmed" if confirm(session, row, Confirmed(by, "api"), now=now) else "repeated"
    return "refused" if refuse(session, row, said.error, now=now) else "repeated"


async def _json(request: Request) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send JSON, with the header `Content-Type: application/json`.")
    try:
        return read_json(await body_of(request, MAX_BYTES))
    except BodyTooLarge as error:
        raise Refused(413, str(error)) from error
    except NotJson as error:
        raise Refused(400, str(error)) from error

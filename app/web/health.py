"""How Baton does: GET /healthz for everybody says yes or no; its parts, and GET /metrics, need a key with the scope `metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from app.web.intake import Refused, caller
from storage import measures
from storage.keys import Scope
from storage.measures import Measures
from tasks.wiring.toolbox import Toolbox

_BEARER = HTTPBearer(auto_error=False, description="A key of this installation. Your operator makes it.")
#: The parts, and what says that each is well. `mail` is the channel e-mail.
PARTS: dict[str, Callable[[Measures], bool]] = {
    "database": lambda told: True,
    "clock": lambda told: told.alive > 0 and not (told.alarms["clock-late"] or told.alarms["no-worker"]),
    "prefect": lambda told: told.alive > 0 and not told.prefect_is_away,
    "mail": lambda told: "email" not in told.failing,
    "channels": lambda told: not told.failing,
    "trail": lambda told: not told.alarms["trail-unsealed"],
}


def routes(box: Toolbox, *, real_time: Callable[[], float]) -> APIRouter:
    """Return the routes. real_time: the real clock, in seconds since 1970."""
    router = APIRouter(include_in_schema=False)
    box.database.is_in_place()  # notes which file it is now

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def health() -> Response:
        """200 while the database answers, 503 otherwise. It says no more: everybody may ask."""
        try:
            await box.read(lambda session, now: session.connection().execute(text("SELECT 1")))
        except SQLAlchemyError:
            return _said("down")
        return _said("ok" if box.database.is_in_place() else "down")

    @router.api_route("/healthz/{part}", methods=["GET", "HEAD"])
    async def part_of(part: str, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> Response:
        """200 while this part is well, 503 otherwise."""
        try:
            await caller(box, given, Scope.METRICS)
            if not box.database.is_in_place():
                return _said("down")
            if part not in PARTS:
                return JSONResponse({"error": f"There is no such part. There are {', '.join(PARTS)}."}, status_code=404)
            return _said("ok" if PARTS[part](await asyncio.to_thread(measured, box, real_time())) else "down")
        except Refused as refused:
            return refused.answer
        except SQLAlchemyError:
            return _said("down")

    @router.get("/metrics")
    async def metrics(given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> Response:
        """Everything that is measured, as Prometheus reads it."""
        from app import metrics as exposition

        try:
            await caller(box, given, Scope.METRICS)
        except Refused as refused:
            return refused.answer
        told = await asyncio.to_thread(measured, box, real_time())
        return Response(exposition.text_of(told), media_type=exposition.CONTENT_TYPE)

    return router


def measured(box: Toolbox, seconds: float) -> Measures:
    """Measure in one snapshot of the database. seconds: the real time, since 1970."""
    with box.database.read() as session:
        if not box.database.is_sqlite:  # in SQLite every transaction reads one snapshot
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return measures.measured(session, now=box.time.now(session), real=datetime.fromtimestamp(seconds, UTC))


def _said(status: str) -> JSONResponse:
    return JSONResponse({"status": status}, status_code=200 if status == "ok" else 503)

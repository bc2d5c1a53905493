"""The doors for other systems: POST /intake/NAME takes what a map in the folder `intake` is about, if it is signed as the map says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.csv_import.errors import UnreadableFile
from app.intake_doors import doors, payload
from app.intake_doors.delivering import Delivered, Delivery, deliver
from app.intake_doors.door_map import DoorMap
from app.intake_doors.map_parts import PublicForm
from app.signatures import webhooks
from app.signatures.webhooks import SentRequest
from app.signatures.wrong import SignatureWrong, is_same
from app.web.bodies import BodyTooLarge, body_of
from app.web.callers import public_address
from app.web.intake import Refused, caller
from app.web.rendering import plain
from storage import door_days, kept_payloads
from storage.keys import Scope
from tasks.wiring.intake_secrets import secret_of
from tasks.wiring.toolbox import Toolbox
from tasks.wiring.wrong_setting import WrongSetting

log = logging.getLogger("baton.web.intake")
MAX_BYTES = 2_000_000
#: The most payloads of one public form that are kept: anybody can send it.
KEPT_OF_FORM = 1_000
FORM_FIELD = "baton_form"

_BEARER = HTTPBearer(auto_error=False, description="A key of this installation. Your operator makes it.")
_REPLAYED = "This very request was taken before. Its sender signs each try anew, with the time of the try."
_UNSIGNED = "The signature, its time, or the key is wrong."


def routes(box: Toolbox, *, real_time: Callable[[], float]) -> APIRouter:
    """Return the routes of the doors. real_time: the clock that others sign by, in seconds."""
    router, site = APIRouter(include_in_schema=False), _Doors(box, real_time)

    @router.post("/intake/{name}")
    async def take_in(name: str, request: Request, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> Response:
        """Takes one delivery. 401 and nothing stored but a count where it is not signed as agreed; 422 where nothing was taken."""
        try:
            return await site.take(name, request, given)
        except Refused as refused:
            return refused.answer

    @router.get("/intake/{name}")
    async def challenge(name: str, request: Request) -> Response:
        """Answers the challenge of a vendor that wants to know whether the door is ours. Changes nothing."""
        try:
            return site.challenged(name, request)
        except Refused as refused:
            return refused.answer

    return router


class _Doors:
    """Takes deliveries at the doors of this installation."""

    def __init__(self, box: Toolbox, real_time: Callable[[], float]) -> None:
        self.box, self.real_time = box, real_time

    async def take(self, name: str, request: Request, given: HTTPAuthorizationCredentials | None) -> Response:
        """Check who sends, then deal with the delivery. Raises Refused."""
        door = self._door(name)
        try:
            body = await body_of(request, MAX_BYTES)
        except BodyTooLarge as error:
            raise Refused(413, f"{error} Send the leads in several calls.") from error
        if door.form:
            return await self._take_form(name, door, door.form, request, body)
        mark = await self._checked(name, door, request, body, given)
        if mark and await self._was_seen(mark):
            if door.signed and door.signed.by != "key" and webhooks.signs_each_try(door.signed.by, door.signed.plain):
                await self._refuse(name)
                raise Refused(401, _REPLAYED)
            return JSONResponse({"result": "repeated"})
        done = await self._deliver(Delivery(name, door, body, request.headers.get("content-type", ""), mark))
        said = {"results": done.results, **({"notes": list(done.notes)} if done.notes else {})}
        return JSONResponse(said, status_code=done.status)

    async def _was_seen(self, mark: str) -> bool:
        return await self.box.read(lambda session, now: kept_payloads.was_seen(session, mark))

    def _door(self, name: str) -> DoorMap:
        try:
            door = doors.door(self.box.settings.folder, name)
        except UnreadableFile as error:
            log.error("the intake door %s is closed, its map has mistakes: %s", name, error)
            raise Refused(503, "This door is closed: its map has mistakes. Your operator sees them with `baton intake sources`.") from error
        if door is None:
            raise Refused(404, "There is no such door here.")
        return door

    async def _deliver(self, sent: Delivery) -> Delivered:
        return await asyncio.to_thread(deliver, self.box, sent)

    async def _checked(self, name: str, door: DoorMap, request: Request, body: bytes, given: HTTPAuthorizationCredentials | None) -> str:
        """Return the mark of a rightly signed delivery, empty for one that came with a key. Raises Refused and counts it."""
        assert door.signed is not None
        if door.signed.by == "key":
            try:
                await caller(self.box, given, Scope.INTAKE)
            except Refused:
                await self._refuse(name)
                raise
            return ""
        sent = SentRequest(
            body, {one.lower(): value for one, value in request.headers.items()}, public_address(self.box, request), request.method
        )
        secret = self._secret(door.signed.secret)
        try:
            return f"{name}:{webhooks.check(door.signed.by, sent, secret, now=self.real_time(), plain=door.signed.plain)}"
        except SignatureWrong as error:
            await self._refuse(name)
            log.warning("a delivery to the intake door %s was refused: %s", name, error)
            raise Refused(401, _UNSIGNED) from error

    def _secret(self, name: str) -> str:
        try:
            return secret_of(name)
        except WrongSetting as error:
            log.error("an intake door is closed: %s", error)
            raise Refused(503, "This door is closed: its secret is not set. Your operator sees it with `baton intake sources`.") from error

    async def _refuse(self, name: str) -> None:
        await self.box.write(lambda session, now: door_days.add(session, name, {"refused": 1}, now=now))

    async def _take_form(self, name: str, door: DoorMap, form: PublicForm, request: Request, body: bytes) -> Response:
        origin = _origin_of(request)
        if origin not in form.origins:
            await self._refuse(name)
            raise Refused(403, "This page may not send the form. Your operator lists it under `origins` in the map.")
        fields = _fields_of(body, request.headers.get("content-type", ""))
        if not is_same(str(fields.get(FORM_FIELD, "")), self._secret(form.token)):
            await self._refuse(name)
            raise Refused(401, f"The form's own field {FORM_FIELD} is missing or wrong.")
        if form.honeypot and fields.get(form.honeypot):
            await self._refuse(name)  # a robot must not learn that it was recognised
            return _thanks(form)
        if await self.box.read(lambda session, now: kept_payloads.count(session, name)) >= KEPT_OF_FORM:
            raise Refused(503, "Too much of this form waits to be looked at. Try again later.")
        done = await self._deliver(Delivery(name, door, body, request.headers.get("content-type", "")))
        return _thanks(form) if done.status < 400 else _not_taken(done)

    def challenged(self, name: str, request: Request) -> Response:
        """Answer Facebook's or LinkedIn's challenge. Raises Refused."""
        door, asked = self._door(name), request.query_params
        by = door.signed.by if door.signed else ""
        if door.signed and by == "facebook" and door.signed.verify and asked.get("hub.mode") == "subscribe":
            if not is_same(asked.get("hub.verify_token", ""), self._secret(door.signed.verify)):
                raise Refused(403, "The word to verify is wrong.")
            return Response(asked.get("hub.challenge", "")[:200], media_type="text/plain")
        if door.signed and by == "linkedin" and (code := asked.get("challengeCode", "")[:200]):
            answer = webhooks.linkedin_response(code, self._secret(door.signed.secret))
            return JSONResponse({"challengeCode": code, "challengeResponse": answer})
        raise Refused(405, "Send deliveries to this address by POST.", Allow="POST")


def _origin_of(request: Request) -> str:
    """Return the site whose page sent the form, as the browser says; empty where it says nothing."""
    if origin := request.headers.get("origin", ""):
        return origin.lower()
    found = urlsplit(request.headers.get("referer", ""))
    return f"{found.scheme}://{found.netloc}".lower() if found.netloc else ""


def _fields_of(body: bytes, content_type: str) -> dict[str, object]:
    try:
        value = payload.read(body, content_type).value
    except payload.PayloadUnreadable:
        return {}
    return value if isinstance(value, dict) else {}


def _thanks(form: PublicForm) -> Response:
    if form.redirect:
        return RedirectResponse(form.redirect, status_code=303)
    return plain("Thank you", "We have received what you sent.")


def _not_taken(done: Delivered) -> Response:
    problems = [f"{one['field']}: {one['problem']}" for result in done.results for one in result.get("problems", ())]
    return plain("Please check what you typed", *problems[:5], "Go back, correct it, and send the form again.", status=422)

"""Takes answers from Slack: a press of a button, or a typed reason. Baton stores the answer first and then replies to Slack."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from fastapi import APIRouter
from slack_sdk.signature import Clock, SignatureVerifier
from sqlmodel import Session, select
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agreements.errors import DeliveryError, LinkInvalid
from agreements.words import GivenAnswer, NoWord
from app.web import slack_words as words
from app.web.bodies import NotJson, body_of, read_form, read_json
from app.web.slack_words import REASON_DIALOG, NotYours
from notifications.channels.slack import ACCEPT, REJECT
from notifications.channels.slack_address import is_slack, slack_id
from notifications.plain_text import clean
from storage import roster, trail
from storage.tables import Event
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused, Reply, Visit
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.channels import slack_api
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.web.slack")
MAX_BYTES = 250_000
RESPONSES = "https://hooks.slack.com/"
PRESSED: Final = "slack-pressed"
"""The line of the trail by which a delivery of the same press is recognised."""


#: What a press asks for: to accept, to be asked for a reason, or to send the reason.
Does = Literal["accept", "reject", "send"]
_DOES: Mapping[str, Does] = {ACCEPT: "accept", REJECT: "reject"}


@dataclass(frozen=True, slots=True)
class Press:
    """What a person did in Slack. does: accept, reject (asks for the reason) or send (the reason), empty for what is not ours.

    user: Slack's id of the person; token: of the link; once: names this one press for ever; fields: of the dialog; trigger,
    response_url: with which Slack lets us open a dialog and say something to that person.
    """

    does: Does | NoWord = ""
    user: str = ""
    token: str = ""
    once: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    trigger: str = ""
    response_url: str = ""


def routes(box: Toolbox, *, real_time: Callable[[], float] = time.time) -> APIRouter:
    """Return the router for Slack. Without a signing secret it has no route. real_time: the real clock, by which Slack signs."""
    router = APIRouter(include_in_schema=False)
    if box.settings.slack_signing_secret:
        router.add_api_route("/hooks/slack", SlackDoor(box, real_time).take, methods=["POST"], response_model=None)
    return router


class _RealClock(Clock):
    """A clock in the form that slack_sdk asks for."""

    def __init__(self, real_time: Callable[[], float]) -> None:
        self._real_time = real_time

    def now(self) -> float:
        return self._real_time()


class SlackDoor:
    """Takes what Slack sends when somebody uses our message or dialog. A request too large raises BodyTooLarge."""

    def __init__(self, box: Toolbox, real_time: Callable[[], float]) -> None:
        self.box = box
        self._verifier = SignatureVerifier(box.settings.slack_signing_secret, clock=_RealClock(real_time))
        self._api = slack_api(box.settings)

    async def take(self, request: Request) -> Response:
        """Answer 401 to a request that Slack did not sign within the last five minutes, 400 to an unreadable one, otherwise 200."""
        body = await body_of(request, MAX_BYTES)
        if not self._is_signed(body, request):
            log.warning("a request to /hooks/slack was refused: its signature or its time is wrong")
            return JSONResponse({"error": "The signature or its time is wrong."}, status_code=401)
        try:
            press = _read(read_json(read_form(body).get("payload", "").encode()))
        except (NotJson, KeyError, TypeError, IndexError, AttributeError):
            log.warning("a signed request to /hooks/slack could not be read")
            return JSONResponse({"error": "This is not an interaction as Slack sends it."}, status_code=400)
        if press.does == "send":
            return await self._send(press)
        # Slack wants its answer within three seconds, so what we say to the person follows it.
        if press.does == "accept":
            return Response(background=BackgroundTask(self._tell, press, await self._accept(press)))
        return Response(background=BackgroundTask(self._ask, press) if press.does == "reject" else None)

    def _is_signed(self, body: bytes, request: Request) -> bool:
        try:
            return self._verifier.is_valid_request(body, dict(request.headers))
        except (ValueError, TypeError):  # the timestamp is no number, or the signature or body is no text
            return False

    async def _accept(self, press: Press) -> str:
        try:
            return words.outcome(*await self._give(press, "accepted", {}))
        except (NotYours, LinkInvalid, ChoiceRefused) as error:
            return words.refusal(error)

    async def _send(self, press: Press) -> Response:
        """Store the answer from a sent dialog, or say beside its field what is missing."""
        try:
            told = words.outcome(*await self._give(press, "rejected", press.fields))
        except ChoiceRefused as error:
            return JSONResponse({"response_action": "errors", "errors": words.beside(str(error), press.fields)})
        except (NotYours, LinkInvalid) as error:
            told = words.refusal(error)
        return JSONResponse({"response_action": "update", "view": words.closing(told)})

    async def _give(self, press: Press, kind: GivenAnswer, fields: Mapping[str, str]) -> tuple[Reply, Visit]:
        """Store the answer, once for each press. Raises NotYours, LinkInvalid, ChoiceRefused; then nothing is stored."""
        link = OpenedLink(self.box, press.token)

        def work(session: Session, now: datetime) -> tuple[Reply, Visit]:
            seen = _checked(session, self.box, press, now)
            if _is_repeat(session, seen, press):
                last = next((one for one in reversed(seen.answers) if one.mine and one.kind == kind), None)
                first = last or (seen.answers[-1] if seen.answers else None)
                return Reply(last is not None, kind, winner=first, ended=seen.ended), seen
            reply = answering.answer(session, link, answering.SentForm(kind, fields, via="slack", key=press.once), now=now)
            trail.record(session, PRESSED, now=now, lead_id=seen.lead.number, actor=seen.person, mark=_mark(press))
            return reply, answering.visit(session, link, now=now)

        return await self.box.write(work)

    async def _ask(self, press: Press) -> None:
        """Open the dialog that asks for the reason, or say why there is nothing to ask."""
        try:
            seen = await self.box.read(lambda session, now: _checked(session, self.box, press, now))
            if not any(option.kind == "rejected" for option in seen.options):
                await self._tell(press, words.settled(seen))
            elif self._api is not None:
                await self._api.call("views.open", {"trigger_id": press.trigger, "view": words.reason_dialog(seen, press.token)})
        except (NotYours, LinkInvalid) as error:
            await self._tell(press, words.refusal(error))
        except DeliveryError as error:
            log.warning("Slack did not open the dialog: %s", error)
            await self._tell(press, words.NO_DIALOG)

    async def _tell(self, press: Press, text: str) -> None:
        """Say something to the person who pressed. Never calls any address except Slack's (or the one set for it here)."""
        if self._api is None or not press.response_url.startswith((RESPONSES, self._api.url)):
            return
        try:
            await self._api.tell(press.response_url, text)
        except DeliveryError as error:
            log.warning("Slack did not take what was said to the person who pressed: %s", error)


def _read(payload: Any) -> Press:
    """Return what an interaction is to us. Raises KeyError, TypeError, IndexError or AttributeError where it is none."""
    user = str(payload["user"]["id"])
    if payload["type"] == "view_submission" and payload["view"]["callback_id"] == REASON_DIALOG:
        view = payload["view"]
        fields = {name: clean(value) for name, value in words.fields_of(view["state"]["values"]).items()}
        return Press("send", user, str(view["private_metadata"]), f"view:{view['id']}", fields)
    action = payload["actions"][0] if payload["type"] == "block_actions" else {"action_id": ""}
    does = _DOES.get(action["action_id"])
    if does is None:  # somebody opened the link, or chose in the dialog
        return Press()
    once, trigger, response_url = f"{does}:{action['action_ts']}", str(payload["trigger_id"]), str(payload.get("response_url", ""))
    return Press(does, user, str(action["value"]), once, {}, trigger, response_url)


def _checked(session: Session, box: Toolbox, press: Press, now: datetime) -> Visit:
    """Return what the link shows, if it belongs to the person who pressed. Raises NotYours, LinkInvalid."""
    seen = answering.visit(session, OpenedLink(box, press.token), now=now)
    person = roster.current(session).person(seen.person)
    chat = person.chat if person else ""
    if not is_slack(chat) or slack_id(chat) != press.user:
        raise NotYours(seen.person_name)
    return seen


def _is_repeat(session: Session, seen: Visit, press: Press) -> bool:
    query = select(Event).where(Event.kind == PRESSED, Event.lead_id == seen.lead.number)
    return any(event.data.get("mark") == _mark(press) for event in session.exec(query))


def _mark(press: Press) -> str:
    return hashlib.sha256(f"{press.user}:{press.token}:{press.once}".encode(errors="replace")).hexdigest()[:32]

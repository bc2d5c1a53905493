"""POST /hooks/mail/PROVIDER: takes the calls of the mail providers whose secret is set. A wrong signature changes nothing but a count."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from agreements.words import MailSource
from app.signatures import mail_providers
from app.signatures.wrong import SignatureWrong
from app.web.bodies import BodyTooLarge, NotJson, body_of, read_json
from app.web.mail_hooks import sns
from notifications import provider_events
from notifications.returned import MailEvent
from storage import door_days, kept_payloads
from tasks.background.mail_events import take
from tasks.wiring.mail_secrets import MailSecrets, mail_secrets
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.web.mail_hooks")
MAX_BYTES = 1_000_000
_REFUSED = "The signature, its time, or the password is wrong, or the call came before."


def routes(box: Toolbox, *, real_time: Callable[[], float], fetch: sns.Fetch = sns.fetch) -> APIRouter:
    """Return the routes of the providers that are set up. real_time: the clock that they sign by, in seconds."""
    router, hooks = APIRouter(include_in_schema=False), _Hooks(box, mail_secrets(box.settings), real_time, fetch)
    for source, hook in hooks.by_provider().items():
        router.add_api_route(f"/hooks/mail/{source}", hook, methods=["POST"], response_model=None)
    return router


class _Hooks:
    def __init__(self, box: Toolbox, secrets: MailSecrets, real_time: Callable[[], float], fetch: sns.Fetch) -> None:
        self.box, self.secrets, self.now, self.fetch = box, secrets, real_time, fetch
        self.certificates = sns.Certificates(secrets.ses_certificate, fetch)

    def by_provider(self) -> Mapping[MailSource, Callable[[Request], Any]]:
        known: Mapping[MailSource, Callable[[Request], Any]] = {
            "ses": self.ses, "sendgrid": self.sendgrid, "mailgun": self.mailgun, "postmark": self.postmark,
        }  # fmt: skip
        return {source: hook for source, hook in known.items() if source in self.secrets.providers}

    async def ses(self, request: Request) -> JSONResponse:
        """Takes a message of Amazon SNS about mail of Amazon SES, or confirms the subscription of an agreed topic."""
        sent = await self._json(request)
        if isinstance(sent, JSONResponse):
            return sent
        try:
            if not isinstance(sent, dict) or sent.get("TopicArn") not in self.secrets.ses_topics:
                raise SignatureWrong("the topic is not one of BATON_SES_TOPICS")
            certificate = await self.certificates.of(sent)
            once = mail_providers.check_sns(sent, certificate, now=self.now())
            if sent.get("Type") == "SubscriptionConfirmation":
                await self.fetch(sns.confirmation_url(sent))
                log.info("the subscription of %s is confirmed", sent["TopicArn"])
                return JSONResponse({"results": ["confirmed"]})
        except SignatureWrong as error:
            return await self._refuse("ses", error)
        except (sns.CertificateAway, httpx.HTTPError) as error:
            log.warning("Amazon could not be asked: %s", error)
            return JSONResponse({"error": "Amazon could not be asked. Send this again."}, status_code=503)
        if sent.get("Type") != "Notification":
            return JSONResponse({"results": ["other"]})
        return await self._take("ses", once, lambda: provider_events.from_ses(str(sent.get("Message", ""))))

    async def sendgrid(self, request: Request) -> JSONResponse:
        """Takes a list of events from SendGrid."""
        body = await self._body(request)
        if isinstance(body, JSONResponse):
            return body
        try:
            once = mail_providers.check_sendgrid(body, _headers(request), self.secrets.sendgrid, now=self.now())
        except SignatureWrong as error:
            return await self._refuse("sendgrid", error)
        return await self._take("sendgrid", once, lambda: provider_events.from_sendgrid(read_json(body)))

    async def mailgun(self, request: Request) -> JSONResponse:
        """Takes one event from Mailgun."""
        sent = await self._json(request)
        if isinstance(sent, JSONResponse):
            return sent
        try:
            once = mail_providers.check_mailgun(sent if isinstance(sent, dict) else {}, self.secrets.mailgun, now=self.now())
        except SignatureWrong as error:
            return await self._refuse("mailgun", error)
        return await self._take("mailgun", once, lambda: provider_events.from_mailgun(sent))

    async def postmark(self, request: Request) -> JSONResponse:
        """Takes one event from Postmark."""
        try:
            mail_providers.check_postmark(_headers(request), self.secrets.postmark)
        except SignatureWrong as error:
            return await self._refuse("postmark", error)
        sent = await self._json(request)
        return sent if isinstance(sent, JSONResponse) else await self._take("postmark", "", lambda: provider_events.from_postmark(sent))

    async def _take(self, source: MailSource, once: str, read: Callable[[], list[MailEvent]]) -> JSONResponse:
        try:
            found = read()
        except (ValueError, RecursionError):
            return JSONResponse({"error": "The call is signed, but not in the provider's documented form."}, status_code=422)
        mark = f"mail-{source}:{hashlib.sha256(once.encode()).hexdigest()}" if once else ""

        def work(session: Any, now: Any) -> list[str] | None:
            if mark and kept_payloads.was_seen(session, mark):
                return None
            if mark:
                kept_payloads.remember(session, mark, now=now)
            return take(session, found, source, self.box.links, now=now)

        results = await self.box.write(work)
        return await self._refuse(source, "it came before") if results is None else JSONResponse({"results": results})

    async def _refuse(self, source: MailSource, why: object) -> JSONResponse:
        log.warning("a call to /hooks/mail/%s was refused: %s", source, why)
        await self.box.write(lambda session, now: door_days.add(session, f"mail-{source}", {"refused": 1}, now=now))
        return JSONResponse({"error": _REFUSED}, status_code=401)

    async def _body(self, request: Request) -> bytes | JSONResponse:
        try:
            return await body_of(request, MAX_BYTES)
        except BodyTooLarge as error:
            return JSONResponse({"error": str(error)}, status_code=413)

    async def _json(self, request: Request) -> Any:
        body = await self._body(request)
        if isinstance(body, JSONResponse):
            return body
        try:
            return read_json(body)
        except NotJson as error:
            return JSONResponse({"error": str(error)}, status_code=400)


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}

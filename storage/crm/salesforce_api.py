"""Salesforce over HTTP: log in, send a request, send several as one transaction, and read the pages of a query."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from agreements.errors import CrmError
from storage.crm.read_only import Check, anything
from storage.crm.salesforce_errors import HALTED, login_refusal, refusal

#: The version of the API. Salesforce keeps a version for at least three years.
VERSION = "v62.0"
TIMEOUT_SECONDS = 30.0
#: A rule that only warns people asks them whether to save. Baton has looked for the person before, so it saves.
_HEADERS = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in. url: where the API answers. user: the id of Baton's own user."""

    token: str
    url: str
    user: str


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a transaction. ref: its name there, for a later write that refers to the record that this one makes."""

    ref: str
    method: str
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """The id of the record that an earlier write of the same transaction makes. ref: that write."""

    ref: str


class SalesforceApi:
    """An org of Salesforce. It logs in when it must and keeps the log-in. No state of an event loop is kept.

    url: https://MY-DOMAIN.my.salesforce.com. token: returns "consumer key:consumer secret" of the app, and is called at each log-in.
    check: looks at each request before it is sent, and may refuse it.
    """

    def __init__(self, url: str, token: Callable[[], str], *, timeout_seconds: float = TIMEOUT_SECONDS, check: Check = anything) -> None:
        self.url, self._token, self._timeout = url.rstrip("/"), token, timeout_seconds
        self._hooks = {"request": [check]}
        self.session: Session | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Calls]:
        """Yield the calls of one piece of work, which share their connections."""
        async with httpx.AsyncClient(verify=_trust(), timeout=self._timeout, follow_redirects=False, event_hooks=self._hooks) as client:
            yield Calls(self, client)

    async def credentials(self) -> tuple[str, str]:
        """Return the app's consumer key and secret. Raises CrmError if the setting is written otherwise."""
        key, colon, secret = (await asyncio.to_thread(self._token)).strip().partition(":")
        if not (key and colon and secret):
            raise CrmError("BATON_CRM_TOKEN or its file: write consumer-key:consumer-secret of the Salesforce app", permanent=True)
        return key, secret


class Calls:
    """Requests to one org. now: the time of Salesforce's latest answer, aware; the real clock of this machine is never asked."""

    def __init__(self, api: SalesforceApi, client: httpx.AsyncClient) -> None:
        self._api, self._client = api, client
        self.now = datetime.fromtimestamp(0, UTC)

    async def user(self) -> str:
        """Return the id of Baton's own user."""
        return (self._api.session or await self._log_in()).user

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send this request and return the answer's body, None if it has none. path: after /services/data/VERSION/.

        Raises: SalesforceRefused, or CrmError where no answer came. A token that has expired is replaced, once.
        """
        session = self._api.session or await self._log_in()
        answer = await self._request(session, method, path, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = await self._request(await self._log_in(expired=session), method, path, body)
        told = _json(answer)
        if not answer.is_success:
            raise refusal(answer.status_code, told, rest=_rest(answer))
        if answer.content and told is None:
            raise CrmError(f"Salesforce: the answer of {urlsplit(session.url).hostname} is not from its API; check BATON_CRM_URL")
        return told

    async def together(self, writes: Sequence[Write]) -> dict[str, Any]:
        """Carry out all writes or none, and return their answers by ref. Raises SalesforceRefused for the one that failed."""
        requests = [
            {
                "method": one.method,
                "url": f"/services/data/{VERSION}/{one.path}",
                "referenceId": one.ref,
                "body": _with_references(one.body),
            }
            for one in writes
        ]
        return await self._composite(requests)

    async def asked(self, queries: Mapping[str, str]) -> dict[str, list[Row]]:
        """Return the rows of several small queries by ref, in one request. Their text goes in its body: logs hold addresses of requests."""
        requests = [
            {"method": "GET", "url": f"/services/data/{VERSION}/query?{httpx.QueryParams({'q': soql})}", "referenceId": ref}
            for ref, soql in queries.items()
        ]
        told = await self._composite(requests)
        return {ref: list(body["records"]) for ref, body in told.items()}

    async def _composite(self, requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        told = await self.send("POST", "composite", {"allOrNone": True, "compositeRequest": requests})
        results = told.get("compositeResponse") if isinstance(told, Mapping) else None
        found = {str(one.get("referenceId")): one for one in results or [] if isinstance(one, Mapping)}
        failed = [one for one in found.values() if int(one.get("httpStatusCode", 500)) >= httpx.codes.MULTIPLE_CHOICES]
        for one in sorted(failed, key=_is_halted):
            raise refusal(int(one.get("httpStatusCode", 500)), one.get("body"))
        if set(found) != {one["referenceId"] for one in requests}:
            raise CrmError("Salesforce: the answer to a transaction is incomplete; Baton tries again")
        return {ref: one.get("body") for ref, one in found.items()}

    async def rows(self, soql: str, *, deleted: bool = False) -> list[Row]:
        """Return all rows of a query. deleted: also those in the recycle bin, and those that were merged away."""
        return [row async for page in self.pages(soql, deleted=deleted) for row in page]

    async def pages(self, soql: str, *, deleted: bool = False) -> AsyncIterator[list[Row]]:
        """Yield the pages of a query."""
        query = str(httpx.QueryParams({"q": soql}))
        told = await self.send("GET", f"{'queryAll' if deleted else 'query'}?{query}")
        while True:
            if not isinstance(told, Mapping) or not isinstance(told.get("records"), list):
                raise CrmError("Salesforce: the answer to a query has no records; Baton tries again")
            yield told["records"]
            following = str(told.get("nextRecordsUrl") or "")
            if told.get("done", True) or not following:
                return
            told = await self.send("GET", following.partition(f"/{VERSION}/")[2])

    async def _log_in(self, *, expired: Session | None = None) -> Session:
        """Log in and keep the log-in. expired: the log-in that Salesforce refused; one that another call has made since is used."""
        if expired is not None and self._api.session not in (None, expired):
            assert self._api.session is not None
            return self._api.session
        key, secret = await self._api.credentials()
        form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
        answer = await self._answer(self._client.post(f"{self._api.url}/services/oauth2/token", data=form))
        told = _json(answer)
        if not answer.is_success or not isinstance(told, Mapping) or not told.get("access_token"):
            raise login_refusal(answer.status_code, told)
        url = str(told.get("instance_url") or self._api.url).rstrip("/")
        if not url.startswith("https://") and urlsplit(url).hostname not in _THIS_MACHINE:
            raise CrmError("Salesforce: the log-in names an address without TLS; check BATON_CRM_URL", permanent=True)
        user = str(told.get("id", "")).rpartition("/")[2]
        if not user.startswith("005"):  # without it Baton's own changes would look like those of people
            raise CrmError("Salesforce: the log-in does not say who Baton's user is; name a run-as user in the app", permanent=True)
        self._api.session = Session(str(told["access_token"]), url, user)
        return self._api.session

    async def _request(self, session: Session, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {session.token}", "Content-Type": "application/json", **_HEADERS}
        content, url = None if body is None else json.dumps(body).encode("ascii"), f"{session.url}/services/data/{VERSION}/{path}"
        return await self._answer(self._client.request(method, url, content=content, headers=headers))

    async def _answer(self, sent: Any) -> httpx.Response:
        """The answer to what is sent. The errors of the network become CrmErrors without the address, which may hold a value."""
        try:
            answer: httpx.Response = await sent
        except httpx.TimeoutException as error:
            raise CrmError(f"Salesforce: no answer in time ({type(error).__name__}); Baton tries again") from None
        except httpx.TransportError as error:
            raise CrmError(f"Salesforce: it cannot be reached ({type(error).__name__}); Baton tries again") from None
        except (httpx.InvalidURL, httpx.HTTPError, UnicodeError) as error:
            raise CrmError(
                f"Salesforce: the request cannot be made ({type(error).__name__}); check BATON_CRM_URL", permanent=True
            ) from None
        if (date := answer.headers.get("date")) is not None:
            with suppress(ValueError):  # an unreadable date is none
                self.now = parsedate_to_datetime(date).astimezone(UTC)
        return answer


def _with_references(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as a transaction reads it. A text of a person that looks like a reference is none."""
    return {
        name: f"@{{{value.ref}.id}}" if isinstance(value, Made) else value.replace("@{", "@ {") if isinstance(value, str) else value
        for name, value in body.items()
    }


def _is_halted(result: Mapping[str, Any]) -> bool:
    body = result.get("body")
    return isinstance(body, list) and all(isinstance(one, Mapping) and one.get("errorCode") == HALTED for one in body)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except ValueError:
        return None


def _rest(answer: httpx.Response) -> float | None:
    told = answer.headers.get("retry-after", "").strip()
    return float(told[:9]) if told.isascii() and told.isdecimal() else None


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()

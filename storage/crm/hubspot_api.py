"""HubSpot's API over HTTPS: one request after another, with its limits kept, and its errors as CrmError that says what to do."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Literal

import httpx

from agreements.errors import CrmError
from storage.crm.read_only import Check, anything

Json = dict[str, Any]
#: HubSpot's kinds of records that Baton writes or reads, as its API names them.
ObjectKind = Literal["contacts", "companies", "deals", "tasks", "notes", "calls", "emails", "meetings"]
EngagementKind = Literal["calls", "emails", "meetings"]
TIMEOUT_SECONDS = 10.0
#: How often one request is sent when HubSpot is busy, and the longest pause before it is sent again, in seconds.
TRIES = 4
LONGEST_PAUSE_SECONDS = 10.0
#: Answers after which the same request is sent again: too many requests, a lock, HubSpot's own moving of an account, and its faults.
_MAY_PASS = (408, 423, 425, 429, 477, 500, 502, 503, 504)
_RENEW = "put a new one into BATON_CRM_TOKEN or BATON_CRM_TOKEN_FILE"


class HubSpotApi:
    """HubSpot's API at one base URL.

    token: returns the access token of the app; it is asked again when HubSpot refuses the last one. pause: waits that many seconds.
    check: looks at each request before it is sent, and may refuse it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: Callable[[], str],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timeout_seconds: float = TIMEOUT_SECONDS,
        check: Check = anything,
    ) -> None:
        self._base, self._read_token, self._pause, self._timeout = base_url, token, pause, timeout_seconds
        self._token, self._hooks = "", {"request": [check]}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Conversation]:
        """Open a conversation of several requests over kept connections."""
        verify = _trust() if self._base.startswith("https") else False
        async with httpx.AsyncClient(
            base_url=self._base, verify=verify, timeout=self._timeout, follow_redirects=False, event_hooks=self._hooks
        ) as client:
            yield Conversation(self, client)

    async def send(
        self, client: httpx.AsyncClient, method: str, path: str, query: Mapping[str, str], body: Json | list[str] | None
    ) -> httpx.Response:
        """Send one request, again where that may help. Raises CrmError if HubSpot does not answer, or is busy for too long."""
        renewed = False
        for attempt in range(1, TRIES + 1):
            answer = await self._send_once(client, method, path, query, body)
            if answer.status_code == 401 and not renewed and await self._has_new_token():
                renewed = True
                continue
            if answer.status_code not in _MAY_PASS:
                return answer
            rest = retry_after(answer)
            wait = float(2 ** (attempt - 1)) if rest is None else rest
            if attempt == TRIES or wait > LONGEST_PAUSE_SECONDS:
                break
            await self._pause(wait)
        raise error_of(answer, path)

    async def _send_once(
        self, client: httpx.AsyncClient, method: str, path: str, query: Mapping[str, str], body: Json | list[str] | None
    ) -> httpx.Response:
        if not self._token:
            self._token = await asyncio.to_thread(self._read_token)
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            return await client.request(method, path, params=dict(query), json=body, headers=headers)
        except httpx.TimeoutException:
            raise CrmError(f"HubSpot did not answer within {self._timeout:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise CrmError(f"HubSpot cannot be reached ({type(error).__name__})") from None

    async def _has_new_token(self) -> bool:
        """Whether the setting holds another token than the one that HubSpot refused."""
        was, self._token = self._token, await asyncio.to_thread(self._read_token)
        return self._token != was


class Conversation:
    """Several requests to HubSpot, one after another. now: HubSpot's own time at its last answer, aware; None before the first."""

    def __init__(self, api: HubSpotApi, client: httpx.AsyncClient) -> None:
        self._api, self._client, self.now = api, client, datetime.fromtimestamp(0, UTC)

    async def get(self, path: str, **query: str) -> Json | None:
        """Return the answer, None for what HubSpot does not have. Raises CrmError."""
        answer = await self._answer("GET", path, query, None, absent=True)
        return None if answer is None else _read(answer)

    async def change(self, method: str, path: str, body: Json | list[str] | None = None) -> Json:
        """Send a change, or a question that has a body. Raises CrmError; an error of a part of a batch too, when the rest was done."""
        answer = await self._answer(method, path, {}, body, absent=False)
        assert answer is not None, "only a GET may find nothing"
        found = _read(answer) if answer.content else {}
        for problem in found.get("errors") or () if answer.status_code == 207 else ():
            if not (path.endswith("/read") and _is_absent(problem)):
                raise _refusal(problem, path, int(str(problem.get("status")) if str(problem.get("status")).isdigit() else 400))
        return found

    async def pages(self, path: str, **query: str) -> AsyncIterator[Json]:
        """Yield each record of a list that HubSpot gives page by page. Raises CrmError."""
        after: str | None = ""
        while after is not None:
            page = await self.get(path, **query, **({"after": after} if after else {})) or {}
            for record in page.get("results", ()):
                yield record
            after = next_page(page)

    async def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: Json | list[str] | None, *, absent: bool
    ) -> httpx.Response | None:
        answer = await self._api.send(self._client, method, path, query, body)
        self.now = _date_of(answer) or self.now
        if answer.is_success:
            return answer
        if absent and answer.status_code == 404:
            return None
        unique = str(body.get("idProperty", "")) if isinstance(body, dict) else ""
        if unique and answer.status_code == 400:
            said = f"HubSpot's {_kind_of(path)} lack the property {unique}: create it in HubSpot, as a text with unique values"
            raise CrmError(said, permanent=True)
        raise error_of(answer, path)


def next_page(page: Json) -> str | None:
    """The cursor of the next page, None on the last one."""
    after = ((page.get("paging") or {}).get("next") or {}).get("after")
    return str(after) if after else None


def error_of(answer: httpx.Response, path: str) -> CrmError:
    """Return the error for an answer that is none. Its message says what to do, without a value of the request."""
    status = answer.status_code
    if status in _MAY_PASS:
        return CrmError(_busy(status), retry_after_seconds=retry_after(answer))
    if answer.is_redirect:
        return CrmError("HubSpot answers from another address; correct BATON_CRM_URL", permanent=True)
    try:
        problem = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        problem = {}
    return _refusal(problem if isinstance(problem, dict) else {}, path, status)


def _busy(status: int) -> str:
    return "HubSpot limits the requests of this account" if status == 429 else f"HubSpot has a fault of its own or is busy ({status})"


def _refusal(problem: Json, path: str, status: int) -> CrmError:
    if status in _MAY_PASS:  # a part of a batch
        return CrmError(_busy(status))
    category = str(problem.get("category") or problem.get("subCategory") or "")
    kind = _kind_of(path)
    if status == 401:
        why = "has expired" if "EXPIRED" in category else "is not valid"
        return CrmError(f"HubSpot's token {why}: {_RENEW}", permanent=True)
    if status == 403:
        lacks = ", ".join(_named(problem, "requiredGranularScopes", "requiredScopes", "missingScopes"))
        scopes = f"the scopes {lacks}" if lacks else f"a scope for {kind}"
        return CrmError(f"HubSpot's token lacks {scopes}: give them to the app, then {_RENEW}", permanent=True)
    if status == 404:
        return CrmError(f"HubSpot does not have that record of {kind} any more", permanent=True)
    if status in (409, 412):
        return CrmError(f"HubSpot has another record of {kind} with the same unique value", permanent=False)
    for code, said in _SAID.items():
        if code in json.dumps(problem):
            names = ", ".join(_named(problem, "propertyName", "propertyNames", "name")) or "one of them"
            return CrmError(said.format(kind=kind, names=names), permanent=True)
    return CrmError(f"HubSpot refuses the request for {kind} ({status} {category or 'without a reason'})", permanent=True)


#: HubSpot's codes for a wrong property, and what to do.
_SAID = {
    "PROPERTY_DOESNT_EXIST": "HubSpot's {kind} lack the property {names}: create it in HubSpot, or take it out of the agreement",
    "INVALID_OPTION": "HubSpot's {kind} lack the value of the property {names}: add it to its options, or correct the agreement",
    "INVALID_OWNER_ID": "HubSpot has no such owner of {kind} any more: give the lead to somebody who is a user of HubSpot",
    "OWNER_NOT_FOUND": "HubSpot has no such owner of {kind} any more: give the lead to somebody who is a user of HubSpot",
    "READ_ONLY_VALUE": "HubSpot does not let anybody set the property {names} of {kind}: take it out of the agreement",
    "INVALID_EMAIL": "HubSpot does not take the e-mail address of this lead: correct it",
}


def _named(problem: Json, *keys: str) -> list[str]:
    """The names under these keys, wherever the error has them: in its context, in its parts, or in the JSON of its message."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key in keys and (isinstance(inner, str) or (isinstance(inner, list) and all(isinstance(one, str) for one in inner))):
                    found.extend([inner] if isinstance(inner, str) else inner)
                else:
                    look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(problem)
    if not found and (listed := re.search(r"\[\{.*\}\]", str(problem.get("message", "")), re.DOTALL)):
        with suppress(json.JSONDecodeError):
            look(json.loads(listed.group()))
    return list(dict.fromkeys(found))


def _kind_of(path: str) -> str:
    """The records that a path is about, in words."""
    parts = [part for part in path.split("/") if part]
    if "owners" in parts:
        return "owners"
    return next((parts[at + 1] for at, part in enumerate(parts[:-1]) if part in ("objects", "associations", "pipelines")), "this account")


def _is_absent(problem: Json) -> bool:
    return str(problem.get("category")) == "OBJECT_NOT_FOUND" or "NO_ASSOCIATIONS_FOUND" in str(problem.get("subCategory"))


def retry_after(answer: httpx.Response) -> float | None:
    """The seconds that HubSpot asks us to wait, None if it says nothing."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if re.fullmatch(r"\d{1,6}(\.\d+)?", said) else None


def _date_of(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _read(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise CrmError(f"HubSpot's answer cannot be read ({answer.status_code}, no JSON)") from None
    if not isinstance(found, dict):
        raise CrmError(f"HubSpot's answer cannot be read ({answer.status_code}, no object)")
    return found


@cache
def _trust() -> Any:
    """The authorities of the system, loaded once: that takes longer than a request."""
    import ssl

    return ssl.create_default_context()


def slices(ids: Sequence[str], size: int) -> list[Sequence[str]]:
    """Cut the list into parts of at most that many."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]

"""A stand-in for HubSpot, as a process of its own: `python -m tests.crm.hubspot_server`. It prints its port.

It speaks HubSpot's wire format: pages, a search that lags, limits with Retry-After, batches of which a part fails, tokens that
expire. Under /admin a test plays the people, moves the clock, and puts faults in.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

import uvicorn

from tests.crm.hubspot_spec import problems_of
from tests.crm.hubspot_state import OPTIONS, STAGES, Json, Record, Refused, Source, State, iso

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_UUID = "aeb5f871-7f07-4993-9211-075dc63e7cbf"


class HubSpot:
    """The ASGI application."""

    def __init__(self) -> None:
        self.state = State()
        self.problems: list[str] = []
        self.requests: Counter[str] = Counter()
        self.next_faults: list[Json] = []
        self.rate, self.random = 0.0, random.Random(0)
        self.kinds = ["429", "500", "502", "503", "503-after", "half", "garbage"]
        self.searches_a_second, self.searches = 0, Counter[int]()
        self.validate = True

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = unquote(scope["raw_path"].decode().split("?")[0]) if "raw_path" in scope else scope["path"]
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        if path.startswith("/admin/"):
            await _respond(send, 200, getattr(Admin(self), path.removeprefix("/admin/"))(**json.loads(body or b"{}")), {})
            return
        method, headers = scope["method"], {name.decode(): value.decode() for name, value in scope["headers"]}
        raw_parts = [unquote(part) for part in scope["raw_path"].decode().split("?")[0].strip("/").split("/")]
        fault = self._fault(method, path)
        if fault == "expired":
            self.state.expired.update(self.state.tokens)
        if fault in ("hang", "429", "500", "502", "503", "garbage"):
            status, answer, more = await self._broken(fault, receive)
        else:
            status, answer, more = self._answer(method, raw_parts, query, body, headers, fault)
            self.requests[f"{method} {_shape(raw_parts)}"] += 1
            if self.validate:
                shown = json.dumps(answer).encode() if answer is not None else b""
                self.problems += problems_of(method, path, query, body, status, shown)
            if fault == "hang-after":
                status, answer, more = await self._broken("hang", receive)
            elif fault == "503-after":
                status, answer, more = await self._broken("503", receive)
        if status:
            await _respond(send, status, answer, {"Date": formatdate(self.state.now / 1000, usegmt=True), **more})

    def _fault(self, method: str, path: str) -> str:
        for planned in self.next_faults:
            if planned["match"] in f"{method} {path}":
                if planned.get("skip", 0) > 0:
                    planned["skip"] -= 1
                    continue
                planned["times"] = planned.get("times", 1) - 1
                if planned["times"] <= 0:
                    self.next_faults.remove(planned)
                return str(planned["kind"])
        if self.random.random() < self.rate:
            return self.random.choice(self.kinds)
        return ""

    async def _broken(self, fault: str, receive: Receive) -> tuple[int, Any, dict[str, str]]:
        if fault == "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
            return 0, None, {}
        if fault == "garbage":
            return 200, "<html>", {}
        status = int(fault)
        more = {"Retry-After": "1"} if status == 429 else {}
        category = "RATE_LIMITS" if status == 429 else "INTERNAL_ERROR"
        return status, _error(category, "You have reached your secondly limit." if status == 429 else "internal error"), more

    def _answer(
        self, method: str, parts: list[str], query: dict[str, str], body: bytes, headers: dict[str, str], fault: str
    ) -> tuple[int, Any, dict[str, str]]:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if fault == "renewed":  # the token ends, and others are still good
            self.state.expired.add(token)
        if token in self.state.expired:
            return 401, _error("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 2 hour(s) ago."), {}
        if token not in self.state.tokens:
            return 401, _error("INVALID_AUTHENTICATION", "Authentication credentials not found."), {}
        if parts[-1] == "search" and self.searches_a_second:
            self.searches[self.state.now // 1000] += 1
            if self.searches[self.state.now // 1000] > self.searches_a_second:
                return 429, _error("RATE_LIMITS", "You have reached your secondly limit."), {"Retry-After": "1"}
        source = Source("INTEGRATION", self.state.tokens[token])
        try:
            return Api(self.state, source, half=fault in ("half", "half-read"), reads=fault == "half-read").answer(
                method, parts, query, json.loads(body) if body else {}
            )
        except Refused as refused:
            context = {name: [value] for name, value in refused.context.items()}
            return refused.status, _error(refused.category, refused.message, context), {}


def _shape(parts: list[str]) -> str:
    return "/".join("{id}" if any(letter.isdigit() for letter in part) and part not in ("v3", "v4") else part for part in parts)


def _error(category: str, message: str, context: Json | None = None) -> Json:
    return {
        "status": "error",
        "message": message,
        "correlationId": _UUID,
        "category": category,
        **({"context": context} if context else {}),
    }


async def _respond(send: Send, status: int, answer: Any, headers: dict[str, str]) -> None:
    content = b"" if answer is None else answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    listed = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    listed += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": content})


class Api:
    """One request to the API. half: the first half of a batch is done, and the rest fails. reads: also when it is only read."""

    def __init__(self, state: State, source: Source, *, half: bool, reads: bool = False) -> None:
        self.state, self.source, self.half, self.reads = state, source, half, reads

    def answer(self, method: str, parts: list[str], query: dict[str, str], body: Json) -> tuple[int, Any, dict[str, str]]:
        """Answer the request. Raises Refused."""
        _, version, what, *rest = parts
        if what == "owners":
            return 200, self._owners(rest, query), {}
        if what == "pipelines":
            return 200, self._pipelines(), {}
        if what == "properties":
            return (200, self._properties(rest[0]), {}) if method == "GET" else (201, self._new_property(rest[0], body), {})
        if what == "lists":
            return 200, self._members(rest[0], rest[2], list(body)), {}
        if version == "v4":
            status, found = self._tied(rest, body, query) if what == "associations" or method == "GET" else self._tie(rest)
            return status, found, {}
        kind, *more = rest
        if not more:
            return 200, self._listed(kind, query), {}
        if more == ["search"]:
            return 200, self._search(kind, body), {}
        if more[0] == "batch":
            return self._batch(kind, more[1], body)
        record = self.state.find(kind, more[0], query.get("idProperty", ""))
        if record is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        names = query.get("properties", "").split(",")
        if method == "PATCH":
            self.state.put(record, body["properties"], self.source)
            names = list(body["properties"])
        return 200, record.shown(names, [one for one in query.get("propertiesWithHistory", "").split(",") if one]), {}

    def _owners(self, rest: list[str], query: dict[str, str]) -> Json:
        archived = query.get("archived") == "true"
        if rest:
            found = [one for one in self.state.owners if one["id"] == rest[0] and one["archived"] == archived]
            if not found:
                raise Refused(404, "OBJECT_NOT_FOUND", "no owner")
            return found[0]
        fitting = [one for one in self.state.owners if one["archived"] == archived and query.get("email", one["email"]) == one["email"]]
        if archived:
            fitting = [
                {**{name: value for name, value in one.items() if name != "userId"}, "userIdIncludingInactive": one["userId"]}
                for one in fitting
            ]
        return _page(fitting, query)

    def _properties(self, kind: str) -> Json:
        if kind in self.state.closed:
            raise Refused(403, "MISSING_SCOPES", f"This app lacks the scopes for {kind}")
        fixed = ("createdate", "hs_merged_object_ids", "hs_created_by_user_id")
        return {"results": [self._property(kind, name, name in fixed) for name in sorted(self.state.known[kind])]}

    def _property(self, kind: str, name: str, fixed: bool = False) -> Json:
        options = [{"label": one, "value": one, "hidden": False} for one in sorted(OPTIONS.get(name, ()))]
        return {
            **{"name": name, "label": name, "description": "", "groupName": "contactinformation", "options": options},
            **{"type": "enumeration" if options else "string", "fieldType": "select" if options else "text"},
            "hasUniqueValue": name in self.state.unique_names.get(kind, ()),
            "modificationMetadata": {"archivable": True, "readOnlyDefinition": fixed, "readOnlyValue": fixed},
        }

    def _new_property(self, kind: str, body: Json) -> Json:
        if body["name"] in self.state.known[kind]:
            raise Refused(409, "OBJECT_ALREADY_EXISTS", f"A property named {body['name']} already exists.")
        self.state.known[kind].add(body["name"])
        if body.get("hasUniqueValue"):
            self.state.unique_names.setdefault(kind, set()).add(body["name"])
        return self._property(kind, body["name"])

    def _members(self, number: str, how: str, ids: list[str]) -> Json:
        """Add contacts to a list, or remove them. What is on it already, or is no contact, is ignored."""
        members = self.state.lists.get(number)
        if members is None:
            raise Refused(404, "OBJECT_NOT_FOUND", f"List {number} does not exist")
        real = {ident for ident in ids if self.state.find("contacts", ident, "") is not None}
        changed = real - members if how == "add" else real & members
        self.state.lists[number] = members | real if how == "add" else members - real
        added, removed = (sorted(changed), []) if how == "add" else ([], sorted(changed))
        return {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": sorted(set(ids) - real)}

    def _pipelines(self) -> Json:
        at = iso(self.state.now)
        common = {"createdAt": at, "updatedAt": at, "archived": False}
        stages = [
            {**common, "id": ident, "label": label, "displayOrder": order, "metadata": {"isClosed": closed, "probability": chance}}
            for order, (ident, label, closed, chance) in enumerate(STAGES)
        ]
        return {"results": [{**common, "id": "default", "label": "Sales", "displayOrder": 0, "stages": stages}]}

    def _listed(self, kind: str, query: dict[str, str]) -> Json:
        archived = query.get("archived") == "true"
        found = [one for one in self.state.records[kind].values() if (one.archived_at > 0) == archived and one.archived_at >= 0]
        return _page([one.shown(query.get("properties", "").split(","), []) for one in found], query)

    def _search(self, kind: str, body: Json) -> Json:
        found, total = self.state.search(kind, body)
        start, limit = int(body["after"] or 0), min(int(body["limit"]), 200)
        if start + limit > 10_000:
            raise Refused(400, "VALIDATION_ERROR", "The maximum is 10000 results")
        answer: Json = {"total": total, "results": [_stale(one, self.state, body["properties"]) for one in found[start : start + limit]]}
        if start + limit < total:
            answer["paging"] = {"next": {"after": str(start + limit)}}
        return answer

    def _batch(self, kind: str, what: str, body: Json) -> tuple[int, Any, dict[str, str]]:
        inputs = body["inputs"]
        if len(inputs) > (50 if body.get("propertiesWithHistory") else 100):
            raise Refused(400, "VALIDATION_ERROR", "too many inputs")
        if what == "archive":
            for one in inputs:
                self.state.archive(kind, one["id"])
            return 204, None, {}
        for by in {one.get("idProperty", "") for one in [body, *inputs]}:
            self.state.find(kind, "", by)  # refuses a property that is none
        done, errors = [], []
        for at, one in enumerate(inputs):
            if self.half and at >= len(inputs) // 2 and (self.reads or what != "read"):
                errors.append(_part("INTERNAL_ERROR", "a part of the batch was not done", 503))
                continue
            try:
                done.append(self._one(kind, what, one, body))
            except Refused as refused:
                errors.append(_part(refused.category, refused.message, refused.status))
        times = {"status": "COMPLETE", "startedAt": iso(self.state.now), "completedAt": iso(self.state.now)}
        if errors:
            return 207, {**times, "results": done, "numErrors": len(errors), "errors": errors}, {}
        return 200, {**times, "results": done}, {}

    def _one(self, kind: str, what: str, one: Json, body: Json) -> Json:
        by = one.get("idProperty", "") or body.get("idProperty", "")
        record = self.state.find(kind, one["id"], by)
        if what == "read":
            if record is None:
                raise Refused(404, "OBJECT_NOT_FOUND", "Could not get some objects, they may be deleted")
            return record.shown(body["properties"], body["propertiesWithHistory"])
        new = record is None
        if record is None and what == "update":
            raise Refused(404, "OBJECT_NOT_FOUND", "it is gone")
        record = (
            self.state.make(kind, one["properties"], self.source)
            if record is None
            else self.state.put(record, one["properties"], self.source)
        )
        return {**record.shown(list(one["properties"]), []), **({"new": new} if what == "upsert" else {})}

    def _tied(self, rest: list[str], body: Json, query: dict[str, str]) -> tuple[int, Any]:
        types = [{"category": "HUBSPOT_DEFINED", "typeId": 1}]
        if rest[-1] != "read":
            kind, ident, _, other = rest
            found = [{"toObjectId": one, "associationTypes": types} for one in sorted(self.state.tied[(kind, ident)][other])]
            return 200, _page(found, query)
        kind, other = rest[0], rest[1]
        results = []
        for one in body["inputs"]:
            ids = sorted(self.state.tied[(kind, one["id"])][other])
            if ids:
                start, end = int(one.get("after") or 0), int(one.get("after") or 0) + self.state.tied_page
                more = {"paging": {"next": {"after": str(end)}}} if end < len(ids) else {}
                tied = [{"toObjectId": ident, "associationTypes": types} for ident in ids[start:end]]
                results.append({"from": {"id": one["id"]}, "to": tied, **more})
        times = {"status": "COMPLETE", "startedAt": iso(self.state.now), "completedAt": iso(self.state.now)}
        missing = len(body["inputs"]) - len(results)
        if not missing:
            return 200, {**times, "results": results}
        error = {**_part("OBJECT_NOT_FOUND", "No associations", 404), "subCategory": {"name": "crm.associations.NO_ASSOCIATIONS_FOUND"}}
        return 207, {**times, "results": results, "numErrors": missing, "errors": [error] * missing}

    def _tie(self, rest: list[str]) -> tuple[int, Any]:
        kind, ident, _, _, other, to = rest
        if self.state.find(kind, ident) is None or self.state.find(other, to) is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        self.state.tie(kind, ident, other, to)
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
        times = {"status": "COMPLETE", "startedAt": iso(self.state.now), "completedAt": iso(self.state.now)}
        return 200, {**times, "results": [{"from": {"id": ident}, "to": {"id": to}, "associationSpec": spec}]}


def _part(category: str, message: str, status: int) -> Json:
    return {"status": str(status), "category": category, "message": message, "context": {}, "errors": [], "links": {}}


def _stale(record: Record, state: State, names: list[str]) -> Json:
    """A record as the search shows it: as it was when the index read it."""
    at = state.now - record.lag_ms
    shown = record.shown(names, [])
    for name in ("lastmodifieddate", "hs_lastmodifieddate"):
        if name in shown["properties"]:
            shown["properties"][name] = iso(record.modified(at=at))
    return shown


def _page(found: list[Json], query: dict[str, str]) -> Json:
    start, limit = int(query.get("after") or 0), int(query.get("limit", "10"))
    more = {"paging": {"next": {"after": str(start + limit)}}} if start + limit < len(found) else {}
    return {"results": found[start : start + limit], **more}


class Admin:
    """What a test may do: each method is a path under /admin, and takes JSON."""

    def __init__(self, server: HubSpot) -> None:
        self.server, self.state = server, server.state

    def reset(self, lag_ms: int = 0, seed: int = 0, validate: bool = True) -> Json:
        """An empty account."""
        self.server.__init__()  # type: ignore[misc]
        self.server.state.greatest_lag_ms, self.server.validate = lag_ms, validate
        self.server.state.random.seed(seed)
        self.server.random.seed(seed)
        return {}

    def members(self, number: str) -> list[str]:
        """The ids of the contacts on this list, which is made if it is not there."""
        return sorted(self.state.lists.setdefault(number, set()))

    def owner(self, id: str, user: int, email: str) -> Json:
        """Add a user."""
        self.state.add_owner(id, user, email)
        return {}

    def leaves(self, email: str) -> Json:
        """A user leaves."""
        for one in self.state.owners:
            if one["email"] == email:
                one["archived"] = True
        return {}

    def clock(self, seconds: float) -> Json:
        """Move the clock."""
        self.state.now += int(seconds * 1000)
        return {"now": self.state.now}

    def faults(
        self, rate: float | None = None, next: list[Json] | None = None, searches_a_second: int | None = None, hang: bool = False
    ) -> Json:
        """Put faults in: at a rate, or the next ones that match, after as many as `skip` says.

        hang: some requests get no answer, before or after they were done.
        """
        self.server.kinds += ["hang", "hang-after"] if hang else []
        self.server.rate = self.server.rate if rate is None else rate
        self.server.next_faults += next or []
        self.server.searches_a_second = self.server.searches_a_second if searches_a_second is None else searches_a_second
        return {}

    def token(self, token: str, app: str = "app-1", expired: bool = False) -> Json:
        """Make a token good, or let it expire."""
        self.state.tokens[token] = app
        (self.state.expired.add if expired else self.state.expired.discard)(token)
        return {}

    def drop(self, kind: str, name: str) -> Json:
        """Somebody deletes a property."""
        self.state.known[kind].discard(name)
        return {}

    def tied_page(self, size: int) -> Json:
        """Show so many associations of a record on one page."""
        self.state.tied_page = size
        return {}

    def close(self, kind: str) -> Json:
        """Take the app's right to read this object's properties."""
        self.state.closed.add(kind)
        return {}

    def make(self, kind: str, values: Json, user: int = 0, ties: list[list[str]] | None = None, program: str = "") -> Json:
        """Somebody makes a record, tied to others."""
        source = Source("INTEGRATION", program) if program else Source("CRM_UI", f"userId:{user}", user)
        made = self.state.make(kind, values, source)
        for other, to in ties or ():
            self.state.tie(kind, made.id, other, to)
        return {"id": made.id, "at": made.made}

    def put(self, kind: str, id: str, values: Json, user: int = 0, program: str = "") -> Json:
        """Somebody, or a program, changes a record."""
        source = Source(program, "") if program else Source("CRM_UI", f"userId:{user}", user)
        self.state.put(self.state.records[kind][id], values, source)
        return {"at": self.state.now}

    def many(self, steps: list[Json]) -> list[Json]:
        """Several of these at once: each names its method under `do`."""
        return [getattr(self, step.pop("do"))(**step) for step in steps]

    def merge(self, primary: str, other: str, user: int) -> Json:
        """Somebody merges a contact into another."""
        self.state.merge(primary, other, Source("CRM_UI", f"userId:{user}", user))
        return {}

    def delete(self, kind: str, id: str) -> Json:
        """Somebody deletes a record."""
        self.state.archive(kind, id)
        return {}

    def records(self, kind: str) -> list[Json]:
        """Every record of this kind that was not deleted, with all its properties and ties."""
        return [
            {
                "id": one.id,
                **{name: one.value(name) for name in one.history},
                "ties": {kind: sorted(ids) for kind, ids in self.state.tied[(kind, one.id)].items() if ids},
            }
            for one in self.state.records[kind].values()
            if not one.archived_at
        ]

    def seen(self) -> Json:
        """What was asked, and what of it was not as HubSpot describes its API."""
        return {"problems": self.server.problems[:5], "requests": self.server.requests}


def main() -> None:
    """Serve on a free port of this machine and print it."""
    taken = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sends without a delay on such a socket alone
    taken.bind(("127.0.0.1", 0))
    taken.listen(128)
    print(taken.getsockname()[1], flush=True)
    config = uvicorn.Config(HubSpot(), log_level="warning", date_header=False, server_header=False, lifespan="off")
    asyncio.run(uvicorn.Server(config).serve(sockets=[taken]))


if __name__ == "__main__":
    main()

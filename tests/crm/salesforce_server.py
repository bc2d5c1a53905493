"""A stand-in for Salesforce: a process that answers over HTTP as the REST API does.

`python -m tests.crm.salesforce_server` prints its port and serves until its standard input ends.

/admin/… is not Salesforce's: there a test acts as a person, moves the clock, puts faults in, and looks at what is stored.
"""

from __future__ import annotations

import json
import random
import re
import secrets
import sys
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.crm.salesforce_org import BATON_USER, Org, Refused, in_json, moved
from tests.crm.soql_rows import QueryRefused

API = "/services/data/v62.0/"
KEY, SECRET = "3MVG9stand.in_key", "stand-in:secret"
#: Salesforce's own answers to trouble, by name: status, code and message.
FAULTS = {
    "limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "away": (503, "SERVER_UNAVAILABLE", "Server is temporarily unavailable"),
    "broken": (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1 (1)"),
    "locked": (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 00Q000000000001AAA"),
    "expired": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
}


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


class State:
    """The org, who is logged in, and which faults are to come."""

    def __init__(self) -> None:
        self.org, self.tokens, self.locators = Org(), set[str](), dict[str, list[dict[str, Any]]]()
        self.page, self.faults, self.log = 2000, list[dict[str, Any]](), list[str]()
        self.storm, self.random, self.secret = 0.0, random.Random(0), SECRET
        self.duplicates: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    state = State()
    lock = threading.Lock()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def answer(self) -> None:
        """Answer any method."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.lock:
            found, drop = self._found(body)
        if drop:
            self.close_connection = True
            return
        raw = b"" if found.body is None else found.body.encode() if isinstance(found.body, str) else json.dumps(found.body).encode()
        lines = [f"HTTP/1.1 {found.status} said", f"Content-Length: {len(raw)}", "Content-Type: application/json;charset=UTF-8"]
        lines += [f"Date: {format_datetime(self.state.org.now, usegmt=True)}", "Sforce-Limit-Info: api-usage=18/15000"]
        lines += [f"{name}: {value}" for name, value in found.headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + raw)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of http.server

    def _found(self, body: bytes) -> tuple[Answer, bool]:
        path, state = urlsplit(self.path), type(self).state
        if path.path.startswith("/admin/"):
            return Answer(200, json.dumps(self._admin(path.path.removeprefix("/admin/"), json.loads(body or b"{}")))), False
        if path.path == "/services/oauth2/token":
            return self._token(parse_qs(body.decode())), False
        state.log.append(f"{self.command} {unquote(self.path.removeprefix(API))}")
        fault = self._fault(body.decode())
        if fault in FAULTS:
            return _fault_answer(fault), False
        if fault == "silent":
            return Answer(500), True
        if self.headers.get("authorization", "").removeprefix("Bearer ") not in state.tokens:
            return _fault_answer("expired"), False
        found = answered(state, self.command, self.path.removeprefix(API), json.loads(body) if body else {})
        if fault == "lost":  # the work is done, and nobody hears of it
            return found, True
        if fault == "page":
            return Answer(200, "<html><body>Down for maintenance</body></html>"), False
        return found, False

    def _fault(self, body: str) -> str:
        state = type(self).state
        request = f"{self.command} {unquote(self.path)} {body}"
        for fault in state.faults:
            if fault["times"] > 0 and re.search(fault.get("where", ""), request):
                fault["times"] -= 1
                if fault["name"] == "expired":
                    state.tokens.clear()
                return str(fault["name"])
        if state.random.random() < state.storm:
            return state.random.choice(["limit", "away", "broken", "locked", "silent", "lost"])
        return ""

    def _token(self, form: Mapping[str, list[str]]) -> Answer:
        state = type(self).state
        given = {name: values[0] for name, values in form.items()}
        if given.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        if given.get("client_id") != KEY:
            return Answer(400, {"error": "invalid_client_id", "error_description": "client identifier invalid"})
        if given.get("client_secret") != state.secret:
            return Answer(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        token = f"00D000000000001!{secrets.token_urlsafe(24)}"
        state.tokens.add(token)
        url = f"http://127.0.0.1:{self.connection.getsockname()[1]}"
        ident = f"{url}/id/00D000000000001AAA/{BATON_USER}"
        told = {
            "access_token": token,
            "instance_url": url,
            "id": ident,
            "token_type": "Bearer",
            "scope": "api",
            "issued_at": "1801558800000",
        }
        return Answer(200, told)

    def _admin(self, what: str, told: dict[str, Any]) -> Any:
        state = type(self).state
        org = state.org
        by = told.pop("by", BATON_USER)
        if (at := told.pop("at", None)) is not None:
            org.now = datetime.fromisoformat(at)
        late = timedelta(seconds=told.pop("late", 0))
        org.now -= late  # a record that is seen later than its time says
        try:
            return _acted(type(self), state, what, told, by)
        except Refused as refused:
            return {"refused": refused.body}
        finally:
            org.now = type(self).state.org.now if what == "reset" else org.now + late


def _acted(handler: type[Handler], state: State, what: str, told: dict[str, Any], by: str) -> Any:
    org = state.org
    if what == "reset":
        handler.state = State()
    elif what == "set":
        for name, value in told.items():
            setattr(state if hasattr(state, name) else org, name, value)
        state.random = random.Random(told.get("seed", 0))
    elif what == "forget":
        org.columns.pop(told["kind"]) if "column" not in told else org.columns[told["kind"]].discard(told["column"])
    elif what == "column":
        org.columns[told["kind"]].add(told["column"])
    elif what == "fault":
        state.faults.append({"times": 1, **told})
    elif what == "user":
        return org.add_user(told["name"], told["email"], active=told.get("active", True))
    elif what == "raw":
        org.tables[told["kind"]][told["id"]].update(told["values"])
    elif what == "create":
        return org.create(told["kind"], told["values"], by=by)
    elif what == "many":
        return [org.create(told["kind"], one, by=by) for one in told["values"]]
    elif what == "update":
        org.update(told["kind"], told["id"], told["values"], by=by)
    elif what == "delete":
        org.delete(told["kind"], told["id"], by=by)
    elif what == "merge":
        org.merge(told["kind"], told["master"], told["loser"], by=by)
    elif what == "convert":
        return org.convert(told.pop("id"), by=by, **told)
    elif what == "rows":
        return [{name: in_json(value) for name, value in row.items()} for row in org.tables[told["kind"]].values()]
    elif what == "log":
        return state.log
    elif what == "move":
        moved(org, told["seconds"])
    else:
        raise ValueError(what)
    return None


def answered(state: State, method: str, path: str, body: dict[str, Any]) -> Answer:
    """Answer one request of the API. path: after the version."""
    try:
        if path == "composite" and method == "POST":
            return _composite(state, body)
        with state.org.whole():
            return _one(state, method, path, body)
    except QueryRefused as refused:
        return Answer(400, [{"message": str(refused), "errorCode": refused.code}])
    except Refused as refused:
        return Answer(refused.status, refused.body)


def _one(state: State, method: str, path: str, body: Mapping[str, Any]) -> Answer:
    split = urlsplit(path)
    parts = [unquote(part) for part in split.path.split("/")]
    if method == "GET" and parts[0] in ("query", "queryAll"):
        return _query(state, parts, parse_qs(split.query))
    if method == "GET" and parts[0] == "sobjects" and parts[2:] == ["describe"]:
        fields = [state.org.described(parts[1], name) for name in sorted(state.org.columns[parts[1]])]
        more = [{"name": "CurrencyIsoCode", "type": "picklist"}] if state.org.multi_currency else []
        return Answer(200, {"name": parts[1], "fields": [*fields, *more]})
    if parts[0] == "sobjects" and len(parts) == 2 and method == "POST":
        _look_for_duplicates(state, parts[1])
        return Answer(201, {"id": state.org.create(parts[1], body, by=BATON_USER), "success": True, "errors": []})
    if parts[0] == "sobjects" and len(parts) == 3 and method == "PATCH":
        state.org.update(parts[1], parts[2], body, by=BATON_USER)
        return Answer(204)
    if parts[0] == "sobjects" and len(parts) == 3 and method == "DELETE":
        state.org.delete(parts[1], parts[2], by=BATON_USER)
        return Answer(204)
    if parts[0] == "sobjects" and len(parts) == 4 and method == "PATCH":
        return _upsert(state, parts[1], parts[2], parts[3], body)
    raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)


def _upsert(state: State, kind: str, column: str, value: str, body: Mapping[str, Any]) -> Answer:
    org = state.org
    if column not in org.columns.get(kind, ()):
        message = f"Provided external ID field does not exist or is not accessible: {column}"
        raise Refused("NOT_FOUND", message, status=404)
    if column in body:
        message = f"The {column} field should not be specified in the sobject data."
        raise Refused("INVALID_FIELD", message, fields=(column,))
    found = [row for row in org.tables[kind].values() if not row["IsDeleted"] and str(row[column] or "").casefold() == value.casefold()]
    if len(found) > 1:
        return Answer(300, [f"{API}sobjects/{kind}/{row['Id']}" for row in found])
    if found:
        org.update(kind, found[0]["Id"], body, by=BATON_USER)
        return Answer(200, {"id": found[0]["Id"], "success": True, "errors": [], "created": False})
    _look_for_duplicates(state, kind)
    ident = org.create(kind, {**body, column: value}, by=BATON_USER)
    return Answer(201, {"id": ident, "success": True, "errors": [], "created": True})


def _look_for_duplicates(state: State, kind: str) -> None:
    if state.duplicates and kind == "Lead":
        records = [
            {"additionalInformation": [], "fieldDiffs": [], "record": {"attributes": {"type": "Lead"}, "Id": one}}
            for one in state.duplicates
        ]
        matches = [
            {"entityType": "Lead", "matchEngine": "FuzzyMatchEngine", "matchRecords": records, "size": len(records), "success": True}
        ]
        result = {"allowSave": False, "duplicateRule": "Block", "duplicateRuleEntityType": "Lead", "matchResults": matches}
        raise Refused("DUPLICATES_DETECTED", "Use one of these records?", duplicateResult=result)


def _query(state: State, parts: list[str], asked: Mapping[str, list[str]]) -> Answer:
    if len(parts) == 2:
        if parts[1] not in state.locators:
            raise Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
        rows = state.locators.pop(parts[1])
    else:
        rows = state.org.select(asked["q"][0], deleted=parts[0] == "queryAll")
    page, rest = rows[: state.page], rows[state.page :]
    told: dict[str, Any] = {"totalSize": len(rows), "done": not rest, "records": page}
    if rest:
        locator = f"01g{secrets.token_hex(7)}-{state.page}"
        state.locators[locator] = rest
        told["nextRecordsUrl"] = f"{API}query/{locator}"
    return Answer(200, told)


def _composite(state: State, body: Mapping[str, Any]) -> Answer:
    """Several requests, all or none. A later one may name what an earlier one made."""
    results, made = list[dict[str, Any]](), dict[str, Any]()
    try:
        with state.org.whole():
            for one in body["compositeRequest"]:
                results.append(_result(state, one, made))
                if results[-1]["httpStatusCode"] >= 300:
                    raise Refused("PROCESSING_HALTED", "")
    except Refused:
        halted = "The transaction was rolled back since another operation in the same transaction failed."
        bad = results[-1]
        results = [
            bad if one["referenceId"] == bad["referenceId"] else _bare(one, 400, [{"errorCode": "PROCESSING_HALTED", "message": halted}])
            for one in body["compositeRequest"]
        ]
    return Answer(200, {"compositeResponse": results})


def _result(state: State, one: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps({"url": one["url"], "body": one.get("body", {})})
    for ref, told in made.items():
        text = text.replace("@{" + ref + ".id}", str(told.get("id"))) if isinstance(told, Mapping) else text
    request = json.loads(text)
    if "@{" in text:
        message = f"Invalid reference specified. No value for {text[text.index('@{') :][:30]}"
        return _bare(one, 400, [{"errorCode": "PROCESSING_HALTED", "message": message}])
    try:
        found = _one(state, one["method"], request["url"].removeprefix(API), request["body"])
    except QueryRefused as refused:
        return _bare(one, 400, [{"errorCode": refused.code, "message": str(refused)}])
    except Refused as refused:
        return _bare(one, refused.status, refused.body)
    made[one["referenceId"]] = found.body
    return _bare(one, found.status, found.body)


def _bare(one: Mapping[str, Any], status: int, body: Any) -> dict[str, Any]:
    return {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": one["referenceId"]}


def _fault_answer(name: str) -> Answer:
    status, code, message = FAULTS[name]
    return Answer(status, [{"message": message, "errorCode": code}], {"Retry-After": "7"} if name == "away" else {})


def main() -> None:
    """Serve until standard input ends, which it does when the test process does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

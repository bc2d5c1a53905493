"""A description of the pages behind links, as OpenAPI has it, by which they are fuzzed. People read the pages; nobody else needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What forms may send, each with what is likely to reach the code behind it; any other text is sent too.
FIELDS: dict[str, list[str]] = {
    "nonce": ["NONCE", ""],
    "choice": ["accepted", "rejected", "handed", "returned", "attempted", "connected", "completed", "decided", "sign", "object", ""],
    "decision": ["reassign", "nurture", "upheld", "overturned"],
    "reason": ["not-now", "other", "wrong-rep", "uses-competitor", "no-response"],
    "text": ["", "Because.", "\x00", "x" * 10_001],
    "colleague": ["ben", "ana", "maria"],
    "revisit_on": ["2027-01-31", "9999-12-31", "0001-01-01", "-1-1-1"],
    "renewal_date": ["2027-02-30"],
    "channel": ["phone", "email"],
    "refused": ["all", "phone", "email"],
    "member": ["ana"],
    "number": ["", "0000", "١٢٣٤", "9" * 5000],
    "answer_id": ["1", "0", "-1", "9" * 18, "9" * 5000, "1e1000000"],
    "name": ["Ana", ""],
    "code": ["123456", "000000"],
    "token": ["TOKEN"],
    "wait_id": ["WAIT", ""],
    "state_why_qualified": ["x"],
    "wrong_buying_signal": ["on"],
}
#: What may stand behind the question mark.
QUERY: dict[str, list[str]] = {
    name: ["1", "0", "9" * 5000, "x", "-1"] for name in ("done", "held", "late", "undone", "kept", "noted", "anew", "from", "saved", "left")
}


def described(links: Mapping[str, list[str]], rows: list[str]) -> dict[str, Any]:
    """The description of the pages. links: the tokens that there are, by the template of the path; rows: ids of a digest's rows."""
    paths: dict[str, Any] = {}
    for template, tokens in links.items():
        for part in _PARTS.get(template, [""]):
            places = {"token": tokens, "wait_id": ["WAIT"]}
            shown = [_parameter(name, "path", values) for name, values in places.items() if f"{{{name}}}" in template]
            paths[template + part] = _operations(shown, rows if template.startswith("/d/") else [])
    for path in _WITHOUT_LINK:
        paths[path] = _operations([], [])
    return {"openapi": "3.1.0", "info": {"title": "Pages", "version": "1"}, "paths": paths}


_WITHOUT_LINK = (
    *("/", "/me", "/me/enrol", "/me/code", "/me/forget", "/healthz", "/healthz/clock", "/metrics"),
    *("/api/docs", "/api/openapi.json", "/hooks/slack", "/hooks/dsn", "/intake/none"),
)
_PARTS = {"/l/{token}": ["", "/number", "/undo"], "/m/{token}/{wait_id}": ["", "/number", "/undo"], "/sign/{token}": ["", "/withdraw"]}


def _operations(parameters: list[Any], rows: list[str]) -> dict[str, Any]:
    asked = [*parameters, *(_parameter(name, "query", values) for name, values in QUERY.items())]
    fields = {**FIELDS, **{f"{name}-{row}": FIELDS.get(name, ["WAIT"]) for row in rows for name in ("choice", "wait", "reason", "text")}}
    form = {"type": "object", "required": ["choice", "reason"], "properties": {name: _one_of(values) for name, values in fields.items()}}
    answers = {"default": {"description": "A page."}}
    return {
        "get": {"parameters": asked, "responses": answers},
        "head": {"parameters": asked, "responses": answers},
        "post": {
            "parameters": parameters,
            "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}},
            "responses": answers,
        },
    }


def _parameter(name: str, place: str, values: list[str]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": _one_of(values)}


def _one_of(values: list[str]) -> dict[str, Any]:
    return {"anyOf": [{"enum": values}, {"type": "string", "maxLength": 40}]}

"""Holds each request and each answer of the HubSpot stand-in against the vendor's own descriptions, where they are there."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

ROOT = Path(__file__).resolve().parents[2]
#: The descriptions are beside the project, and not part of it.
FOLDER = ROOT.parent / "shared" / "specs" / "hubspot"
_HOST = "https://api.hubapi.com"
_OF_THEIR_OWN = ("contacts", "companies", "tasks", "notes", "calls", "emails", "meetings")


@cache
def _description(name: str) -> OpenAPI | None:
    if not FOLDER.is_dir():
        return None
    described = json.loads((FOLDER / name).read_text())
    for operations in described["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)  # the stand-in checks the token itself
    return OpenAPI.from_dict(described, config=Config(spec_validator_cls=None))


def _file_of(path: str) -> str:
    parts = path.strip("/").split("/")
    if parts[1] == "v4":
        return "associations.json"
    if parts[2] == "owners":
        return "crmOwners.json"
    if parts[2] in ("lists", "properties"):
        return f"{parts[2]}.json"
    if parts[2] == "pipelines":
        return "pipelines.json"
    return f"{parts[3]}.json" if parts[3] in _OF_THEIR_OWN else "objects.json"


def problems_of(method: str, path: str, query: dict[str, Any], asked: bytes, status: int, answered: bytes) -> list[str]:
    """Return what in this request and its answer is not as the vendor describes it."""
    described = _description(_file_of(path))
    if described is None:
        return []
    headers = {"Authorization": "Bearer token"}
    request = MockRequest(_HOST, method.lower(), path, args=query, headers=headers, data=asked or None, content_type="application/json")
    found = []
    try:
        described.validate_request(request)
    except OpenAPIError as error:
        found.append(f"request {method} {path} {query} {asked[:300]!r}: {_said(error)}")
    if status < 300:
        response = MockResponse(answered, status_code=status, content_type="application/json" if answered else "")
        try:
            if status != 204:
                described.validate_response(request, response)
        except OpenAPIError as error:
            found.append(f"answer {status} to {method} {path} {answered[:300]!r}: {_said(error)}")
    elif not {"category", "correlationId", "message"} <= json.loads(answered).keys():
        found.append(f"answer {status} to {method} {path}: no error as HubSpot gives them")
    return found


def _said(error: BaseException) -> str:
    inner = getattr(error, "schema_errors", None) or error.__cause__
    details = [str(getattr(one, "message", one)) for one in inner] if isinstance(inner, (list, tuple)) else [str(inner)]
    cause = getattr(error.__cause__, "schema_errors", ()) or ()
    return f"{error} {details} {[getattr(one, 'message', one) for one in cause]}"

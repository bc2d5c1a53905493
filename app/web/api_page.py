"""The page that says how to send leads, built from the model that validates them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from agreements.lead import IncomingLead
from app.web import intake
from app.web.rendering import page
from tasks.wiring.toolbox import Toolbox

_MEANINGS = {
    "source": "who sends it",
    "source_id": "its id there; source and source_id together name the lead forever",
    "conversion_id": "names what the lead did; the same id twice changes nothing",
    "at": "when it happened; now if left out",
    "message": "what the lead wrote, in its own words",
    "requested_time": "when the lead asked to be contacted",
    "fields": "up to 100 further facts by name, as the agreement asks for them: text of up to 10,000 characters, a number, true or false",
}


def routes(box: Toolbox) -> APIRouter:
    """Return the route of the intake's page."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/api/docs", methods=["GET", "HEAD"])
    async def docs(request: Request) -> Response:
        return page(
            "api.html",
            base=request.scope["root_path"],
            url=box.settings.public_url,
            fields=_fields(),
            answers=[(status, one["description"]) for status, one in intake.ANSWERS.items()],
            max_leads=intake.MAX_LEADS,
            max_bytes=intake.MAX_BYTES,
        )

    return router


def _fields() -> list[tuple[str, str]]:
    schema = IncomingLead.model_json_schema()
    required = schema.get("required", [])
    return [(name, _holds(name, one, name in required)) for name, one in schema["properties"].items()]


def _holds(name: str, one: dict[str, Any], required: bool) -> str:
    kinds = [one, *one.get("anyOf", [])]
    longest = next((kind["maxLength"] for kind in kinds if "maxLength" in kind), None)
    is_time = any(kind.get("format") == "date-time" for kind in kinds)
    words = [
        "required" if required else "",
        _MEANINGS.get(name, ""),
        f"up to {longest:,} characters" if longest else "",
        "a time with its zone, as 2027-01-31T09:00:00+01:00" if is_time else "",
        "true or false" if one.get("type") == "boolean" else "",
    ]
    return "; ".join(filter(None, words))

"""Fetches the leads that a payload only names by an id: from Facebook, HubSpot or LinkedIn, with a token of the company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from app.intake_doors.fetched import as_mapped
from app.intake_doors.map_parts import Fetch, FetchFrom
from app.web.bodies import NotJson, read_json

SECONDS = 10.0
MAX_BYTES = 1_000_000
#: The longest wait that a vendor may ask for.
LONGEST_WAIT = timedelta(hours=6)

_FIELDS_OF_FACEBOOK = "id,created_time,form_id,ad_id,ad_name,campaign_id,campaign_name,platform,is_organic,field_data"
_FIELDS_OF_LINKEDIN = "id,submittedAt,leadType,testLead,formResponse,leadMetadataInfo,form:(name,id,hiddenFields,content)"
_PROPERTIES_OF_HUBSPOT = (
    "email",
    "firstname",
    "lastname",
    "phone",
    "company",
    "jobtitle",
    "country",
    "message",
    "createdate",
    "numemployees",
)
_LINKEDIN_VERSION = "202606"


class FetchFailed(Exception):
    """The lead could not be fetched; the message says why and what to do.

    for_good: another try would end alike. wait: how long the vendor asks to wait, None where it says nothing.
    """

    def __init__(self, said: str, *, for_good: bool = False, wait: timedelta | None = None) -> None:
        self.for_good, self.wait = for_good, wait
        super().__init__(said)


async def fetch(client: httpx.AsyncClient, how: Fetch, ident: str, token: str) -> Any:
    """Return what the vendor's API says about the lead of this id. Raises FetchFailed; no message holds the token."""
    path, query, headers = _request(how, ident)
    try:
        async with client.stream(
            "GET", f"{how.base}{path}", params=query, headers={"Authorization": f"Bearer {token}", **headers}, timeout=SECONDS
        ) as answer:
            if answer.status_code != 200:
                raise _refused(answer)
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise FetchFailed(f"The answer is longer than {MAX_BYTES:,} bytes.", for_good=True)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise FetchFailed(f"{how.source} could not be asked ({type(error).__name__}). Baton tries again.") from None
    try:
        found = read_json(body)
    except NotJson as error:
        raise FetchFailed(f"The answer of {how.source} cannot be read: {error}") from None
    return as_mapped(how.source, found)


def _request(how: Fetch, ident: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return path, query and headers. No character of the id leads to another path."""
    safe = quote(ident, safe="")
    requests: Mapping[FetchFrom, tuple[str, dict[str, str], dict[str, str]]] = {
        "facebook-lead": (f"/{safe}", {"fields": _FIELDS_OF_FACEBOOK}, {}),
        "hubspot-contact": (
            f"/crm/v3/objects/contacts/{safe}",
            {"properties": ",".join(how.properties or _PROPERTIES_OF_HUBSPOT)},
            {},
        ),
        "linkedin-lead": (
            f"/rest/leadFormResponses/{safe}",
            {"fields": _FIELDS_OF_LINKEDIN},
            {"LinkedIn-Version": _LINKEDIN_VERSION, "X-Restli-Protocol-Version": "2.0.0"},
        ),
    }
    return requests[how.source]


def _refused(answer: httpx.Response) -> FetchFailed:
    status = answer.status_code
    if status in (401, 403):
        return FetchFailed(f"The token is refused ({status}). Give Baton a token that may read leads; it tries again.")
    if status in (400, 404, 410):
        return FetchFailed(f"There is no such lead, or the token may not see it ({status}).", for_good=True)
    asked = answer.headers.get("retry-after", "")
    wait = min(timedelta(seconds=int(asked[:6])), LONGEST_WAIT) if asked.isdecimal() else None
    return FetchFailed(f"It answers {status}. Baton tries again.", wait=wait)

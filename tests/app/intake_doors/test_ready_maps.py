"""Each ready map reads a payload as its vendor documents it, and says what is wrong with a wrong one."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agreements.lead import IncomingLead
from app.intake_doors import mapping, payload
from app.intake_doors.door_map import read_door
from app.intake_doors.fetched import as_mapped
from app.intake_doors.mapping import Part

HERE = Path(__file__).parent
MAPS = Path("examples/maps/intake")
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
AT = datetime(2025, 11, 30, 10, 2, 17, tzinfo=UTC)
NORA = {"email": "nora.lind@pier.example", "first_name": "Nora", "last_name": "Lind", "phone": "+46855512345"}
AGREED = {"channel": "email", "purpose": "marketing", "basis": "consent"}

#: By map: what the lead of the recorded payload is, besides Nora's own facts.
EXPECTED: dict[str, dict[str, Any]] = {
    "typeform": {
        "source_id": "7m2kq9f3x5v8b1n6c4z0",
        "conversion_id": "01JB7Q4T9ZK3X2M5R8V6W1Y0AB",
        "at": AT,
        "country": "SE",
        "path": "/demo",
        "campaign": "autumn-webinar",
        "fields": {"employees": 140},
        "consents": [{**AGREED, "source": "typeform"}],
    },
    "calendly": {
        "source_id": "nora.lind@pier.example",
        "conversion_id": "https://api.calendly.com/scheduled_events/POIUYTREWQLKJHGF/invitees/ZXCVBNMASDFGHJKL",
        "at": AT,
        "company": "Pier Shipping",
        "message": "We lose leads between two tools.",
        "campaign": "autumn-webinar",
        "activity": "meeting_booked",
        "fields": {"meeting_type": "Product demo", "meeting_at": "2026-12-03T13:00:00.000000Z"},
    },
    "html-form": {
        "source": "website",
        "source_id": "nora.lind@pier.example",
        "company": "Pier Shipping",
        "country": "SE",
        "message": "Please call \N{EN DASH} soon",
        "campaign": "autumn-webinar",
        "path": "/contact",
        "consents": [{**AGREED, "source": "website"}],
    },
    "json": {
        "source": "zapier",
        "source_id": "90071992547409931234",
        "conversion_id": "7781",
        "phone": "46855512345",
        "at": AT,
        "company": "Pier Shipping",
        "country": "SE",
        "fields": {"employees": 140},
    },
    "hubspot-form": {
        "source_id": "3301",
        "conversion_id": "9d1c2c52-5b7e-4f0e-8e0c-2f6f1f7a9b10",
        "at": AT,
        "company": "Pier Shipping",
        "country": "SE",
        "path": "Ask for a demo",
        "fields": {"employees": 140},
    },
}
EXPECTED |= {
    "facebook-lead": {
        "source": "facebook",
        "source_id": "44444444444444401",
        "conversion_id": "44444444444444401",
        "at": AT,
        "company": "Pier Shipping",
        "campaign": "autumn-webinar",
        "entry_channel": "paid_social",
        "fields": {"form": "12312312312312", "ad": "Warehouse film"},
    },
    "linkedin-lead": {
        "source": "linkedin",
        "source_id": "a9a29e52-c0a3-42e3-8af1-2fc83b697003-4",
        "conversion_id": "a9a29e52-c0a3-42e3-8af1-2fc83b697003-4",
        "at": AT,
        "company": "Pier Shipping",
        "campaign": "autumn-webinar",
        "entry_channel": "paid_social",
        "fields": {"form": "Ask for a demo"},
    },
    "hubspot-webhook": {
        "source": "hubspot",
        "source_id": "1246965",
        "conversion_id": "3816279340",
        "at": AT,
        "company": "Pier Shipping",
        "country": "SE",
        "fields": {"employees": 140},
    },
}


def recorded(name: str) -> Any:
    """The recorded payload of that map, as it is read."""
    file = HERE / f"payloads/{name}.json"
    if file.exists():
        return payload.read(file.read_bytes(), "application/json").value
    return payload.read(file.with_suffix(".form").read_bytes(), "application/x-www-form-urlencoded").value


def fetched(name: str) -> Any:
    """What the vendor's API says of the lead, as Baton gets it."""
    found = json.loads((HERE / f"payloads/{name}.fetched").read_text())
    fetch = read_door(MAPS / f"{name}.yaml").fetch
    assert fetch is not None
    return as_mapped(fetch.source, found)


def lead_of(name: str, value: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The facts of the only lead in this payload, and its problems."""
    door = read_door(MAPS / f"{name}.yaml")
    (part,) = mapping.parts_of(door, value)
    assert mapping.is_meant(door, part)
    if door.fetch and not mapping.fetch_id(door, part):
        return {}, [{"field": "fetch", "problem": "has no id"}]
    return mapping.facts_of(door, Part(fetched(name), part.whole) if door.fetch else part, now=NOW)


def test_every_ready_map_has_a_recorded_payload() -> None:
    assert {path.stem for path in MAPS.glob("*.yaml")} == EXPECTED.keys() == {case[0] for case in WRONG}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_payload_is_the_lead_that_it_says(name: str) -> None:
    facts, problems = lead_of(name, recorded(name))

    assert problems == []
    expected = {"source": name, "activity": "form_submitted", "entry_channel": "web", **NORA, **EXPECTED[name]}
    assert IncomingLead.model_validate(facts) == IncomingLead.model_validate(expected)


def _at(*way: Any, value: Any) -> Callable[[Any], Any]:
    def change(payload: Any) -> Any:
        here = payload
        for step in way[:-1]:
            here = here[step]
        here[way[-1]] = value
        return payload

    return change


#: By map: a payload that is not as documented, and the fact of which that is said.
WRONG: list[tuple[str, Callable[[Any], Any], str]] = [
    ("typeform", _at("form_response", "token", value=None), "source_id"),
    ("typeform", _at("form_response", "submitted_at", value=1764496937), "at"),
    ("typeform", _at("form_response", "answers", 0, "email", value={"address": "x"}), "email"),
    ("calendly", _at("payload", "email", value=""), "source_id"),
    ("calendly", _at("created_at", value="yesterday"), "at"),
    ("html-form", _at("email", value="no address"), "email"),
    ("json", _at(0, "id", value=1.5e30), "source_id"),
    ("json", _at(0, "company", value="x" * 300), "company"),
    ("hubspot-form", _at("form-submissions", 0, "timestamp", value="2025-11-30"), "at"),
    ("facebook-lead", _at("entry", 0, "changes", 0, "value", value={"page_id": "1"}), "fetch"),
    ("linkedin-lead", _at("leadGenFormResponse", value=None), "fetch"),
    ("hubspot-webhook", _at(0, "objectId", value={"id": 1}), "fetch"),
    ("hubspot-form", _at("properties", "numemployees", "value", value="many"), "employees"),
]


@pytest.mark.parametrize(("name", "change", "fact"), WRONG)
def test_a_wrong_payload_is_refused_with_the_place(name: str, change: Callable[[Any], Any], fact: str) -> None:
    facts, problems = lead_of(name, change(deepcopy(recorded(name))))

    if problems:
        assert [one["field"] for one in problems] == [fact]
    else:
        with pytest.raises(ValueError, match=fact):
            IncomingLead.model_validate(facts)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("typeform", _at("event_type", value="form_response_partial")),
        ("calendly", _at("event", value="invitee.canceled")),
        ("facebook-lead", _at("entry", 0, "changes", 0, "field", value="feed")),
        ("linkedin-lead", _at("leadAction", value="DELETED")),
        ("hubspot-webhook", _at(0, "subscriptionType", value="contact.propertyChange")),
        ("hubspot-webhook", _at(0, "changeSource", value="INTEGRATION")),
    ],
)
def test_what_a_map_is_not_about_is_passed_over(name: str, change: Callable[[Any], Any]) -> None:
    door = read_door(MAPS / f"{name}.yaml")
    (part,) = mapping.parts_of(door, change(deepcopy(recorded(name))))
    assert not mapping.is_meant(door, part)

"""Shortened numbers are refused, links in names are found, and nobody asks for a call in the past or in years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from agreements.lead import IncomingLead
from agreements.slips import has_link, unlikely_request

SHORTENED = ["1.2E+15", "1,2E+15", "4,91512E+11", "4.91512e+11", "1E+15", "+4.9E+11", "'4.91E+11", "1.2E15", "4,9 E+11", "-3E-05", "1.0E-7"]
WHOLE = [
    "491512345678",
    "+49 151 2345678",
    "12e34",
    "1E5",
    "5e10a",
    "E+15",
    "1.2.3",
    "0049",
    "3f9e",
    "id-1.2E+15-x",
    "a1.2E+15",
    "(030) 1,2",
    "",
]


@pytest.mark.parametrize("text", SHORTENED)
@pytest.mark.parametrize("field", ["source_id", "conversion_id", "phone"])
def test_a_number_that_a_spreadsheet_shortened_is_refused_with_the_remedy(field: str, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        IncomingLead.model_validate({"source_id": "1", field: text})

    (error,) = refused.value.errors()
    assert error["loc"] == (field,)
    assert "format the column as text" in error["msg"]


@pytest.mark.parametrize("text", WHOLE)
def test_other_ids_and_numbers_are_taken(text: str) -> None:
    lead = IncomingLead(source_id=text or "1", conversion_id=text, phone=text)

    assert (lead.conversion_id, lead.phone) == (text, text)


def test_other_facts_may_look_like_a_shortened_number() -> None:
    assert IncomingLead(source_id="1", message="1.2E+15", company="1.2E+15", fields={"revenue": "1.2E+6"}).company == "1.2E+15"


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("https://win.example/x", "", True),
        ("Ana hxxp://win.example", "Novak", True),
        ("Ana", "www.win-big.example", True),
        ("WWW . win", "", True),
        ("claim t.me/prize", "", True),
        ("bit.ly/abc", "", True),
        ("Ana", "visit winbig.com now", True),
        ("Hello.shop.ru", "", True),
        ('<a href="x">Ana</a>', "", True),
        ("[url=x]Ana", "", True),
        ("Ana", "Novak", False),
        ("Dr. Web.de", "", False),
        ("Anna.de Souza", "", False),
        ("Dr. J.R.", "St.John-Smith", False),
        ("Anil", "Kumar B.Com", False),
        ("ana@firm.com", "", False),
        ("ana.b@mail.firm.com", "", False),
        ("Mary/Jane", "O'Neil Jr.", False),
        ("Ho Chi", "Nguyen, MBA.", False),
        ("", "", None),
    ],
)
def test_links_in_names(first: str, last: str, found: bool | None) -> None:
    assert has_link(first, last) is found


ASKED = datetime(2025, 3, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "problem"),
    [
        (timedelta(0), ""),
        (timedelta(hours=2), ""),
        (timedelta(days=365), ""),
        (-timedelta(minutes=15), ""),
        (-timedelta(minutes=16), "had passed when the lead asked for it, at 2025-03-03T10:00Z"),
        (-timedelta(days=400), "had passed"),
        (timedelta(days=365, minutes=1), "is more than a year after the request"),
        (timedelta(days=4000), "is more than a year"),
    ],
)
def test_a_contact_time_is_judged_by_the_time_of_its_request(ahead: timedelta, problem: str) -> None:
    given: dict[str, Any] = {"source_id": "1", "at": ASKED, "requested_time": ASKED + ahead}

    assert unlikely_request(ASKED + ahead, asked_at=ASKED).startswith(problem)
    if problem:
        with pytest.raises(ValidationError) as refused:
            IncomingLead.model_validate(given)
        assert [error["loc"] for error in refused.value.errors()] == [("requested_time",)]
        assert "correct the time or its zone" in str(refused.value)
    else:
        assert IncomingLead.model_validate(given).requested_time == ASKED + ahead

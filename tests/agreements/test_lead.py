"""A lead as it comes in: what is an address, whom it belongs to, and what a door must refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agreements.lead import IncomingLead, LeadFacts, domain_of, is_address, kinds_of_mail, mail_key


@pytest.mark.parametrize(
    "text",
    [
        "lee@harbour.example",
        "LEE@HARBOUR.EXAMPLE",
        "lee.o'hara+demo@mail.harbour.example",
        "müller@käse.example",
        "x@y.z",
        "1@2.3",
        "_-!#$%&'*/=?^`{|}~@harbour.example",
        "a" * 180 + "@harbour.example",
        "lee@harbour.local",
        "lee@harbour.test",
        "lee@xn--kse-qla.example",
    ],
)
def test_what_looks_like_an_address_is_one(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "lee",
        "lee@",
        "@harbour.example",
        "lee@harbour",
        "lee@@harbour.example",
        "lee@harbour@harbour.example",
        "lee@.example",
        "lee@harbour.",
        "lee@harbour..example",
        "lee @harbour.example",
        "lee@harbour.example ",
        "lee@harbour.example\n",
        "lee@harbour.example\r\nBcc: all@evil.example",
        "lee@harbour.example\x00",
        "lee@harbour.example\t",
        "lee\u00a0@harbour.example",
        "lee\u2028@harbour.example",
        "lee\u202e@harbour.example",
        "lee\u200b@harbour.example",
        "lee@harbour.exam\udcffple",
        "Lee <lee@harbour.example>",
        "lee@harbour.example, all@evil.example",
        "lee@harbour.example;all@evil.example",
        "lee(x)@harbour.example",
        '"lee"@harbour.example',
        "lee\\@harbour.example",
        "mailto:lee@harbour.example",
        "lee@[127.0.0.1]",
        "lee..o@harbour.example",
        ".lee@harbour.example",
        "lee.@harbour.example",
        "lee@-harbour.example",
        "lee@harbour-.example",
        "lee@har_bour.example",
        "lee@xn--a.example",
        "lee@" + "h" * 64 + ".example",
        "lee@harbour.invalid",
        "lee@harbour.onion",
        "a" * 200 + "@harbour.example",
        "@" * 100_000,
        "a." * 100_000 + "b",
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_what_does_not_look_like_one_is_none(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("email", "key"),
    [
        ("lee@harbour.example", "lee@harbour.example"),
        ("  Lee@Harbour.EXAMPLE ", "lee@harbour.example"),
        ("lee+demo@harbour.example", "lee@harbour.example"),
        ("lee+demo+more@harbour.example", "lee@harbour.example"),
        ("l.ee@harbour.example", "l.ee@harbour.example"),
        ("+demo@harbour.example", "+demo@harbour.example"),
        ("", ""),
        ("lee", ""),
        ("lee@", ""),
    ],
)
def test_a_person_is_recognised_by_the_address_without_its_tag(email: str, key: str) -> None:
    assert mail_key(email) == key


def test_two_addresses_that_are_only_a_tag_are_not_one_person() -> None:
    assert mail_key("+a@harbour.example") != mail_key("+b@harbour.example")


@pytest.mark.parametrize(
    ("email", "domain", "kinds"),
    [
        ("lee@Harbour.Example", "harbour.example", {"present", "company"}),
        ("lee@GMAIL.com", "gmail.com", {"present", "free"}),
        ("x@mailinator.com", "mailinator.com", {"present", "disposable", "free"}),
        ("x@sub.mailinator.com", "sub.mailinator.com", {"present", "company"}),
        ("", "", {"missing"}),
        ("lee", "", {"missing"}),
    ],
)
def test_what_can_be_said_of_an_address(email: str, domain: str, kinds: set[str]) -> None:
    assert domain_of(email) == domain
    assert kinds_of_mail(email) == kinds


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("no id", {"source_id": ""}),
        ("an id of blanks", {"source_id": "  "}),
        ("no address", {"email": "lee at harbour"}),
        ("a header in an address", {"email": "lee@harbour.example\r\nBcc: x@evil.example"}),
        ("a name without an end", {"first_name": "x" * 201}),
        ("a message without an end", {"message": "x" * 10_001}),
        ("a time without a zone", {"at": "2027-02-01T09:00:00"}),
        ("a wish without a zone", {"requested_time": "2027-02-01T09:00:00"}),
        ("a field nobody knows", {"is_admin": True}),
        ("a field within a field", {"fields": {"a": {"b": 1}}}),
        ("a list as a field", {"fields": {"a": [1]}}),
        ("more fields than anybody has", {"fields": {str(n): n for n in range(101)}}),
        ("a field without a name", {"fields": {"": 1}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_door_may_let_in_is_refused(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IncomingLead.model_validate({"source_id": "17", **given})


def test_what_comes_in_is_tidied() -> None:
    lead = IncomingLead(source_id=" 17 ", email=" lee@harbour.example ", country="gb", company="  Harbour ")

    assert (lead.source_id, lead.email, lead.country, lead.company, lead.source) == ("17", "lee@harbour.example", "GB", "Harbour", "api")


def test_a_conversion_is_named_by_its_id_or_by_what_was_done_and_when() -> None:
    given = {"source_id": "17", "activity": "demo_requested"}

    assert IncomingLead(**given, conversion_id="c1").key_of_conversion() == "c1"
    assert IncomingLead(**given, at="2027-02-01T09:00:00Z").key_of_conversion() == "demo_requested@2027-02-01T09:00:00+00:00"
    assert IncomingLead(**given).key_of_conversion() == "demo_requested@unknown"


def test_the_same_instant_in_two_zones_is_one_conversion() -> None:
    here, there = (IncomingLead(source_id="17", at=at) for at in ("2027-02-01T09:00:00Z", "2027-02-01T10:00:00+01:00"))

    assert here.key_of_conversion() == there.key_of_conversion()


def test_a_lead_cannot_be_changed_after_it_came_in() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        IncomingLead(source_id="17").source_id = "18"  # type: ignore[misc]  # mypy refuses it too


def test_facts_that_are_not_known_are_none() -> None:
    assert LeadFacts({"country": "GB"}).value("country") == "GB"
    assert LeadFacts().value("country") is None


@pytest.mark.parametrize("text", ["Har\x00bour", "Har\ud83dbour", "Har\x1bbour", "Har\x9bbour"])
def test_what_not_every_database_keeps_or_a_terminal_obeys_is_replaced_at_the_door(text: str) -> None:
    values = {"fields": {"industry": text, "employees": 3}}
    lead = IncomingLead.model_validate({"source_id": "1", **values, **({"company": text, "message": text} if "\x00" in text else {})})

    assert lead.fields == {"industry": "Har\ufffdbour", "employees": 3}
    assert (lead.company, lead.message) in [("Har\ufffdbour", "Har\ufffdbour"), ("", "")]

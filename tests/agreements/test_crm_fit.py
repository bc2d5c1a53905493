"""Whether a CRM fits the agreements and the roster: every sentence says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from agreements.crm_fit import CrmThere, FieldThere, FieldWanted, misfits, values_named
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.roster import read_roster
from tests.conftest import AGREEMENT, ROSTER

PEOPLE = read_roster(ROSTER)
USERS = frozenset(person.email.lower() for person in PEOPLE.people.values())
OWN = (FieldWanted("contacts", "baton_lead", unique=True), FieldWanted("tasks", "baton_key", unique=True))
NAMES = {"owner": "hubspot_owner_id", "status": "hs_lead_status"}
STATUS = FieldThere("hs_lead_status", frozenset({"Working", "Attempted", "Qualified", "Opportunity", "Unqualified"}))


def agreement(**crm: Any) -> Agreement:
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(AGREEMENT)
    tree["crm"] = crm
    return read_agreement(json.dumps(tree, default=str))


def there(*more: FieldThere, **changes: Any) -> CrmThere:
    contacts = {one.name: one for one in (FieldThere("baton_lead", unique=True), STATUS, *more)}
    fields = {"contacts": contacts, "tasks": {"baton_key": FieldThere("baton_key", unique=True)}}
    return CrmThere(**{"fields": fields, "people": USERS, **changes})


def said(crm: CrmThere, *agreed: Agreement) -> list[str]:
    found = misfits(
        crm, record="contacts", names=NAMES, own=OWN, agreements=agreed or (agreement(accepted={"status": "Working"}),), people=PEOPLE
    )
    return [one.what for one in found]


def test_what_fits_says_nothing() -> None:
    assert said(there()) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Wroking", "'Wroking' is no value of the field hs_lead_status, which b2b-saas@1 names: add it there. Did you mean 'Working'?"),
        ("working", "'working' is no value of the field hs_lead_status, which b2b-saas@1 names: add it there. Did you mean 'Working'?"),
        ("Zzz", "'Zzz' is no value of the field hs_lead_status, which b2b-saas@1 names: add it there."),
    ],
)
def test_a_value_that_the_field_does_not_take(value: str, told: str) -> None:
    assert said(there(), agreement(accepted={"status": value})) == [told]


def test_a_field_that_takes_any_text_takes_it() -> None:
    free = FieldThere("hs_lead_status")
    assert said(there(free), agreement(accepted={"status": "Whatever"})) == []


def test_a_field_that_is_not_there_is_named_as_the_agreement_names_it() -> None:
    (told,) = said(there(), agreement(accepted={"stage_of_sales": "Working"}))
    assert told == "contacts have no field stage_of_sales, which b2b-saas@1 names."
    (near,) = said(there(FieldThere("sales_stage")), agreement(accepted={"sales_stages": "x"}))
    assert near.endswith("Did you mean sales_stage?")


def test_case_does_not_matter_for_names_and_does_for_values() -> None:
    assert said(there(FieldThere("Rating", frozenset({"Hot"}))), agreement(accepted={"rating": "Hot"})) == []


def test_a_field_that_baton_may_not_write() -> None:
    fixed = FieldThere("hs_lead_status", STATUS.options, writable=False)
    (told,) = said(there(fixed))
    assert told == "Baton may not write the field hs_lead_status of contacts, which b2b-saas@1 names."


def test_a_field_that_is_only_read_needs_no_right_to_write() -> None:
    read = agreement(accepted={"status": "Working"}, rejected={"status": "Unqualified"}, details={"text": "notes"})
    assert said(there(FieldThere("notes", writable=False)), read) == []
    assert said(there(), read) == ["contacts have no field notes, which b2b-saas@1 names."]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "contacts have no field baton_lead: create it as a text, with unique values."),
        ({"baton_lead": FieldThere("baton_lead")}, "The field baton_lead of contacts must have unique values: delete it and create it so."),
        (
            {"baton_lead": FieldThere("baton_lead", unique=True, writable=False)},
            "Baton may not write the field baton_lead of contacts: give its access the right to.",
        ),
    ],
)
def test_batons_own_fields(fields: dict[str, FieldThere], told: str) -> None:
    crm = there(fields={"contacts": {"hs_lead_status": STATUS, **fields}, "tasks": {"baton_key": FieldThere("baton_key", unique=True)}})
    assert said(crm) == [told]


def test_only_missing_fields_can_be_created() -> None:
    crm = there(fields={"contacts": {"hs_lead_status": STATUS}, "tasks": {"baton_key": FieldThere("baton_key")}})
    found = misfits(crm, record="contacts", names=NAMES, own=OWN, agreements=[], people=PEOPLE)
    assert [one.create for one in found] == [OWN[0], None]


def test_what_may_not_be_read_is_said_once() -> None:
    crm = there(
        fields={"tasks": {"baton_key": FieldThere("baton_key", unique=True)}}, denied=["The properties of contacts cannot be read."]
    )
    assert said(crm) == ["The properties of contacts cannot be read."]


def test_reps_and_managers_must_be_users() -> None:
    gone = PEOPLE.people["ana"].email.lower()
    (told,) = said(there(people=USERS - {gone}))
    assert told.startswith(f"{PEOPLE.people['ana'].name} (ana) is no active user of the CRM")
    marketing = [person.email.lower() for person in PEOPLE.people.values() if person.role not in ("rep", "manager")]
    assert said(there(people=USERS - set(marketing))) == []


def test_the_values_of_several_versions_count_together() -> None:
    one, other = agreement(accepted={"status": "Working"}), agreement(accepted={"status": "Open"})
    named = values_named([one, other])
    assert named["status"].values == {"Working", "Open"}
    assert said(there(), one, other) == ["'Open' is no value of the field hs_lead_status, which b2b-saas@1 names: add it there."]


def test_what_acceptance_creates_is_no_field() -> None:
    assert values_named([agreement(accepted={"create": "opportunity"})]) == {}

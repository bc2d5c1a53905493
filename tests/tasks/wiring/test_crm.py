"""Which CRM an installation has, where its secret comes from, and what of its settings is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import delete

from agreements.errors import CrmError
from notifications.letter import LeadView
from storage.crm.local import LocalCrm
from storage.crm.salesforce import SalesforceCrm
from storage.tables import Lead, RosterSnapshot
from tasks.messages.lead_context import person_facts
from tasks.wiring import toolbox
from tasks.wiring.crm import addresses_of_people, fields_of_agreements, read_crm_url, read_token, wire_crm
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox
from tasks.wiring.wrong_setting import WrongSetting
from tests.deal import agree_on

SECRET = "topsecret-topsecret"
READ = [
    ("local:", ("local", "")),
    (" local: ", ("local", "")),
    ("hubspot:", ("hubspot", "https://api.hubapi.com")),
    ("hubspot://", ("hubspot", "https://api.hubapi.com")),
    ("hubspot://api-eu1.hubapi.com", ("hubspot", "https://api-eu1.hubapi.com")),
    ("hubspot://127.0.0.1:8123", ("hubspot", "http://127.0.0.1:8123")),
    ("hubspot://[::1]:8123/", ("hubspot", "http://[::1]:8123")),
    ("hubspot://localhost:8123", ("hubspot", "http://localhost:8123")),
    ("salesforce://firm.my.salesforce.com", ("salesforce", "https://firm.my.salesforce.com")),
    ("SALESFORCE://firm.my.salesforce.com:8443", ("salesforce", "https://firm.my.salesforce.com:8443")),
]
WRONG = [
    ("", "no CRM that Baton knows"),
    ("crm.db", "no CRM that Baton knows"),
    ("https://api.hubapi.com", "no CRM that Baton knows"),
    ("pipedrive:", "no CRM that Baton knows"),
    ("local:/var/crm.db", "BATON_CRM_PATH"),
    ("local://host", "BATON_CRM_PATH"),
    ("salesforce:", "names no host"),
    (f"hubspot://{SECRET}@api.hubapi.com", "more than a host"),
    (f"hubspot://ana:{SECRET}@api.hubapi.com", "more than a host"),
    (f"hubspot:?token={SECRET}", "more than a host"),
    ("hubspot://api.hubapi.com/crm/v3", "more than a host"),
    ("hubspot://127.0.0.1:port", "port"),
]


@pytest.mark.parametrize(("url", "address"), READ)
def test_the_url_names_a_crm_and_its_api(url: str, address: tuple[str, str]) -> None:
    assert read_crm_url(url) == address


@pytest.mark.parametrize(("url", "said"), WRONG)
def test_a_url_that_names_no_crm_is_refused_and_no_secret_shown(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(WrongSetting, match=said) as error:
        toolbox.wire(Settings(home=tmp_path, crm_url=url, crm_token=SECRET), send=False)
    assert len(error.value.problems) == 1
    assert str(error.value).startswith("BATON_CRM_URL")
    assert SECRET not in str(error.value)


def test_salesforce_is_wired_with_its_domain(tmp_path: Path) -> None:
    box = toolbox.wire(Settings(home=tmp_path, crm_url="salesforce://firm.my.salesforce.com", crm_token=f"key:{SECRET}", crm_people=True))

    assert isinstance(box.crm, SalesforceCrm)
    assert (box.crm.api.url, box.crm.read_by_people, list(box.crm.files)) == ("https://firm.my.salesforce.com", True, [])


@pytest.mark.parametrize("given", [{}, {"crm_token": SECRET, "crm_token_file": "/run/token"}])
@pytest.mark.parametrize("url", ["hubspot:", "salesforce://firm.my.salesforce.com"])
def test_a_vendors_crm_has_one_token(tmp_path: Path, url: str, given: dict[str, Any]) -> None:
    with pytest.raises(WrongSetting, match="BATON_CRM_TOKEN or BATON_CRM_TOKEN_FILE: set one of them") as error:
        toolbox.wire(Settings(home=tmp_path, crm_url=url, **given), send=False)
    assert SECRET not in str(error.value)


def test_without_a_setting_the_crm_is_the_local_one_in_the_home_folder(tmp_path: Path) -> None:
    crm = toolbox.wire(Settings(home=tmp_path)).crm
    assert isinstance(crm, LocalCrm)
    assert list(crm.files) == [tmp_path / "crm.db"]
    assert crm.keeps == ""


def test_hubspot_is_wired_with_the_roster_and_the_fields_of_the_agreements(box: Toolbox) -> None:
    settings = Settings(home=box.settings.home, crm_url="hubspot://127.0.0.1:1", crm_token=SECRET, crm_people=True)
    crm = wire_crm(settings, box.database)

    assert (crm.name, crm.read_by_people, list(crm.files)) == ("HubSpot", True, [])
    assert SECRET not in repr(crm)
    assert "status" in fields_of_agreements(box.database)


def test_the_fields_of_reasons_are_read_too_and_what_is_no_field_is_not(box: Toolbox) -> None:
    def words(tree: Any) -> None:
        tree["crm"] = {"accepted": {"stage_of_sales": "Working", "create": "opportunity"}, "details": {"text": "notes"}}
        tree["crm"] |= {"lost": {"then": "nurture", "track": "lost-deal"}, "stalled": {"after": "45 days"}}
        tree["reasons"][0]["crm"] = {"why_not": "Later"}

    agree_on(box, words)

    fields = fields_of_agreements(box.database)
    assert {"stage_of_sales", "why_not", "notes"} <= fields
    assert not {"create", "text", "then", "track", "after", "owner"} & fields


def test_a_token_in_a_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    settings = Settings(home=tmp_path, crm_token_file=str(file))
    with pytest.raises(CrmError, match="BATON_CRM_TOKEN_FILE: the file cannot be read") as error:
        read_token(settings)
    assert error.value.permanent

    file.write_text("")
    with pytest.raises(CrmError, match="BATON_CRM_TOKEN_FILE: the file is empty"):
        read_token(settings)

    for token in ("first", "second"):
        file.write_text(f" {token}\n")
        assert read_token(settings) == token


def test_a_token_can_be_the_setting_itself(tmp_path: Path) -> None:
    assert read_token(Settings(home=tmp_path, crm_token=SECRET)) == SECRET


def test_people_are_found_by_the_addresses_of_the_roster_in_force(box: Toolbox) -> None:
    people = addresses_of_people(box.database)
    assert people
    assert all("@" in address for address in people.values())


def test_without_a_roster_nobody_is_found(box: Toolbox) -> None:
    with box.database.write() as session:
        session.exec(delete(RosterSnapshot))
    assert addresses_of_people(box.database) == {}


def test_the_record_in_the_crm_gets_the_person_without_a_refused_number_and_without_blanks() -> None:
    lead = Lead(
        id=7, email="kim@nordlicht.example", first_name="Kim", last_name="Berg", company="Nordlicht", phone="+49 30 1", country="DE"
    )
    told = {"email": "kim@nordlicht.example", "first_name": "Kim", "last_name": "Berg", "company": "Nordlicht", "country": "DE"}
    assert person_facts(lead, LeadView(7, "Nordlicht", "Kim Berg")) == told
    assert person_facts(lead, LeadView(7, "Nordlicht", "Kim Berg", phone="+49 30 1")) == {**told, "phone": "+49 30 1"}

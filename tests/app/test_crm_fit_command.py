"""`baton crm check` and `setup` over the stand-ins: what does not fit is said, and what Baton may make is made."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from storage import roster
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.contracts.hubspot_world import HubSpotWorld
from tests.crm.salesforce_server import KEY, SECRET
from tests.crm.salesforce_stand_in import StandIn as Salesforce
from tests.crm.stand_in import StandIn


@pytest.fixture
def world(hubspot: StandIn, box: Toolbox, baton: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSpotWorld]:
    """An account whose users are the people of the roster, and an installation that works with it."""
    made = HubSpotWorld(hubspot)
    for number, address in enumerate(toolbox_people(box).values()):
        hubspot.do("owner", id=str(900 + number), user=900 + number, email=address)
    monkeypatch.setenv("BATON_CRM_URL", hubspot.url.replace("http:", "hubspot:"))
    monkeypatch.setenv("BATON_CRM_TOKEN", made.token)
    yield made
    assert made.problems() == []


def toolbox_people(box: Toolbox) -> dict[str, str]:
    return box.read_now(lambda session, now: {ident: one.email for ident, one in roster.current(session).people.items()})


def checked(baton: Command) -> tuple[int, list[str]]:
    answer = baton("crm", "check", "--json")
    return answer.exit_code, [one["what"] for one in json.loads(answer.stdout)]


def test_the_values_of_the_agreement_are_compared(baton: Command, world: HubSpotWorld) -> None:
    code, found = checked(baton)

    assert code == 1
    assert found
    assert all("is no value of the field hs_lead_status, which b2b-saas@1 names: add it there." in one for one in found)


def test_what_is_missing_is_named_and_created_once(baton: Command, world: HubSpotWorld) -> None:
    world.stand_in.do("drop", kind="contacts", name="baton_lead")
    world.stand_in.do("drop", kind="deals", name="baton_key")
    missing = [one for one in checked(baton)[1] if "create it" in one]
    dry, still = baton("crm", "setup", "--dry-run"), [one for one in checked(baton)[1] if "create it" in one]
    made, again = baton("crm", "setup"), baton("crm", "setup")

    assert (
        missing
        == still
        == [
            "contacts have no field baton_lead: create it as a text, with unique values.",
            "deals have no field baton_key: create it as a text, with unique values.",
        ]
    )
    assert (dry.exit_code, dry.output.count("would create")) == (0, 2)
    assert (made.exit_code, made.output.count("created: ")) == (0, 2)
    assert "has every field" in again.output
    assert not [one for one in checked(baton)[1] if "create it" in one]


def test_a_right_that_is_missing_is_named(baton: Command, world: HubSpotWorld) -> None:
    world.stand_in.do("close", kind="tasks")
    found = checked(baton)[1]

    assert [one for one in found if one.startswith("The properties of tasks cannot be read")]
    assert not [one for one in found if "tasks have no field" in one]


def test_somebody_who_is_no_user_any_more_is_named(baton: Command, world: HubSpotWorld, box: Toolbox) -> None:
    world.stand_in.do("leaves", email=toolbox_people(box)["ana"])

    assert [one for one in checked(baton)[1] if "(ana) is no active user" in one]


def test_the_local_crm_takes_anything(baton: Command) -> None:
    for words in (("check",), ("setup", "--dry-run")):
        answer = baton("crm", *words)
        assert (answer.exit_code, "takes any field" in answer.output) == (0, True)


def test_salesforce_is_compared_too_and_its_administrator_creates_fields(
    baton: Command, org: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_CRM_URL", org.url.replace("http:", "salesforce:"))
    monkeypatch.setenv("BATON_CRM_TOKEN", f"{KEY}:{SECRET}")

    code, found = checked(baton)

    assert code == 1
    assert not [one for one in found if "have no field" in one]
    assert [one for one in found if "is no active user" in one]

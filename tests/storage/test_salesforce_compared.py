"""Salesforce's records as they are now: followed through conversions and merges, and without fields that a record lacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.crm.salesforce import SalesforceCrm
from tests.crm.salesforce_stand_in import FACTS, StandIn, serving


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with serving() as running:
        yield running


@pytest.fixture
def org(stand_in: StandIn) -> StandIn:
    stand_in.reset()
    return stand_in


@pytest.fixture
async def crm(org: StandIn) -> SalesforceCrm:
    """An adapter for an org with two leads of Baton."""
    made = org.crm()
    for number in (7, 8):
        await made.assign(key=f"k{number}", lead_number=str(number), owner="ana", facts={**FACTS, "email": f"i{number}@harbour.example"})
    return made


@pytest.mark.parametrize("carry", [False, True], ids=["number on the lead", "number mapped to the contact"])
async def test_a_converted_lead_is_its_contact_which_has_no_status(org: StandIn, crm: SalesforceCrm, carry: bool) -> None:
    contact = org.act("convert", id=org.lead(7), by="ben", carry=carry)

    found = await crm.records([7], fields=["STATUS", "lastname", "nothing"])

    assert found[7].name == f"Contact {contact}"
    assert (found[7].state, found[7].owner, dict(found[7].values)) == ("converted", "ben", {"lastname": "O'Hara"})


async def test_a_merged_lead_is_the_one_that_is_left(org: StandIn, crm: SalesforceCrm) -> None:
    left = org.lead(7)
    org.act("merge", kind="Lead", master=left, loser=org.lead(8))

    found = await crm.records([7, 8], fields=[])

    assert {number: (one.name, one.state) for number, one in found.items()} == dict.fromkeys((7, 8), (f"Lead {left}", "there"))


async def test_a_record_in_the_recycle_bin_is_deleted(org: StandIn, crm: SalesforceCrm) -> None:
    org.act("delete", kind="Lead", id=org.lead(7))

    assert {number: one.state for number, one in (await crm.records([7, 8], fields=[])).items()} == {7: "deleted", 8: "there"}
    assert [one.number async for page in crm.numbered() for one in page] == [8]


async def test_a_queue_owns_a_lead_under_its_id(org: StandIn, crm: SalesforceCrm) -> None:
    org.update("Lead", org.lead(7), {"OwnerId": "00G000000000001AAA"})

    assert (await crm.records([7], fields=[]))[7].owner == "00G000000000001AAA"


async def test_a_converted_lead_is_listed_as_its_contact(org: StandIn, crm: SalesforceCrm) -> None:
    contact = org.act("convert", id=org.lead(7), carry=True)

    found = [one async for page in crm.numbered() for one in page]

    assert found == [(7, f"Contact {contact}"), (8, f"Lead {org.lead(8)}")]


async def test_a_listing_comes_page_by_page(org: StandIn, crm: SalesforceCrm) -> None:
    org.act("many", kind="Lead", values=[{"LastName": "x", "Company": "x", "Baton_Lead__c": str(number)} for number in range(20, 27)])
    org.do("set", page=3)

    pages = [[one.number for one in page] async for page in crm.numbered()]

    assert sorted(number for page in pages for number in page) == [7, 8, *range(20, 27)]
    assert max(len(page) for page in pages) == 3

"""Salesforce: what Baton writes there, once for each key, and to the right record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from agreements.errors import CrmError
from storage.crm.port import Account
from storage.crm.salesforce import SalesforceCrm, end_of_quarter
from storage.crm.salesforce_account import host_of, status_of
from storage.crm.salesforce_records import NOT_PROVIDED
from tests.crm.salesforce_stand_in import FACTS, StandIn
from tests.present import the

OTHER = {**FACTS, "email": "other@harbour.example"}


async def assigned(crm: SalesforceCrm, number: int = 7, facts: Mapping[str, str] = FACTS) -> str:
    return await crm.assign(key=f"assign-{number}", lead_number=str(number), owner="ana", facts=facts)


async def test_an_assignment_makes_a_lead_with_the_person_and_a_task_without_them(org: StandIn) -> None:
    proof = await assigned(org.crm(), facts={**FACTS, "number": "8600"})

    lead, task = org.rows("Lead")[0], org.rows("Task")[0]
    shown = {name: lead[name] for name in ("FirstName", "LastName", "Company", "Email", "Phone", "Title", "Country", "OwnerId")}
    assert shown == {
        "FirstName": "Ines",
        "LastName": "O'Hara",
        "Company": "Harbour & Sons",
        "Email": "ines@harbour.example",
        "Phone": "+442079460000",
        "Title": "COO",
        "Country": "GB",
        "OwnerId": org.users["ana"],
    }
    assert lead["Baton_Lead__c"] == "7"
    assert (task["WhoId"], task["OwnerId"], task["Subject"]) == (lead["Id"], org.users["ana"], "New lead: Harbour & Sons")
    assert task["Description"] == "score: 72\nlink: https://baton.example/l/abc"
    assert proof == f"task {task['Id']}"


async def test_the_same_key_again_changes_nothing_and_gives_the_same_proof(org: StandIn) -> None:
    crm = org.crm()
    proofs = [await assigned(crm), await crm.note(key="n", lead_number="7", owner="ben", subject="FYI", facts=FACTS)]
    proofs.append(await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS))
    org.update("Lead", org.lead(7), {"OwnerId": org.users["ben"], "FirstName": "Inês"}, by="ben")
    org.update("Opportunity", org.rows("Opportunity")[0]["Id"], {"StageName": "Proposal"}, by="ben")
    org.act("delete", kind="Task", id=org.rows("Task")[0]["Id"])

    again = [await assigned(crm), await crm.note(key="n", lead_number="7", owner="ben", subject="FYI", facts=FACTS)]
    again.append(await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS))

    assert again == proofs
    assert [len(org.rows(kind)) for kind in ("Lead", "Task", "Opportunity")] == [1, 2, 1]
    assert (org.rows("Lead")[0]["OwnerId"], org.rows("Lead")[0]["FirstName"]) == (org.users["ben"], "Inês")
    assert org.rows("Opportunity")[0]["StageName"] == "Proposal"


async def test_an_older_change_that_comes_again_does_not_return(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)
    first = await crm.update(key="k1", lead_number="7", values={"status": "Working", "Rating": "Hot"})
    await crm.update(key="k2", lead_number="7", values={"status": "Attempted"})

    assert await crm.update(key="k1", lead_number="7", values={"status": "Working", "Rating": "Hot"}) == first
    assert (org.rows("Lead")[0]["Status"], org.rows("Lead")[0]["Rating"]) == ("Attempted", "Hot")


async def test_a_record_remembers_many_keys_and_its_field_never_overflows(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)

    for number in range(40):
        await crm.update(key=f"k{number}", lead_number="7", values={"status": "Working"})

    assert len(org.rows("Lead")[0]["Baton_Done__c"]) <= 255


@pytest.mark.parametrize(
    ("facts", "last", "company"),
    [
        ({"last_name": "", "company": ""}, NOT_PROVIDED, NOT_PROVIDED),
        ({"last_name": "", "contact": "Ines of Harbour"}, "Ines of Harbour", "Harbour & Sons"),
        ({"last_name": "x" * 500, "company": "y" * 500}, "x" * 80, "y" * 255),
        ({"email": "a" * 80 + "@harbour.example"}, "O'Hara", "Harbour & Sons"),
    ],
)
async def test_a_new_lead_has_what_salesforce_requires(org: StandIn, facts: dict[str, str], last: str, company: str) -> None:
    await assigned(org.crm(), facts={**FACTS, **facts})

    assert (org.rows("Lead")[0]["LastName"], org.rows("Lead")[0]["Company"]) == (last, company)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("Lead", {"LastName": "Hara", "Company": "Harbour", "Title": "Chief"}),
        ("Contact", {"LastName": "Hara", "Title": "Chief"}),
    ],
)
async def test_a_record_of_the_same_address_is_adopted_and_only_filled_up(org: StandIn, kind: str, values: dict[str, str]) -> None:
    theirs = org.create(kind, {**values, "Email": "INES@harbour.example", "OwnerId": org.users["ben"]}, by="ben")

    await assigned(org.crm())
    await org.crm().update(key="u", lead_number="7", values={"status": "Working"})

    found = org.rows(kind, Id=theirs)[0]
    assert (found["Baton_Lead__c"], found["LastName"], found["OwnerId"]) == ("7", "Hara", org.users["ana"])
    assert (found["FirstName"], found["Title"]) == ("Ines", "Chief")
    assert org.rows("Task")[0]["WhoId"] == theirs
    assert len(org.rows("Lead")) + len(org.rows("Contact")) == 1


@pytest.mark.parametrize(
    ("country", "kept", "code"),
    [("GB", None, "GB"), ("gb", None, "GB"), ("United Kingdom", "United Kingdom", None), ("Atlantis", None, None)],
)
async def test_an_org_with_a_picklist_of_countries_gets_the_code(org: StandIn, country: str, kept: str | None, code: str | None) -> None:
    org.do("set", countries=["United Kingdom"])
    org.do("column", kind="Lead", column="CountryCode")

    await assigned(org.crm(), facts={**FACTS, "country": country})

    assert (org.rows("Lead")[0]["Country"], org.rows("Lead")[0].get("CountryCode")) == (kept, code)
    assert len(org.rows("Task")) == 1


async def test_a_record_of_another_lead_and_a_converted_one_are_not_adopted(org: StandIn) -> None:
    taken = org.create("Lead", {"LastName": "A", "Company": "A", "Email": FACTS["email"], "Baton_Lead__c": "3"})
    converted = org.create("Lead", {"LastName": "B", "Company": "B", "Email": FACTS["email"]})
    contact = org.act("convert", id=converted)
    org.act("delete", kind="Contact", id=contact)

    await assigned(org.crm())

    assert org.rows("Lead", Id=taken)[0]["Baton_Lead__c"] == "3"
    assert org.rows("Lead", Id=converted)[0]["Baton_Lead__c"] is None
    assert len(org.rows("Lead", Baton_Lead__c="7")) == 1


@pytest.mark.parametrize("carry", [True, False])
async def test_after_a_conversion_everything_goes_to_the_contact(org: StandIn, carry: bool) -> None:
    crm = org.crm()
    await assigned(crm)
    contact = org.act("convert", id=org.lead(7), carry=carry)

    await crm.note(key="n", lead_number="7", owner="ana", subject="Later", facts=FACTS)
    await crm.update(key="u", lead_number="7", values={"status": "Working", "owner": "ben"})
    await crm.assign(key="a2", lead_number="7", owner="cleo", facts=FACTS)

    assert [task["WhoId"] for task in org.rows("Task")[1:]] == [contact, contact]
    assert (org.rows("Contact")[0]["OwnerId"], org.rows("Contact")[0]["Baton_Lead__c"]) == (org.users["cleo"], "7")


async def test_after_merges_everything_goes_to_the_record_that_is_left(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)
    second, third = (org.create("Lead", {"LastName": name, "Company": "Harbour"}) for name in ("B", "C"))
    org.act("merge", kind="Lead", master=second, loser=org.lead(7))
    org.act("merge", kind="Lead", master=third, loser=second)
    contact = org.act("convert", id=third)

    await crm.note(key="n", lead_number="7", owner="ana", subject="Later", facts=FACTS)

    assert org.rows("Task", Subject="Later")[0]["WhoId"] == contact


async def test_a_deleted_lead_is_named_and_only_a_new_assignment_makes_it_anew(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)
    org.act("delete", kind="Lead", id=org.lead(7))

    with pytest.raises(CrmError, match=r"lead 7 was deleted.*recycle bin") as refused:
        await crm.update(key="u", lead_number="7", values={"status": "Working"})
    await crm.assign(key="a2", lead_number="7", owner="ben", facts=FACTS)

    assert refused.value.permanent
    assert [lead["OwnerId"] for lead in org.rows("Lead", IsDeleted=False)] == [org.users["ben"]]


async def test_a_lead_that_salesforce_never_had_is_named(org: StandIn) -> None:
    with pytest.raises(CrmError, match=r"no Lead or Contact has 8 as Baton_Lead__c") as refused:
        await org.crm().update(key="u", lead_number="8", values={"status": "Working"})

    assert refused.value.permanent


async def test_an_opportunity_has_the_first_open_stage_the_account_and_the_contact(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)
    contact = org.act("convert", id=org.lead(7))

    proof = await crm.create_opportunity(key="o", lead_number="7", owner="ben", facts=FACTS)

    made = org.rows("Opportunity")[0]
    shown = {name: made[name] for name in ("Name", "StageName", "CloseDate", "OwnerId", "Baton_Lead__c", "AccountId")}
    account = org.rows("Account")[0]["Id"]
    assert shown == {
        "Name": "Harbour & Sons",
        "StageName": "Prospecting",
        "CloseDate": "2027-03-31",
        "OwnerId": org.users["ben"],
        "Baton_Lead__c": "7",
        "AccountId": account,
    }
    assert proof == f"opportunity {made['Id']}"
    assert [role["ContactId"] for role in org.rows("OpportunityContactRole")] == [contact]


async def test_the_opportunity_of_a_conversion_is_taken_instead_of_a_second_one(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)
    org.act("convert", id=org.lead(7), opportunity=True)

    proofs = {await crm.create_opportunity(key="o", lead_number="7", owner="ben", facts=FACTS) for _ in range(2)}

    assert proofs == {f"opportunity {org.rows('Opportunity')[0]['Id']}"}
    assert len(org.rows("Opportunity")) == 1


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2027, 1, 1), date(2027, 3, 31)),
        (date(2027, 3, 31), date(2027, 3, 31)),
        (date(2027, 4, 1), date(2027, 6, 30)),
        (date(2028, 9, 30), date(2028, 9, 30)),
        (date(2027, 12, 31), date(2027, 12, 31)),
    ],
)
def test_an_opportunity_closes_at_the_end_of_the_quarter(day: date, end: date) -> None:
    assert end_of_quarter(day) == end


@pytest.mark.parametrize("where", ["", "Baton_Key__c/"])
@pytest.mark.parametrize("fault", ["limit", "away", "broken", "locked", "silent", "lost", "expired"])
async def test_a_write_that_failed_can_be_repeated_and_is_there_once(org: StandIn, fault: str, where: str) -> None:
    crm = org.crm()
    await assigned(crm, 6, facts=OTHER)  # the log-in exists
    org.do("fault", name=fault, where=where)

    async def once() -> str:
        try:
            return await assigned(crm)
        except CrmError as error:
            return "for good" if error.permanent else ""

    proofs = [proof for proof in [await once(), await once()] if proof]

    assert len(set(proofs)) == 1
    assert [len(org.rows(kind, **wanted)) for kind, wanted in (("Lead", {"Baton_Lead__c": "7"}), ("Task", {}))] == [1, 2]


async def test_half_a_transaction_is_none(org: StandIn) -> None:
    org.do("set", rules={"Task": "Tasks need a due date for ines@harbour.example"})

    with pytest.raises(CrmError, match=r"validation rule.*Tasks need a due date for …") as refused:
        await assigned(org.crm())

    assert refused.value.permanent
    assert org.rows("Lead") == []


@pytest.mark.parametrize(
    ("person", "users", "said"),
    [
        ("nobody", [], "the roster has no e-mail address for 'nobody'"),
        ("dora", [], "no user has the e-mail address of 'dora'"),
        ("dora", [False], "the user of 'dora' is inactive"),
        ("dora", [True, True], "2 active users have the e-mail address of 'dora'"),
    ],
)
async def test_a_person_without_one_active_user_is_named(org: StandIn, person: str, users: list[bool], said: str) -> None:
    org.people["dora"] = "dora@firm.example"
    for active in users:
        org.do("user", name="Dora", email="dora@firm.example", active=active)

    with pytest.raises(CrmError, match=said) as refused:
        await org.crm().assign(key="k", lead_number="7", owner=person, facts=FACTS)

    assert refused.value.permanent
    assert org.rows("Lead") == []


async def test_an_inactive_user_beside_an_active_one_does_not_matter(org: StandIn) -> None:
    org.do("user", name="Ana before", email="ana@firm.example", active=False)

    await assigned(org.crm())

    assert org.rows("Lead")[0]["OwnerId"] == org.users["ana"]


@pytest.mark.parametrize(
    ("company", "domain", "found"),
    [
        ("", "harbour.example", "Harbour & Sons"),
        ("", "HARBOUR.example", "Harbour & Sons"),
        ("harbour & sons", "", "Harbour & Sons"),
        ("Quay's", "harbour.example", "Harbour & Sons"),
        ("quay's", "nobody.example", "Quay's"),
        ("", "arbour.example", None),
        ("", "h_rbour.example", None),
        ("' OR Name != '", "", None),
        ("100%", "", None),
        ("", "", None),
    ],
)
async def test_an_account_is_found_by_its_website_first_and_then_by_its_name(
    org: StandIn, company: str, domain: str, found: str | None
) -> None:
    org.create("Account", {"Name": "Harbour & Sons", "Website": "https://www.Harbour.example/en?x=1"})
    org.create("Account", {"Name": "Quay's", "Website": "quay.example"})
    org.create("Account", {"Name": "Other", "Website": "notharbour.example"})

    account = await org.crm().account(company=company, domain=domain)

    assert (account.name if account else None) == found


async def test_an_account_tells_its_status_its_owner_and_who_works_on_the_open_opportunity(org: StandIn) -> None:
    values = {"Name": "Harbour", "Website": "harbour.example", "Type": "Customer - Direct", "OwnerId": org.users["cleo"]}
    ident = org.create("Account", values, by="cleo")
    for stage, owner in (("Closed Won", "ana"), ("Proposal", "ben")):
        org.create("Opportunity", {"Name": stage, "StageName": stage, "CloseDate": "2027-03-01", "AccountId": ident}, by=owner)

    account = the(await org.crm().account(company="", domain="harbour.example"))

    assert account == Account(ident, "Harbour", "harbour.example", "customer", "cleo", True, "ben")


async def test_an_owner_outside_the_roster_is_none(org: StandIn) -> None:
    org.create("Account", {"Name": "Harbour"}, by="ana")
    del org.people["ana"]

    account = the(await org.crm().account(company="Harbour", domain=""))

    assert (account.owner, account.open_opportunity, account.opportunity_owner) == ("", False, "")


async def test_of_several_accounts_the_customer_counts_then_the_oldest(org: StandIn) -> None:
    ids = [org.create("Account", {"Name": "Harbour", "Type": kind}) for kind in ("Prospect", "Customer - Channel", "Customer - Direct")]

    assert the(await org.crm().account(company="Harbour", domain="")).id == ids[1]


@pytest.mark.parametrize(
    ("website", "host"),
    [
        ("harbour.example", "harbour.example"),
        ("HTTP://WWW.Harbour.example:8080/a/b", "harbour.example"),
        (" www2.harbour.example. ", "harbour.example"),
        ("https://shop.harbour.example/?q=1", "shop.harbour.example"),
        ("", ""),
        ("n/a", "n"),
        ("http://[broken", ""),
    ],
)
def test_a_website_is_compared_by_its_host(website: str, host: str) -> None:
    assert host_of(website) == host


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Customer - Direct", "customer"),
        ("Client", "customer"),
        ("Former Customer", "former"),
        ("Ex-customer", "former"),
        ("Prospect", "prospect"),
        ("", "prospect"),
        ("Partner", "prospect"),
    ],
)
def test_the_type_of_an_account_says_its_status(kind: str, status: str) -> None:
    assert status_of(kind) == status


async def test_erasing_deletes_what_baton_wrote_and_says_what_stays(org: StandIn) -> None:
    crm = org.crm()
    await assigned(crm)
    await assigned(crm, 8, facts=OTHER)
    await crm.note(key="n", lead_number="7", owner="ana", subject="FYI", facts=FACTS)
    theirs = org.create("Task", {"WhoId": org.lead(7), "Subject": "Mine"})
    org.act("convert", id=org.lead(7))
    await crm.note(key="n2", lead_number="7", owner="ana", subject="FYI", facts=FACTS)

    assert [await crm.erase([7, 99]), await crm.erase([7])] == [3, 0]
    left = org.rows("Task", IsDeleted=False)
    assert [task["Id"] for task in left if task["WhoId"] != org.lead(8)] == [theirs]
    assert "Lead or Contact" in crm.keeps

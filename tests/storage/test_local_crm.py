"""The local CRM: one key is one change, and what people change behind Baton's back is seen once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from agreements.errors import CrmError
from storage.crm.local import LocalCrm
from storage.crm.port import Account
from tests.conftest import MONDAY
from tests.present import the

HARBOUR = Account("A1", "Harbour & Sons", "harbour.example", status="customer", owner="ana", open_opportunity=True)


@pytest.fixture
def crm(tmp_path: Path) -> LocalCrm:
    made = LocalCrm(tmp_path / "somewhere" / "crm.db")
    made.add_accounts([HARBOUR, Account("A2", "Quay", "quay.example"), Account("A3", "No Domain")])
    return made


@pytest.mark.parametrize(
    ("company", "domain", "found"),
    [
        ("", "harbour.example", "A1"),
        ("", "HARBOUR.example", "A1"),
        ("harbour & sons", "", "A1"),
        ("Quay", "harbour.example", "A1"),
        ("No domain", "gmail.com", "A3"),
        ("", "", None),
        ("Nobody", "nobody.example", None),
    ],
)
async def test_an_account_is_found_by_its_domain_first_and_then_by_its_name(crm: LocalCrm, company: str, domain: str, found: str) -> None:
    account = await crm.account(company=company, domain=domain)

    assert (account.id if account else None) == found


async def test_an_account_tells_the_rules_its_status_owner_and_whether_an_opportunity_is_open(crm: LocalCrm) -> None:
    account = await crm.account(company="", domain="harbour.example")

    assert account == HARBOUR
    assert account.as_facts() == {"id": "A1", "status": "customer", "owner": "ana", "open_opportunity": True}


async def test_an_account_with_the_same_id_is_replaced(crm: LocalCrm) -> None:
    crm.add_accounts([Account("A1", "Harbour", "harbour.example", owner="ben")])

    assert the(await crm.account(company="", domain="harbour.example")).owner == "ben"


async def test_the_same_key_twice_is_one_task_and_one_owner(crm: LocalCrm) -> None:
    first = await crm.assign(key="k1", lead_number="7", owner="ana", facts={"company": "Harbour"})
    crm.person_changes(7, by="maria", at=MONDAY, values={"owner": "ben"})

    again = await crm.assign(key="k1", lead_number="7", owner="ana", facts={"company": "Harbour"})

    assert again == first
    assert crm.fields_of(7) == {"owner": "ben"}


async def test_a_note_does_not_change_the_owner(crm: LocalCrm) -> None:
    await crm.assign(key="k1", lead_number="7", owner="ana", facts={})
    note = await crm.note(key="k2", lead_number="7", owner="ben", subject="FYI", facts={"a": "b"})

    assert note == await crm.note(key="k2", lead_number="7", owner="ben", subject="FYI", facts={"a": "b"})
    assert crm.fields_of(7) == {"owner": "ana"}


async def test_the_same_key_twice_is_one_update(crm: LocalCrm) -> None:
    await crm.update(key="k1", lead_number="7", values={"status": "Working", "score": "72"})
    await crm.update(key="k2", lead_number="7", values={"status": "Attempted"})
    await crm.update(key="k1", lead_number="7", values={"status": "Working", "score": "72"})

    assert crm.fields_of(7) == {"status": "Attempted", "score": "72"}


async def test_the_same_key_twice_is_one_opportunity(crm: LocalCrm) -> None:
    first = await crm.create_opportunity(key="k1", lead_number="7", owner="ana", facts={})
    again = await crm.create_opportunity(key="k1", lead_number="7", owner="ana", facts={})
    await crm.create_opportunity(key="k2", lead_number="7", owner="ana", facts={})

    assert again == first
    assert len(crm.opportunities_of(7)) == 2
    assert crm.opportunities_of(8) == []


async def test_what_people_change_is_seen_once_and_in_order(crm: LocalCrm) -> None:
    crm.person_changes(7, by="ana", at=MONDAY, values={"status": "Working"})
    crm.person_changes(8, by="maria", at=MONDAY.replace(hour=10), values={"owner": "ben"})

    changes, bookmark = await crm.changes_since("")

    assert [(one.lead_number, one.by, one.at, one.values) for one in changes] == [
        (7, "ana", MONDAY, {"status": "Working"}),
        (8, "maria", MONDAY.replace(hour=10), {"owner": "ben"}),
    ]
    assert await crm.changes_since(bookmark) == ([], bookmark)
    assert crm.newest_change() == changes[-1].number


async def test_what_baton_changes_is_not_reported_back_to_it(crm: LocalCrm) -> None:
    await crm.assign(key="k1", lead_number="7", owner="ana", facts={})
    await crm.update(key="k2", lead_number="7", values={"status": "Working"})

    assert await crm.changes_since("") == ([], "0")
    assert crm.newest_change() == 0


async def test_a_change_between_two_looks_is_in_the_second(crm: LocalCrm) -> None:
    crm.person_changes(7, by="ana", at=MONDAY, values={"status": "Working"})
    _, bookmark = await crm.changes_since("")
    crm.person_changes(7, by="ana", at=MONDAY.replace(hour=11), values={"status": "Attempted"})

    changes, _ = await crm.changes_since(bookmark)

    assert [one.values for one in changes] == [{"status": "Attempted"}]


async def test_two_fields_changed_at_once_are_both_seen(crm: LocalCrm) -> None:
    crm.person_changes(7, by="ana", at=MONDAY, values={"owner": "ben", "status": "Working"})

    changes, _ = await crm.changes_since("")

    assert {name: value for one in changes for name, value in one.values.items()} == {"owner": "ben", "status": "Working"}


async def test_two_leads_changed_by_one_person_in_the_same_instant_are_both_seen(crm: LocalCrm) -> None:
    at = datetime.fromisoformat("2027-02-01T09:00:00+00:00")
    for number in (7, 8):
        crm.person_changes(number, by="ana", at=at, values={"status": "Working"})

    changes, _ = await crm.changes_since("")

    assert [one.lead_number for one in changes] == [7, 8]


async def test_a_crm_that_is_out_of_order_says_so_as_a_passing_fault(tmp_path: Path) -> None:
    crm = LocalCrm(tmp_path / "crm.db")
    with sqlite3.connect(tmp_path / "crm.db") as db:
        db.execute("DROP TABLE accounts")
    db.close()

    with pytest.raises(CrmError, match="the local CRM did not answer") as raised:
        await crm.account(company="Harbour", domain="")
    assert not raised.value.permanent


async def test_it_opens_and_is_read_while_another_process_writes_and_holds_the_file(crm: LocalCrm) -> None:
    with closing(sqlite3.connect(crm.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        opened = LocalCrm(crm.path)

        assert the(await opened.account(company="Quay", domain="")).id == "A2"
        assert await opened.changes_since("") == ([], "0")


async def test_a_file_of_an_earlier_release_gets_the_columns_that_it_lacks_once(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as earlier:
        earlier.execute(
            "CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT, domain TEXT, status TEXT, owner TEXT, open_opportunity INTEGER)"
        )
        earlier.execute("INSERT INTO accounts VALUES ('A1', 'Harbour', 'harbour.example', '', 'ana', 0)")
        earlier.commit()

    for _ in range(2):
        opened = LocalCrm(tmp_path / "crm.db")

    found = the(await opened.account(company="", domain="harbour.example"))
    assert (found.id, found.owner, found.opportunity_owner) == ("A1", "ana", "")

"""What every CRM promises to Baton: keys, people, accounts, adoption, changes without echoes, and erasure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agreements.crm_comparison import QUIET, CrmNumber
from agreements.errors import CrmError
from storage.crm.port import Account, Change
from tests.contracts.crm_worlds import Trouble, World
from tests.contracts.every_world import EVERY, VENDORS, world_of
from tests.contracts.local_world import LocalWorld

KIM = {
    "email": "kim@nordlicht.example",
    "first_name": "Kim",
    "last_name": "Berg",
    "company": "Nordlicht",
    "job_title": "CTO",
    "phone": "+49 30 1234",
    "country": "DE",
    "score": "82",
    "what": "asked for a demo <script>",
    "link": "https://baton.example/l/token",
    "due": "2026-01-05T10:00:00+00:00",
}


among_people = pytest.mark.parametrize("world", VENDORS, indirect=True)


@pytest.fixture(params=EVERY)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = world_of(request.param, request.getfixturevalue, tmp_path)
    yield made
    assert made.problems() == []


async def assigned(world: World, *leads: int, owner: str = "ana") -> None:
    for lead in leads:
        facts = {**KIM, "email": f"kim{lead}@nordlicht.example"}
        await world.crm.assign(key=f"lead-{lead}/assigned", lead_number=str(lead), owner=owner, facts=facts)


async def read(world: World, bookmark: str = "") -> tuple[list[Change], str]:
    """Every change after the bookmark, until the CRM has no more."""
    found: list[Change] = []
    quiet = 0
    while quiet < 3:
        changes, bookmark = await world.crm.changes_since(bookmark)
        found += changes
        quiet = 0 if changes else quiet + 1
        if not changes:
            world.later()
    return found, bookmark


def told(changes: list[Change]) -> list[tuple[Any, ...]]:
    return [
        (one.kind, one.lead_number, one.by, {name: one.values[name] for name in ("owner", "status") if name in one.values})
        for one in changes
    ]


async def listed(world: World) -> list[CrmNumber]:
    """Every record with the number of a lead."""
    return [one async for page in world.crm.numbered() for one in page]


# Keys


async def test_an_assignment_is_an_owner_and_a_task(world: World) -> None:
    proof = await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM)

    seen = world.seen(7)
    assert proof.startswith("task ")
    assert seen.owner == "ana"
    assert len(seen.tasks) == 1
    assert "Nordlicht" in seen.tasks[0]
    assert "https://baton.example/l/token" in seen.tasks[0]


async def test_the_same_key_twice_is_one_assignment_and_one_proof(world: World) -> None:
    first = await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM)

    assert await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM) == first
    assert len(world.seen(7).tasks) == 1
    assert world.leads() == 1


async def test_a_key_that_comes_again_does_not_overwrite_what_a_person_set(world: World) -> None:
    await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM)
    await world.crm.update(key="k2", lead_number="7", values={"status": "OPEN"})
    world.set(7, "ben", {"owner": "ben", "status": "CONNECTED"})

    await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM)
    await world.crm.update(key="k2", lead_number="7", values={"status": "OPEN"})

    seen = world.seen(7)
    assert seen.owner == "ben"
    assert (seen.fields or {})["status"] == "CONNECTED"


async def test_another_key_is_another_assignment_of_the_same_lead(world: World) -> None:
    await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM)
    await world.crm.assign(key="k2", lead_number="7", owner="ben", facts=KIM)

    assert world.leads() == 1
    assert world.seen(7).owner == "ben"
    assert len(world.seen(7).tasks) == 2


async def test_a_note_is_written_once_and_changes_no_owner(world: World) -> None:
    await assigned(world, 7)
    proofs = {await world.crm.note(key="n1", lead_number="7", owner="ben", subject="Still open", facts=KIM) for _ in range(2)}

    assert len(proofs) == 1
    assert len(world.seen(7).notes) == 1
    assert "Still open" in world.seen(7).notes[0]
    assert world.seen(7).owner == "ana"


async def test_an_opportunity_is_made_once(world: World) -> None:
    await assigned(world, 7)
    proofs = {await world.crm.create_opportunity(key="o1", lead_number="7", owner="ana", facts={}) for _ in range(2)}

    assert len(proofs) == 1
    assert len(world.seen(7).opportunities) == 1


# Accounts and adoption


@pytest.mark.parametrize(
    ("company", "domain", "found"),
    [("", "nordlicht.example", "Nordlicht"), ("nordlicht", "", "Nordlicht"), ("Elsewhere", "NORDLICHT.example", "Nordlicht"), ("", "", "")],
)
async def test_an_account_is_found_by_its_domain_or_name(world: World, company: str, domain: str, found: str) -> None:
    world.account(Account("a1", "Nordlicht", "nordlicht.example", "customer", "ana", True, "ben"))

    account = await world.crm.account(company=company, domain=domain)

    assert (account.name if account else "") == found
    if account:
        assert (account.status, account.owner, account.open_opportunity, account.opportunity_owner) == ("customer", "ana", True, "ben")


async def test_an_account_without_deals_and_owner_says_so(world: World) -> None:
    world.account(Account("a1", "Nordlicht", "nordlicht.example"))

    account = await world.crm.account(company="", domain="nordlicht.example")

    assert account is not None
    assert (account.status, account.owner, account.open_opportunity, account.opportunity_owner) == ("prospect", "", False, "")


@among_people
async def test_the_record_of_the_persons_address_is_adopted_and_its_values_stay(world: World) -> None:
    world.existing("Kim@Nordlicht.example")

    await world.crm.assign(key="k1", lead_number="7", owner="ana", facts=KIM)

    assert world.leads() == 1
    fields = world.seen(7).fields or {}
    assert (fields["firstname"], fields["lastname"]) == ("Known", "Berg")


@among_people
async def test_the_person_is_in_the_record_and_not_in_the_texts(world: World) -> None:
    await world.crm.assign(key="k1", lead_number="7", owner="ana", facts={**KIM, "number": "8600"})

    seen = world.seen(7)
    assert (seen.fields or {})["email"] == "kim@nordlicht.example"
    assert "kim@" not in seen.tasks[0]
    assert "8600" not in seen.tasks[0], "the code is for the rep alone, and colleagues see the task"
    assert "<script>" not in seen.tasks[0]


# Changes


async def test_what_people_change_is_read_once_and_in_order(world: World) -> None:
    await assigned(world, 7, 8)
    world.set(7, "ana", {"status": "OPEN"})
    world.set(8, "ben", {"owner": "ben"})
    world.set(7, "ana", {"status": "CONNECTED"})

    changes, bookmark = await read(world)

    assert told(changes) == [
        ("fields", 7, "ana", {"status": "OPEN"}),
        ("fields", 8, "ben", {"owner": "ben"}),
        ("fields", 7, "ana", {"status": "CONNECTED"}),
    ]
    assert [one.number for one in changes] == sorted(one.number for one in changes)
    assert [one.at for one in changes] == sorted(one.at for one in changes)
    assert (await read(world, bookmark))[0] == []


async def test_a_change_after_a_reading_is_in_the_next_one(world: World) -> None:
    await assigned(world, 7)
    world.set(7, "ana", {"status": "OPEN"})
    _, bookmark = await read(world)

    world.set(7, "ben", {"status": "CONNECTED"})

    assert told((await read(world, bookmark))[0]) == [("fields", 7, "ben", {"status": "CONNECTED"})]


async def test_what_baton_writes_is_not_read_back(world: World) -> None:
    await assigned(world, 7)
    await world.crm.update(key="u1", lead_number="7", values={"status": "OPEN", "lifecycle": "lead"})
    await world.crm.note(key="n1", lead_number="7", owner="ana", subject="x", facts={})
    await world.crm.create_opportunity(key="o1", lead_number="7", owner="ana", facts={})

    assert (await read(world))[0] == []


async def test_the_same_bookmark_gives_the_same_changes_followed_by_newer_ones(world: World) -> None:
    await assigned(world, 7)
    for status in ("OPEN", "CONNECTED"):
        world.set(7, "ana", {"status": status})
    world.later()
    first, _ = await world.crm.changes_since("")

    world.set(7, "ana", {"status": "NEW"})
    world.later()
    again, _ = await world.crm.changes_since("")

    assert told(list(again[: len(first)])) == told(list(first))
    assert len(again) == len(first) + 1


@pytest.mark.parametrize(
    ("channel", "outcome"), [("call", "connected"), ("call", "attempted"), ("meeting", "connected"), ("email", "attempted")]
)
async def test_a_logged_touch_is_read_once(world: World, channel: str, outcome: str) -> None:
    await assigned(world, 7)
    world.touch(7, "ben", channel, outcome)

    changes, _ = await read(world)

    assert [(one.kind, one.lead_number, one.by, dict(one.values)) for one in changes] == [
        ("touch", 7, "ben", {"channel": channel, "outcome": outcome})
    ]


async def test_a_deal_is_read_as_it_stood_after_each_change(world: World) -> None:
    await assigned(world, 7)
    deal = world.deal(7, "ana", "open", "1200.50")
    world.move(deal, "ben", "lost", reason="price")

    changes, _ = await read(world)

    assert [(one.kind, one.lead_number, one.by) for one in changes] == [("opportunity", 7, "ana"), ("opportunity", 7, "ben")]
    first, last = (dict(one.values) for one in changes)
    assert (first["opportunity"], first["state"], first["amount"], first["currency"]) == (deal, "open", "1200.50", "EUR")
    assert (last["opportunity"], last["state"], last["reason"], last["closed_on"]) == (deal, "lost", "price", "2026-03-04")


async def test_a_merge_names_the_lead_that_goes_on(world: World) -> None:
    await assigned(world, 7, 8)
    world.merge(7, 8, "ana")

    changes, bookmark = await read(world)

    assert [(one.kind, one.lead_number, one.by, dict(one.values)) for one in changes] == [("merged", 8, "ana", {"into": "7"})]
    await assigned(world, 9)
    world.merge(7, 9, "ben")
    assert [(one.kind, one.lead_number) for one in (await read(world, bookmark))[0]] == [("merged", 9)]


async def test_a_deleted_lead_is_gone_once(world: World) -> None:
    await assigned(world, 7, 8)
    world.delete(7)

    changes, bookmark = await read(world)

    assert [(one.kind, one.lead_number) for one in changes] == [("gone", 7)]
    world.delete(8)
    assert [(one.kind, one.lead_number) for one in (await read(world, bookmark))[0]] == [("gone", 8)]


# What is there now, to be compared


async def test_the_records_of_leads_say_owner_and_values_and_leave_out_who_is_unknown(world: World) -> None:
    await assigned(world, 7, 8)
    await world.crm.update(key="u1", lead_number="7", values={"status": "OPEN"})
    world.set(8, "ben", {"owner": "ben", "status": "CONNECTED"})

    found = await world.crm.records([7, 8, 99], fields=["status"])

    assert {number: (one.owner, dict(one.values), one.state) for number, one in found.items()} == {
        7: ("ana", {"status": "OPEN"}, "there"),
        8: ("ben", {"status": "CONNECTED"}, "there"),
    }
    assert all(one.name for one in found.values())


async def test_more_records_than_a_batch_holds_are_all_read(world: World) -> None:
    numbers = list(range(1, 206))
    world.many(numbers)
    world.later()

    found = await world.crm.records([*numbers, 999], fields=["status"])

    assert sorted(found) == numbers
    assert {(one.owner, one.values["status"]) for one in found.values()} == {("ana", "OPEN")}
    assert sorted(one.number for one in await listed(world)) == numbers


@among_people
@pytest.mark.parametrize("kind", ["busy", "broken", "expired", "half"])
async def test_a_reading_in_trouble_is_whole_or_an_error_that_passes(world: World, kind: Trouble) -> None:
    numbers = list(range(1, 206))
    world.many(numbers)
    await world.crm.records([1], fields=())
    world.trouble(kind)

    errors = []
    try:
        found = await world.crm.records(numbers, fields=["status"])
    except CrmError as error:
        errors.append(error)
        found = await world.crm.records(numbers, fields=["status"])

    assert sorted(found) == numbers
    assert [one for one in errors if one.permanent] == []


@among_people
async def test_a_record_that_was_just_changed_says_so(world: World) -> None:
    await assigned(world, 7)
    young = (await world.crm.records([7], fields=()))[7].quiet_for
    world.later()
    await world.crm.records([7], fields=())

    assert young < QUIET
    assert (await world.crm.records([7], fields=()))[7].quiet_for >= QUIET


async def test_a_deleted_record_is_not_there(world: World) -> None:
    await assigned(world, 7, 8)
    world.delete(7)

    found = await world.crm.records([7, 8], fields=())

    assert found[8].state == "there"
    assert 7 not in found or found[7].state == "deleted"


async def test_a_merged_record_is_the_one_that_is_left_or_is_not_there(world: World) -> None:
    await assigned(world, 7, 8)
    world.merge(7, 8, "ana")

    found = await world.crm.records([7, 8], fields=())

    assert found[7].state == "there"
    assert 8 not in found or found[8].state == "deleted" or found[8].name == found[7].name


async def test_what_became_of_opportunities_is_read_by_their_ids(world: World) -> None:
    await assigned(world, 7)
    deals = [world.deal(7, "ana", "open", "100") for _ in range(3)]
    world.move(deals[1], "ana", "won")
    world.move(deals[2], "ana", "lost", reason="price")

    found = await world.crm.deals([*deals, "999"])

    assert {ident: one.state.value for ident, one in found.items()} == dict(zip(deals, ("open", "won", "lost"), strict=True))


async def test_every_record_with_a_number_is_listed_once(world: World) -> None:
    await assigned(world, 7, 8, 9)
    world.delete(8)
    world.later()

    found = [one.number for one in await listed(world) if one.number != 8 or not isinstance(world, LocalWorld)]

    assert sorted(found) == [7, 9]


# Errors and erasure


async def test_a_bookmark_of_another_crm_is_named_and_loses_nothing(world: World) -> None:
    with pytest.raises((CrmError, ValueError)):
        await world.crm.changes_since("no bookmark of this CRM")


async def test_what_baton_wrote_about_erased_leads_is_gone(world: World) -> None:
    await assigned(world, 7, 8)
    await world.crm.note(key="n1", lead_number="7", owner="ana", subject="x", facts=KIM)

    assert await world.crm.erase([7, 99]) > 0

    assert (world.seen(7).tasks, world.seen(7).notes) == ((), ())
    assert len(world.seen(8).tasks) == 1
    assert await world.crm.erase([7]) == 0

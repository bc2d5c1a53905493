"""Salesforce: what people did there is read once, in order, and under the lead that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from agreements.errors import CrmError
from storage.crm.port import Change
from storage.crm.salesforce import SalesforceCrm
from storage.crm.salesforce_words import Touch, as_text, channel_of, outcome_of
from tests.crm.salesforce_org import START
from tests.crm.salesforce_stand_in import FACTS, StandIn

TODAY = START.date().isoformat()
Told = tuple[str, str, Mapping[str, str]]


@pytest.fixture
async def crm(org: StandIn) -> SalesforceCrm:
    found = org.crm()
    await assigned(found)
    return found


async def assigned(crm: SalesforceCrm, number: int = 7) -> None:
    facts = FACTS if number == 7 else {**FACTS, "email": f"lead{number}@harbour.example"}
    await crm.assign(key=f"a{number}", lead_number=str(number), owner="ana", facts=facts)


async def told(crm: SalesforceCrm, bookmark: str = "") -> list[Told]:
    changes, _ = await crm.changes_since(bookmark)
    assert {change.lead_number for change in changes} <= {7}
    return [(change.kind, change.by, dict(change.values)) for change in changes]


def ended(org: StandIn, **changed: Any) -> dict[str, Any]:
    hours = {"StartDateTime": (START - timedelta(hours=2)).isoformat(), "EndDateTime": (START - timedelta(hours=1)).isoformat()}
    return {"WhoId": org.lead(7), **hours, **changed}


def call(org: StandIn, **changed: str) -> dict[str, Any]:
    return {"WhoId": org.lead(7), "TaskSubtype": "Call", "Status": "Completed", **changed}


def owner(org: StandIn) -> None:
    org.update("Lead", org.lead(7), {"OwnerId": org.users["ben"]})


def owner_and_status(org: StandIn) -> None:
    org.update("Lead", org.lead(7), {"OwnerId": org.users["cleo"], "Status": "Working", "Rating": "Hot"}, by="ben")


def owner_outside(org: StandIn) -> None:
    outside = org.do("user", name="Zoe Outside", email="zoe@other.example")
    org.update("Lead", org.lead(7), {"OwnerId": outside})


def queue(org: StandIn) -> None:
    org.update("Lead", org.lead(7), {"OwnerId": "00G000000000009AAA"})


def untracked(org: StandIn) -> None:
    org.update("Lead", org.lead(7), {"Phone": "+1"})


def open_task(org: StandIn) -> None:
    org.create("Task", call(org, Status="Not Started"))


def to_do(org: StandIn) -> None:
    org.create("Task", call(org, TaskSubtype="Task"))


def logged_call(org: StandIn) -> None:
    org.create("Task", call(org, CallDisposition="Connected"))


def batons_task(org: StandIn) -> None:
    org.update("Task", org.rows("Task")[0]["Id"], {"Status": "Completed"})


def batons_task_as_call(org: StandIn) -> None:
    org.update("Task", org.rows("Task")[0]["Id"], {"Status": "Completed", "Type": "Call", "CallDisposition": "No answer"})


def meeting(org: StandIn) -> None:
    org.create("Event", ended(org), by="ben")


def meeting_to_come(org: StandIn) -> None:
    org.create("Event", ended(org, EndDateTime=(START + timedelta(hours=1)).isoformat()))


def somebody_else(org: StandIn) -> None:
    other = org.create("Lead", {"LastName": "X", "Company": "X"})
    org.update("Lead", other, {"Status": "Working"})
    org.create("Task", call(org, WhoId=other))
    org.act("delete", kind="Lead", id=other)


CASES: list[tuple[Callable[[StandIn], None], list[Told]]] = [
    (owner, [("fields", "ana", {"owner": "ben"})]),
    (owner_and_status, [("fields", "ben", {"owner": "cleo", "status": "Working", "Rating": "Hot"})]),
    (owner_outside, [("fields", "ana", {"owner": "Zoe Outside"})]),
    (queue, [("fields", "ana", {"owner": "00G000000000009AAA"})]),
    (untracked, []),
    (open_task, []),
    (to_do, []),
    (logged_call, [("touch", "ana", {"channel": "call", "outcome": "connected"})]),
    (batons_task, []),
    (batons_task_as_call, [("touch", "ana", {"channel": "call", "outcome": "attempted"})]),
    (meeting, [("touch", "ben", {"channel": "meeting", "outcome": "connected"})]),
    (meeting_to_come, []),
    (somebody_else, []),
]


@pytest.mark.parametrize(("done", "expected"), CASES, ids=lambda one: getattr(one, "__name__", ""))
async def test_what_a_person_does_is_a_change(
    org: StandIn, crm: SalesforceCrm, done: Callable[[StandIn], None], expected: list[Told]
) -> None:
    done(org)

    assert await told(crm) == expected


async def test_batons_own_writes_are_no_changes(org: StandIn, crm: SalesforceCrm) -> None:
    await crm.update(key="u", lead_number="7", values={"status": "Working", "owner": "ben"})
    await crm.note(key="n", lead_number="7", owner="ana", subject="FYI", facts=FACTS)
    await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS)
    await crm.erase([7])

    assert await told(crm) == []


async def test_another_program_is_no_baton(org: StandIn, crm: SalesforceCrm) -> None:
    org.users["robot"] = org.do("user", name="Robot", email="robot@firm.example")
    org.update("Lead", org.lead(7), {"Status": "Nurture"}, by="robot")

    assert await told(crm) == [("fields", "Robot", {"status": "Nurture"})]


async def test_an_opportunity_is_followed_from_its_stage_to_its_loss(org: StandIn, crm: SalesforceCrm) -> None:
    await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS)
    ident = org.rows("Opportunity")[0]["Id"]
    org.update("Opportunity", ident, {"StageName": "Proposal", "Amount": 12000.5})
    org.update("Opportunity", ident, {"StageName": "Closed Lost", "CloseDate": "2027-02-01"}, at=(START + timedelta(minutes=1)).isoformat())
    org.update("Opportunity", ident, {"Loss_Reason__c": "Price"}, by="ben", at=(START + timedelta(minutes=2)).isoformat())

    assert await told(crm) == [
        ("opportunity", "ana", {"opportunity": ident, "stage": "Proposal", "state": "open", "amount": "12000.50", "opened_on": TODAY}),
        (
            "opportunity",
            "ana",
            {
                "opportunity": ident,
                "stage": "Closed Lost",
                "state": "lost",
                "amount": "12000.50",
                "opened_on": TODAY,
                "closed_on": "2027-02-01",
                "reason": "Price",
            },
        ),
        ("opportunity", "ben", {"opportunity": ident, "reason": "Price"}),
    ]


async def test_a_stage_and_its_reason_that_are_saved_together_are_one_change(org: StandIn, crm: SalesforceCrm) -> None:
    await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS)
    ident = org.rows("Opportunity")[0]["Id"]
    org.update("Opportunity", ident, {"StageName": "Closed Lost", "Loss_Reason__c": "Price"})
    org.update("Opportunity", ident, {"StageName": "Proposal"})

    assert [(values["state"], values.get("reason")) for _, _, values in await told(crm)] == [("lost", "Price"), ("open", None)]


async def test_a_won_opportunity_with_its_currency_where_there_are_several(org: StandIn, crm: SalesforceCrm) -> None:
    org.do("set", multi_currency=True)
    await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS)
    org.update("Opportunity", org.rows("Opportunity")[0]["Id"], {"StageName": "Closed Won", "Amount": 900})

    [(_, _, values)] = await told(crm)

    assert (values["state"], values["amount"], values["currency"]) == ("won", "900", "EUR")


@pytest.mark.parametrize("missing", ["Loss_Reason__c", "OpportunityFieldHistory"])
async def test_an_org_that_keeps_no_reason_tells_the_rest(org: StandIn, crm: SalesforceCrm, missing: str) -> None:
    await crm.create_opportunity(key="o", lead_number="7", owner="ana", facts=FACTS)
    org.update("Opportunity", org.rows("Opportunity")[0]["Id"], {"StageName": "Closed Lost"})
    org.do("forget", **({"kind": missing} if missing == "OpportunityFieldHistory" else {"kind": "Opportunity", "column": missing}))

    [(kind, _, values)] = await told(crm)

    assert (kind, values["state"], values.get("reason")) == ("opportunity", "lost", None)


@pytest.mark.parametrize("carry", [True, False])
async def test_after_a_conversion_the_contacts_story_is_the_leads(org: StandIn, crm: SalesforceCrm, carry: bool) -> None:
    contact = org.act("convert", id=org.lead(7), opportunity=True, carry=carry)
    made = org.rows("Opportunity")[0]["Id"]
    org.create("Task", {"WhoId": contact, "Type": "Email", "Status": "Completed"}, at=(START + timedelta(minutes=1)).isoformat())
    org.update("Contact", contact, {"OwnerId": org.users["ben"]}, at=(START + timedelta(minutes=2)).isoformat())
    org.create("Task", {"WhatId": made, "TaskSubtype": "Call", "Status": "Completed"}, at=(START + timedelta(minutes=3)).isoformat())

    found = await told(crm)

    assert ("converted", "ana", {"opportunity": made}) in found
    assert [kind for kind, _, _ in found].count("opportunity") == 1
    assert found[-3:] == [
        ("touch", "ana", {"channel": "email", "outcome": "attempted"}),
        ("fields", "ana", {"owner": "ben"}),
        ("touch", "ana", {"channel": "call", "outcome": "attempted"}),
    ]


async def test_a_conversion_into_the_contact_of_another_lead_is_a_merge(org: StandIn, crm: SalesforceCrm) -> None:
    await assigned(crm, 8)
    contact = org.act("convert", id=org.lead(8), carry=True)
    _, bookmark = await crm.changes_since("")
    org.act("convert", id=org.lead(7), contact=contact, at=(START + timedelta(hours=1)).isoformat())

    changes, _ = await crm.changes_since(bookmark)

    assert [(one.lead_number, dict(one.values)) for one in changes if one.kind == "merged"] == [(7, {"into": "8"})]
    assert "converted" not in [one.kind for one in changes]


@pytest.mark.parametrize("name", ["status", "Status", "STATUS"])
async def test_a_field_is_spelled_as_the_agreement_spells_it(org: StandIn, crm: SalesforceCrm, name: str) -> None:
    crm = org.crm(fields=lambda: [name, "rating"])
    await crm.update(key="u", lead_number="7", values={name: "Working"})
    org.update("Lead", org.lead(7), {"Status": "Attempted", "Rating": "Hot"})

    assert await told(crm) == [("fields", "ana", {name: "Attempted", "rating": "Hot"})]


async def test_a_deal_that_people_made_for_the_contact_is_the_leads(org: StandIn, crm: SalesforceCrm) -> None:
    contact = org.act("convert", id=org.lead(7))
    deal = org.create("Opportunity", {"Name": "Later", "StageName": "Proposal", "CloseDate": "2027-05-01"})
    org.create("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True})

    assert ("opportunity", "ana", {"opportunity": deal, "stage": "Proposal", "state": "open", "opened_on": TODAY}) in await told(crm)


async def test_a_merge_names_the_surviving_lead_and_its_story_goes_on(org: StandIn, crm: SalesforceCrm) -> None:
    await assigned(crm, 8)
    survivor = org.lead(8)
    org.act("merge", kind="Lead", master=survivor, loser=org.lead(7))
    org.update("Lead", survivor, {"Status": "Working"}, at=(START + timedelta(minutes=1)).isoformat())

    changes, _ = await crm.changes_since("")

    assert [(one.lead_number, one.kind, dict(one.values)) for one in changes] == [
        (7, "merged", {"into": "8"}),
        (8, "fields", {"status": "Working"}),
    ]


async def test_a_merge_into_an_unknown_record_goes_on_there(org: StandIn, crm: SalesforceCrm) -> None:
    unknown = [org.create("Lead", {"LastName": name, "Company": "X"}) for name in ("B", "C")]
    org.act("merge", kind="Lead", master=unknown[0], loser=org.lead(7))
    org.act("merge", kind="Lead", master=unknown[1], loser=unknown[0])
    org.update("Lead", unknown[1], {"Status": "Working"}, at=(START + timedelta(minutes=1)).isoformat())

    assert await told(crm) == [
        ("merged", "ana", {"into": ""}),
        ("merged", "ana", {"into": ""}),
        ("fields", "ana", {"status": "Working"}),
    ]


async def test_a_deletion_is_told_once(org: StandIn, crm: SalesforceCrm) -> None:
    org.act("delete", kind="Lead", id=org.lead(7), by="ben")

    changes, bookmark = await crm.changes_since("")

    assert [(one.kind, one.by, dict(one.values)) for one in changes] == [("gone", "ben", {})]
    assert await told(crm, bookmark) == []


async def test_a_converted_lead_whose_contact_is_deleted_is_gone(org: StandIn, crm: SalesforceCrm) -> None:
    contact = org.act("convert", id=org.lead(7))
    org.act("delete", kind="Contact", id=contact, at=(START + timedelta(minutes=1)).isoformat())

    assert [kind for kind, _, _ in await told(crm)] == ["fields", "converted", "gone"]


async def test_a_meeting_is_told_when_it_is_over_though_nobody_touches_it(org: StandIn, crm: SalesforceCrm) -> None:
    end = START + timedelta(hours=1)
    org.create("Event", ended(org, EndDateTime=end.isoformat()))
    _, bookmark = await crm.changes_since("")
    org.at(end + timedelta(minutes=5))

    changes, bookmark = await crm.changes_since(bookmark)
    org.at(end + timedelta(hours=5))

    assert [(one.kind, one.at) for one in changes] == [("touch", end)]
    assert await told(crm, bookmark) == []


async def test_a_meeting_that_was_brought_forward_is_not_lost(org: StandIn, crm: SalesforceCrm) -> None:
    ident = org.create("Event", ended(org, EndDateTime=(START + timedelta(days=9)).isoformat()))
    org.update("Lead", org.lead(7), {"Status": "Working"}, at=(START + timedelta(days=1)).isoformat())
    _, bookmark = await crm.changes_since("")
    org.at(START + timedelta(days=2))
    org.update("Event", ident, {"EndDateTime": (START + timedelta(hours=1)).isoformat()})

    assert await told(crm, bookmark) == [("touch", "ana", {"channel": "meeting", "outcome": "connected"})]


async def test_the_same_bookmark_gives_the_same_and_the_next_gives_the_rest(org: StandIn, crm: SalesforceCrm) -> None:
    statuses = ("Working", "Attempted", "Nurture", "Opportunity")
    bookmarks, ids = [""], list[list[str]]()
    for place, status in enumerate(statuses):
        org.update("Lead", org.lead(7), {"Status": status}, at=(START + timedelta(minutes=place * 7)).isoformat())
        changes, bookmark = await crm.changes_since(bookmarks[-1])
        bookmarks.append(bookmark)
        ids.append([change.id for change in changes])

    again = [[change.id for change in (await org.crm().changes_since(bookmark))[0]] for bookmark in bookmarks]

    assert [len(some) for some in ids] == [1, 1, 1, 1]
    assert again == [sum(ids[place:], []) for place in range(5)]


async def test_a_row_that_is_seen_later_than_its_time_says_is_not_lost(org: StandIn, crm: SalesforceCrm) -> None:
    org.update("Lead", org.lead(7), {"Status": "Working"}, at=(START + timedelta(hours=1)).isoformat())
    _, bookmark = await crm.changes_since("")
    org.update("Lead", org.lead(7), {"Status": "Attempted"}, late=300)

    changes, after = await crm.changes_since(bookmark)

    assert [dict(change.values) for change in changes] == [{"status": "Attempted"}]
    assert await told(crm, after) == []


async def test_nothing_new_leaves_the_bookmark_alone(org: StandIn, crm: SalesforceCrm) -> None:
    owner(org)
    _, bookmark = await crm.changes_since("")
    org.at(START + timedelta(days=3))

    assert await crm.changes_since(bookmark) == ([], bookmark)


async def test_a_quiet_look_costs_eleven_calls(org: StandIn, crm: SalesforceCrm) -> None:
    for number in range(8, 28):
        await assigned(crm, number)
    _, bookmark = await crm.changes_since("")
    before = len(org.do("log"))

    await crm.changes_since(bookmark)

    assert len(org.do("log")) - before == 11


async def test_before_the_first_lead_there_is_nothing_and_nothing_is_lost_afterwards(org: StandIn) -> None:
    org.create("Lead", {"LastName": "Old", "Company": "Old"})
    crm = org.crm()
    before, bookmark = await crm.changes_since("")
    await assigned(crm)
    owner(org)

    assert before == []
    assert await told(crm, bookmark) == [("fields", "ana", {"owner": "ben"})]


@pytest.mark.parametrize("bookmark", ["17", "null", "[]", '{"at": "x"}', '{"at": 1}', '{"at": 1e99, "given": {}}', "\u202e"])
async def test_the_bookmark_of_another_crm_is_named_and_nothing_is_read(org: StandIn, crm: SalesforceCrm, bookmark: str) -> None:
    with pytest.raises(CrmError, match="bookmark is not one of Salesforce's") as refused:
        await crm.changes_since(bookmark)

    assert refused.value.permanent


async def all_changes(crm: SalesforceCrm, *, patient: int = 0) -> list[Change]:
    """Read until nothing comes, as the background task does: after an error the same bookmark again."""
    found, bookmark, failures = list[Change](), "", 0
    while True:
        try:
            changes, after = await crm.changes_since(bookmark)
        except CrmError as error:
            failures += 1
            if error.permanent or failures > patient:
                raise
            continue
        if after == bookmark:
            return found
        found, bookmark = [*found, *changes], after


@pytest.mark.parametrize("page", [1, 3, 2000])
async def test_pages_lose_and_repeat_nothing(org: StandIn, crm: SalesforceCrm, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.crm.salesforce_changes.AT_MOST", 5)
    org.do("set", page=page)
    for place in range(30):
        at = START + timedelta(seconds=place // 4)  # several in each second
        org.update("Lead", org.lead(7), {"Rating": f"r{place}"}, by="ana" if place % 2 else "ben", at=at.isoformat())

    found = await all_changes(crm)

    assert sorted(change.values["Rating"] for change in found) == sorted(f"r{place}" for place in range(30))
    assert len({change.id for change in found}) == len(found)
    assert [change.at for change in found] == sorted(change.at for change in found)


async def test_more_in_one_second_than_one_reading_takes(org: StandIn, crm: SalesforceCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.crm.salesforce_changes.AT_MOST", 3)
    org.do("set", page=2)
    for _ in range(12):
        logged_call(org)

    assert len(await all_changes(crm)) == 12


async def test_a_fault_amid_the_pages_is_read_again(org: StandIn, crm: SalesforceCrm) -> None:
    org.do("set", page=2)
    for _ in range(6):
        logged_call(org)
    org.do("fault", name="away", where="query/")

    assert len(await all_changes(crm, patient=1)) == 6


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ({"kind": "LeadHistory"}, "Field History Tracking.*LeadHistory"),
        ({"kind": "Task", "column": "CallDisposition"}, r"Task\.CallDisposition"),
        ({"kind": "Lead", "column": "Baton_Lead__c"}, r"Lead\.Baton_Lead__c"),
        ({"kind": "Task", "column": "Baton_Key__c"}, r"Task\.Baton_Key__c"),
    ],
)
async def test_what_is_missing_in_the_org_is_named(org: StandIn, crm: SalesforceCrm, gone: dict[str, str], said: str) -> None:
    owner(org)
    org.do("forget", **gone)

    with pytest.raises(CrmError, match=said) as refused:
        await crm.changes_since("")

    assert refused.value.permanent


@pytest.mark.parametrize(
    ("subtype", "kind", "channel"),
    [
        ("Call", "", "call"),
        ("Task", "Call", "call"),
        ("Email", "", "email"),
        ("Task", "Meeting", "meeting"),
        ("Task", "", ""),
        ("", "Other", ""),
        ("ListEmail", "", ""),
    ],
)
def test_a_task_says_by_its_kind_whether_somebody_was_touched(subtype: str, kind: str, channel: str) -> None:
    assert channel_of(subtype, kind) == channel


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (900.0, "900"),
        (12000.5, "12000.50"),
        (0.0, "0"),
        (1.2345, "1.2345"),
        (1e20, "100000000000000000000"),
        (None, ""),
        (True, "true"),
        (7, "7"),
    ],
)
def test_an_amount_is_a_plain_number(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("channel", "disposition", "outcome"),
    [
        ("call", " Connected ", "connected"),
        ("call", "Not connected", "attempted"),
        ("call", "No answer", "attempted"),
        ("call", "", "attempted"),
        ("email", "Connected", "attempted"),
        ("meeting", "", "connected"),
    ],
)
def test_a_call_reached_the_person_only_if_its_result_says_so(channel: Touch, disposition: str, outcome: str) -> None:
    assert outcome_of(channel, disposition) == outcome

"""HubSpot when something is wrong: what is tried again, what is said, and to whom it is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agreements.errors import CrmError
from storage.crm.hubspot_api import error_of
from storage.crm.hubspot_bookmark import MOST, OVERLAP_MS, Found, Reached, read_bookmark, to_give, write_bookmark
from storage.crm.hubspot_history import Stage, at_of, contact_changes, deal_changes, stages_of, touches
from storage.crm.hubspot_people import Owners
from storage.crm.port import Change
from tests.contracts.hubspot_world import HubSpotWorld
from tests.crm.stand_in import StandIn

FACTS = {"email": "kim@nordlicht.example", "company": "Nordlicht"}


@pytest.fixture
def world(hubspot: StandIn) -> Iterator[HubSpotWorld]:
    made = HubSpotWorld(hubspot, lag_ms=0)
    yield made
    assert made.problems() == []


async def assign(world: HubSpotWorld, key: str = "k1", owner: str = "ana", lead: int = 7) -> str:
    return await world.crm.assign(key=key, lead_number=str(lead), owner=owner, facts=FACTS)


async def fails(world: HubSpotWorld, **given: Any) -> CrmError:
    with pytest.raises(CrmError) as error:
        await assign(world, **given)
    assert "token-" not in str(error.value)
    assert "@" not in str(error.value), "no personal data"
    return error.value


# What is tried again


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("429", "GET /crm/v3/owners"),
        ("500", "contacts/batch/upsert"),
        ("503-after", "contacts/batch/upsert"),
        ("503-after", "tasks/batch/upsert"),
        ("502", "PUT /crm/v4"),
    ],
)
async def test_a_fault_that_passes_is_not_noticed(world: HubSpotWorld, kind: str, where: str) -> None:
    world.stand_in.do("faults", next=[{"match": where, "kind": kind}])

    await assign(world)

    assert len(world.seen(7).tasks) == 1
    assert world.leads() == 1


@pytest.mark.parametrize(
    ("kind", "said", "where"),
    [
        ("429", "limits the requests", "contacts/batch/upsert"),
        ("garbage", "cannot be read", "contacts/batch/upsert"),
        ("503", "busy", "tasks/batch/upsert"),
        ("half", "busy", "tasks/batch/upsert"),
    ],
)
async def test_a_fault_that_stays_leaves_half_and_the_next_try_makes_it_whole(
    world: HubSpotWorld, kind: str, said: str, where: str
) -> None:
    world.stand_in.do("faults", next=[{"match": where, "kind": kind, "times": 4}])
    error = await fails(world)
    assert said in str(error)
    assert not error.permanent

    for _ in range(4):
        try:
            await assign(world)
        except CrmError:
            continue

    assert len(world.seen(7).tasks) == 1
    assert world.seen(7).owner == "ana"
    assert world.leads() == 1


async def test_a_note_that_was_made_before_the_fault_is_not_made_again(world: HubSpotWorld) -> None:
    await assign(world)
    world.stand_in.do("faults", next=[{"match": "notes/batch/upsert", "kind": "503-after", "times": 4}])
    with pytest.raises(CrmError, match="busy"):
        await world.crm.note(key="n1", lead_number="7", owner="ana", subject="x", facts={})

    await world.crm.note(key="n1", lead_number="7", owner="ana", subject="x", facts={})

    assert len(world.seen(7).notes) == 1


async def test_no_answer_at_all_is_said(hubspot: StandIn) -> None:
    world = HubSpotWorld(hubspot, lag_ms=0, timeout_seconds=0.05)
    world.stand_in.do("faults", next=[{"match": "/", "kind": "hang"}])

    error = await fails(world)

    assert str(error) == "HubSpot did not answer within 0.05 seconds"
    assert not error.permanent


async def test_the_limit_of_searches_is_waited_out(world: HubSpotWorld) -> None:
    await assign(world)
    world.set(7, "ana", {"status": "OPEN"})
    world.stand_in.do("faults", searches_a_second=1)
    world.stand_in.do("clock", seconds=60)

    changes, _ = await world.crm.changes_since("")

    assert [one.values["status"] for one in changes] == ["OPEN"]


# What a person has to do


async def test_an_expired_token_is_named_until_the_setting_has_a_new_one(world: HubSpotWorld) -> None:
    world.stand_in.do("token", token="token-1", expired=True)
    error = await fails(world)
    assert (error.permanent, str(error)) == (
        True,
        "HubSpot's token has expired: put a new one into BATON_CRM_TOKEN or BATON_CRM_TOKEN_FILE",
    )

    world.stand_in.do("token", token="token-2")
    world.token = "token-2"

    assert await assign(world)


async def test_a_token_that_is_replaced_while_baton_runs_needs_no_restart(world: HubSpotWorld) -> None:
    await assign(world)
    world.stand_in.do("token", token="token-1", expired=True)
    world.stand_in.do("token", token="token-2")
    world.token = "token-2"

    assert await assign(world, key="k2", owner="ben")


async def test_what_another_app_of_baton_wrote_is_an_echo_too(world: HubSpotWorld) -> None:
    await assign(world)
    world.stand_in.do("token", token="token-2", app="app-2")
    world.stand_in.do("token", token="token-1", expired=True)
    world.token = "token-2"
    await world.crm.update(key="u1", lead_number="7", values={"status": "OPEN"})
    world.later()

    assert (await world.crm.changes_since(""))[0] == ()


@pytest.mark.parametrize(
    ("kind", "name"), [("contacts", "baton_lead"), ("contacts", "baton_keys"), ("tasks", "baton_key"), ("contacts", "hubspot_owner_id")]
)
async def test_a_property_that_was_deleted_is_named(world: HubSpotWorld, kind: str, name: str) -> None:
    world.stand_in.do("drop", kind=kind, name=name)

    error = await fails(world)

    assert error.permanent
    assert f"HubSpot's {kind} lack the property {name}" in str(error)
    assert "create it" in str(error)


async def test_a_value_that_the_crm_does_not_have_is_named(world: HubSpotWorld) -> None:
    await assign(world)
    with pytest.raises(CrmError, match="lack the value of the property hs_lead_status: add it") as error:
        await world.crm.update(key="u1", lead_number="7", values={"status": "Working"})
    assert error.value.permanent


@pytest.mark.parametrize("case", ["no address", "no user", "left"])
async def test_an_owner_whom_the_crm_does_not_have_is_named_by_the_id_of_the_roster(world: HubSpotWorld, case: str) -> None:
    if case == "no address":
        del world.people["ana"]
    elif case == "no user":
        world.people["ana"] = "ana@elsewhere.example"
    else:
        world.stand_in.do("leaves", email="ana@sales.example")

    error = await fails(world)

    assert error.permanent
    assert {
        "no address": "The roster has no e-mail address for ana",
        "no user": "no user with the e-mail address of ana",
        "left": "none any more",
    }[case] in str(error)
    assert world.leads() == 0, "nothing is half done"


async def test_what_somebody_did_who_left_stays_theirs(world: HubSpotWorld) -> None:
    await assign(world)
    world.set(7, "ben", {"status": "OPEN"})
    world.stand_in.do("leaves", email="ben@sales.example")
    world.later()

    assert [one.by for one in (await world.crm.changes_since(""))[0]] == ["ben"]


async def test_a_status_for_a_contact_that_was_deleted_says_so_and_the_next_assignment_makes_one(world: HubSpotWorld) -> None:
    await assign(world)
    world.delete(7)
    with pytest.raises(CrmError, match="no contact of lead 7") as error:
        await world.crm.update(key="u1", lead_number="7", values={"status": "OPEN"})
    assert not error.value.permanent

    await assign(world, key="k2")

    assert world.seen(7).owner == "ana"


async def test_a_program_that_changes_a_lead_is_named_by_its_kind(world: HubSpotWorld) -> None:
    await assign(world)
    contact = world.contact(7)["id"]
    world.stand_in.do("put", kind="contacts", id=contact, values={"hs_lead_status": "OPEN"}, program="AUTOMATION_PLATFORM")
    world.later()

    assert [one.by for one in (await world.crm.changes_since(""))[0]] == ["HubSpot automation_platform"]


async def test_a_property_that_only_the_agreement_names_is_read(world: HubSpotWorld) -> None:
    await assign(world)
    for fields, seen in (((), []), (("sales_stage",), ["hot"])):
        world.fields = fields
        world.stand_in.do("put", kind="contacts", id=world.contact(7)["id"], values={"sales_stage": "hot"}, user=11)
        world.later()
        assert [one.values["sales_stage"] for one in (await world.crm.changes_since(""))[0]] == seen


async def test_the_second_address_of_a_merged_contact_finds_the_one_that_goes_on(world: HubSpotWorld) -> None:
    for lead, address in ((7, "kim@a.example"), (8, "kim@b.example")):
        await world.crm.assign(key=f"k{lead}", lead_number=str(lead), owner="ana", facts={"email": address})
    world.merge(7, 8, "ana")

    await world.crm.assign(key="k9", lead_number="8", owner="ben", facts={"email": "kim@b.example"})

    assert world.leads() == 1
    assert world.seen(7).owner == "ben"


# Rules without a server


@pytest.mark.parametrize(
    ("status", "body", "said", "permanent"),
    [
        (401, {"category": "INVALID_AUTHENTICATION"}, "token is not valid: put a new one", True),
        (
            403,
            {"category": "MISSING_SCOPES", "errors": [{"context": {"requiredGranularScopes": ["crm.x.read"]}}]},
            "the scopes crm.x.read",
            True,
        ),
        (403, {}, "a scope for contacts", True),
        (404, {"category": "OBJECT_NOT_FOUND"}, "does not have that record of contacts", True),
        (409, {"category": "CONFLICT"}, "same unique value", False),
        (414, {}, "refuses the request for contacts (414", True),
        (400, {"category": "VALIDATION_ERROR", "message": "kim@nordlicht.example is wrong"}, "(400 VALIDATION_ERROR)", True),
        (429, {"policyName": "DAILY"}, "limits the requests", False),
        (477, {}, "busy (477)", False),
        (502, None, "busy (502)", False),
        (400, None, "without a reason", True),
        (302, None, "correct BATON_CRM_URL", True),
    ],
)
def test_an_error_says_what_to_do_and_whether_trying_again_helps(status: int, body: Any, said: str, permanent: bool) -> None:
    answer = httpx.Response(status, json=body) if body is not None else httpx.Response(status, text="<html>")

    error = error_of(answer, "/crm/v3/objects/contacts/7")

    assert said in str(error)
    assert error.permanent == permanent
    assert "@" not in str(error)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0", 0.0), ("0.5", 0.5), ("", None), ("soon", None), ("-3", None)])
def test_the_wait_that_hubspot_asks_for_goes_with_the_error(header: str, seconds: float | None) -> None:
    assert error_of(httpx.Response(429, headers={"Retry-After": header}), "/x").retry_after_seconds == seconds


@pytest.mark.parametrize("text", ["17", "{}", "null", "[1]", '{"since":"x"}', "nonsense"])
def test_a_bookmark_of_another_crm_is_refused(text: str) -> None:
    with pytest.raises(CrmError, match="was BATON_CRM_URL changed") as error:
        read_bookmark(text)
    assert error.value.permanent


def test_a_bookmark_is_read_as_it_was_written() -> None:
    reached = Reached(5, {"a": 5}, ("m",), 9, {"d": 8}, True)

    assert read_bookmark(write_bookmark(reached)) == reached
    assert read_bookmark("") == Reached()


def found(*places: tuple[int, str]) -> list[Found]:
    return [Found(at, Change(0, 7, "ana", at_of(at), {}, "fields", ident)) for at, ident in places]


def test_changes_are_given_in_order_once_and_late_ones_too() -> None:
    first, reached = to_give(Reached(), found((3, "c"), (1, "a"), (9, "young")), until_ms=5)
    late, further = to_give(reached, found((3, "c"), (1, "a"), (2, "late"), (9, "young")), until_ms=9)

    assert [one.id for one in first] == ["a", "c"]
    assert [one.id for one in late] == ["late", "young"]
    assert to_give(further, found((3, "c"), (2, "late"), (9, "young")), until_ms=9) == ((), further)


def test_a_reading_is_bounded_and_goes_on_where_it_ended() -> None:
    many = found(*((at, f"{at}") for at in range(MOST + 3)))

    first, reached = to_give(Reached(), many, until_ms=10**9)
    rest, _ = to_give(reached, many, until_ms=10**9)

    assert len(first) == MOST
    assert [one.id for one in rest] == [f"{at}" for at in range(MOST, MOST + 3)]


def test_the_marks_of_a_bookmark_end_with_the_overlap() -> None:
    _, reached = to_give(Reached(), found((1, "old"), (OVERLAP_MS + 2, "new")), until_ms=10**9)

    assert len(reached.given) == 1


def record(**history: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "51", "properties": {"baton_lead": "7"}, "propertiesWithHistory": history}


def entry(value: str, at: int, source: str = "CRM_UI", ident: str = "userId:11") -> dict[str, Any]:
    return {"value": value, "timestamp": at_of(at).isoformat(), "sourceType": source, "sourceId": ident}


BATON = ("INTEGRATION", "42")
PEOPLE = Owners({"71": "ana"}, {"11": "ana"})


@pytest.mark.parametrize(
    ("entries", "read"),
    [
        ([entry("OPEN", 900)], []),  # before Baton had the lead
        ([entry("OPEN", 1_000, *BATON), entry("CONNECTED", 2_000)], [("ana", "CONNECTED")]),
        ([entry("OPEN", 2_000, "MERGE_OBJECTS", "")], []),
        ([entry("OPEN", 2_000, "IMPORT", "9")], [("HubSpot import", "OPEN")]),
        ([entry("OPEN", 2_000, "CRM_UI", "userId:99")], [("HubSpot user 99", "OPEN")]),
        ([entry("", 2_000)], [("ana", "")]),
    ],
)
def test_the_history_says_who_changed_a_lead_since_it_is_one(entries: list[dict[str, Any]], read: list[tuple[str, str]]) -> None:
    contact = record(baton_lead=[entry("7", 1_000, *BATON)], hs_lead_status=entries)

    changes = [one.change for one in contact_changes(contact, watched=("hs_lead_status",), own={BATON}, owners=PEOPLE)]

    assert [(one.by, one.values["status"]) for one in changes] == read
    assert all(one.values["hs_lead_status"] == one.values["status"] for one in changes)


def test_fields_that_were_set_at_once_are_one_change() -> None:
    contact = record(baton_lead=[entry("7", 1, *BATON)], hs_lead_status=[entry("OPEN", 5)], hubspot_owner_id=[entry("71", 5)])

    [only] = contact_changes(contact, watched=("hs_lead_status", "hubspot_owner_id"), own={BATON}, owners=PEOPLE)

    assert (only.change.values["owner"], only.change.values["status"]) == ("ana", "OPEN")


@pytest.mark.parametrize(
    ("kind", "properties", "history", "read"),
    [
        ("calls", {}, [], [("call", "attempted")]),
        ("calls", {}, [("f240bbac-87c9-4f6e-bf70-924b57d47db7", 1_000)], [("call", "connected")]),
        ("calls", {}, [("f240bbac-87c9-4f6e-bf70-924b57d47db7", 9_000)], [("call", "attempted"), ("call", "connected")]),
        ("meetings", {"hs_meeting_outcome": "SCHEDULED"}, [("SCHEDULED", 1_000)], [("meeting", "attempted")]),
        ("meetings", {"hs_meeting_outcome": "CANCELED"}, [("CANCELED", 1_000)], []),
        ("emails", {"hs_email_direction": "EMAIL"}, [], [("email", "attempted")]),
        ("emails", {"hs_email_direction": "INCOMING_EMAIL"}, [], []),
    ],
)
def test_an_engagement_is_a_touch_by_its_owner(
    kind: Any, properties: dict[str, str], history: list[tuple[str, int]], read: list[tuple[str, str]]
) -> None:
    names = {"calls": "hs_call_disposition", "meetings": "hs_meeting_outcome", "emails": "hs_email_direction"}
    made = {
        "id": "9",
        "properties": {
            "hs_createdate": at_of(1_000).isoformat(),
            "hs_timestamp": at_of(500).isoformat(),
            "hubspot_owner_id": "71",
            **properties,
        },
        "propertiesWithHistory": {names[kind]: [entry(value, at) for value, at in history]},
    }

    changes = [one.change for one in touches(made, kind, numbers=[7], owners=PEOPLE)]

    assert [(one.values["channel"], one.values["outcome"]) for one in changes] == read
    assert all(one.by == "ana" for one in changes)
    assert [one.at for one in changes][:1] == [at_of(500)][: len(changes)]


def test_a_deal_that_is_no_number_and_in_an_unknown_stage_is_kept_as_said() -> None:
    deal = {"id": "3", "properties": {}, "propertiesWithHistory": {"amount": [entry("a lot", 1)], "dealstage": [entry("odd", 1)]}}

    [only] = deal_changes(deal, numbers=[7], stages={}, own=set(), owners=PEOPLE)

    assert dict(only.change.values) == {"opportunity": "3", "stage": "odd", "amount": "a lot", "state": "open"}


@pytest.mark.parametrize(
    ("closed", "probability", "ends"),
    [("false", "0.2", "open"), ("true", "1.0", "won"), ("true", "0.0", "lost"), ("true", "", "won"), ("", "0", "open")],
)
def test_a_closed_stage_without_a_chance_is_lost(closed: str, probability: str, ends: str) -> None:
    stage = {"id": "s", "label": "S", "metadata": {"isClosed": closed, "probability": probability}}

    assert stages_of({"results": [{"stages": [stage]}]}) == {"s": Stage("S", ends)}  # type: ignore[arg-type]

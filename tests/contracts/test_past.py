"""What the past of every CRM promises: the same story gives the same report, and reading it writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agreements.errors import CrmError
from agreements.loading import read_agreement
from agreements.model import Agreement
from app.audit.audit import AuditFiles, audit
from app.audit.report import Audit, as_json
from app.csv_import.audit_columns import AuditColumns
from app.shadow.crm_map import CrmMap
from app.shadow.reading import ReadPast, read_past
from app.shadow.words import words_of
from storage.crm.hubspot import HubSpotCrm
from storage.crm.local_past import LocalPast
from storage.crm.local_records import reading
from storage.crm.past import Asked
from storage.crm.read_only import MightChange
from tests.app.backtest.ground import EXAMPLE
from tests.contracts.past_worlds import BEGIN, HubSpotPastWorld, LocalPastWorld, PastWorld, SalesforcePastWorld
from tests.crm.salesforce_stand_in import StandIn as SalesforceStandIn
from tests.crm.salesforce_stand_in import serving
from tests.crm.stand_in import StandIn, running

HOUR, DAY = 60, 60 * 24
#: When the report is made.
NOW = BEGIN + timedelta(days=60)


@pytest.fixture(scope="module")
def hubspot() -> Iterator[StandIn]:
    with running("tests.crm.hubspot_server") as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def salesforce() -> Iterator[SalesforceStandIn]:
    with serving() as stand_in:
        yield stand_in


@pytest.fixture(params=("hubspot", "salesforce"))
def vendor(request: pytest.FixtureRequest) -> PastWorld:
    if request.param == "hubspot":
        return HubSpotPastWorld(request.getfixturevalue("hubspot"))
    return SalesforcePastWorld(request.getfixturevalue("salesforce"))


def story(world: PastWorld) -> None:
    """Eleven leads: won, rejected, forgotten, only reached by a program, recycled, deleted, merged, won before they came, lost, too old."""
    world.arrives(-DAY, source="TRADE_SHOW", owner="ana")
    won = world.arrives(0, source="PAID_SEARCH", owner="ana")
    rejected = world.arrives(1, source="PAID_SEARCH")
    world.arrives(2, source="ORGANIC")
    mailed = world.arrives(3, source="ORGANIC", owner="ben")
    recycled = world.arrives(4, source="ORGANIC", owner="ben")
    deleted = world.arrives(5, source="ORGANIC")
    twin = world.arrives(6, source="ORGANIC", owner="ana")
    kept = world.arrives(7, source="ORGANIC", owner="ana")
    too_early = world.arrives(8, source="REFERRALS", owner="ana")
    lost = world.arrives(9, source="REFERRALS", owner="ana")
    world.touched(12, won, "call")
    world.status(14, won, "accepted")
    world.owned(31, rejected, "ben")
    world.touched(40, mailed, "email", by="")
    world.touched(41, twin, "call")
    world.owned(50, lost, "ben")
    deal = world.deal(HOUR, won, "5000")
    world.touched(HOUR + 1, recycled, "email")
    world.touched(HOUR + 2, recycled, "call")
    world.status(HOUR + 3, recycled, "recycled")
    old_deal = world.deal(2 * HOUR, too_early, "900")
    world.closed(2 * HOUR + 1, old_deal, won=True, on="2026-01-05")
    world.merged(3 * HOUR, twin, kept)
    world.deleted(4 * HOUR, deleted)
    world.touched(DAY, kept, "meeting")
    lost_deal = world.deal(DAY + 1, lost, "700")
    world.touched(DAY + 2, lost, "email")
    world.touched(2 * DAY, rejected, "email", by="ben")
    world.status(2 * DAY + 1, rejected, "rejected")
    world.closed(20 * DAY, deal, won=True, on="2026-02-22")
    world.closed(21 * DAY, lost_deal, won=False, on="2026-02-23", reason="Price")


def agreement() -> Agreement:
    return read_agreement(EXAMPLE)


async def read(world: PastWorld, folder: Path, mapping: CrmMap | None = None) -> ReadPast:
    """What the CRM knows of the leads since the beginning of the story."""
    folder.mkdir(exist_ok=True)
    words = words_of(world.past.name, None, mapping)
    asked = Asked(BEGIN, NOW, words.fields, words.source, words.created)
    return await read_past(world.past, asked, words, folder=folder, timezone="Europe/London", progress=lambda leads: None)


def audited(files: AuditFiles) -> Audit:
    return audit(files, agreement(), drafted=True, now=NOW)


def without_names(found: Audit) -> dict[str, Any]:
    """The report without what is called differently in each CRM: the files, and the ids of leads."""
    told = as_json(found)
    told["not_used"]["first"] = [one["wrong"] for one in told["not_used"]["first"]]
    return {name: value for name, value in told.items() if name not in ("leads_file", "activities_file")}


def texts_of(found: ReadPast) -> list[str]:
    assert found.files.activities
    return [path.read_text() for path in (found.files.leads, found.files.activities)]


async def test_the_same_story_gives_the_same_report_from_every_crm(hubspot: StandIn, salesforce: SalesforceStandIn, tmp_path: Path) -> None:
    worlds: dict[str, PastWorld] = {
        "local": LocalPastWorld(tmp_path),
        "hubspot": HubSpotPastWorld(hubspot),
        "salesforce": SalesforcePastWorld(salesforce),
    }
    reports, changed, texts = {}, [], ""

    for name, one in worlds.items():
        story(one)
        before = one.stored()
        found = await read(one, tmp_path / name)
        reports[name] = without_names(audited(found.files))
        changed += [name] if one.stored() != before else []
        texts += "".join(path.read_text() for path in (tmp_path / name).iterdir())

    assert reports["hubspot"] == reports["local"]
    assert reports["salesforce"] == reports["local"]
    assert reports["local"]["leads"] == 8
    assert changed == []
    assert not any(person in texts for person in ("Ines", "Berg", "Firm", "@"))
    assert hubspot.do("seen")["problems"] == []


async def test_the_client_for_reading_refuses_every_write_of_hubspot(hubspot: StandIn) -> None:
    world = HubSpotPastWorld(hubspot)
    lead = world.arrives(0, source="ORGANIC")
    hubspot.do("put", kind="contacts", id=lead, values={"baton_lead": "1"}, user=11)
    before = world.stored()
    body = {"properties": {"hs_lead_status": "OPEN"}}

    async with world.api.open() as hub:
        for method, path in (("PATCH", f"/crm/v3/objects/contacts/{lead}"), ("POST", "/crm/v3/objects/contacts/batch/update")):
            with pytest.raises(MightChange):
                await hub.change(method, path, body)
    with pytest.raises(MightChange):
        await HubSpotCrm(world.api, people=dict).update(key="k", lead_number="1", values={"status": "OPEN"})

    assert world.stored() == before
    assert not any("PATCH" in request or "update" in request for request in hubspot.do("seen")["requests"])


async def test_the_client_for_reading_refuses_every_write_of_salesforce(salesforce: SalesforceStandIn) -> None:
    world = SalesforcePastWorld(salesforce)
    lead = world.arrives(0, source="ORGANIC")
    before = world.stored()

    async with world.api.open() as calls:
        for method, path in (("PATCH", f"sobjects/Lead/{lead}"), ("POST", "composite"), ("DELETE", f"sobjects/Lead/{lead}")):
            with pytest.raises(MightChange):
                await calls.send(method, path, {"Status": "Working"})

    assert world.stored() == before
    assert salesforce.do("log") == []


async def test_the_local_crm_is_opened_for_reading_alone(tmp_path: Path) -> None:
    missing = LocalPast(tmp_path / "none.db")

    with pytest.raises(CrmError, match="could not be read"):
        _ = [page async for page in missing.pages(Asked(BEGIN, NOW))]

    assert not missing.path.exists()
    LocalPastWorld(tmp_path).arrives(0, source="ORGANIC")
    with reading(tmp_path / "crm.db") as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM changes")


async def test_hubspot_is_asked_again_where_that_helps(hubspot: StandIn, tmp_path: Path) -> None:
    world = HubSpotPastWorld(hubspot)
    touched = world.arrives(0, source="ORGANIC", owner="ana")
    world.touched(5, touched, "call")
    whole = texts_of(await read(world, tmp_path / "whole"))
    kinds = ("429", "500", "502", "503", "garbage")
    hubspot.do("faults", next=[{"match": match, "kind": kind} for kind in kinds for match in ("search", "calls/batch", "pipelines")])

    shaken = texts_of(await read(world, tmp_path / "shaken"))

    assert shaken == whole
    assert hubspot.do("seen")["problems"] == []


async def test_salesforce_is_asked_again_where_that_helps(salesforce: SalesforceStandIn, tmp_path: Path) -> None:
    world = SalesforcePastWorld(salesforce)
    touched = world.arrives(0, source="ORGANIC", owner="ana")
    world.touched(5, touched, "call")
    whole = texts_of(await read(world, tmp_path / "whole"))
    for name in ("limit", "away", "broken", "expired", "silent"):
        salesforce.do("fault", name=name, where="FROM Task")

    shaken = texts_of(await read(world, tmp_path / "shaken"))

    assert shaken == whole


async def test_a_deal_with_several_contacts_counts_once_and_for_the_first(hubspot: StandIn, tmp_path: Path) -> None:
    world = HubSpotPastWorld(hubspot)
    first, second = (world.arrives(minute, source="ORGANIC") for minute in (0, 1))
    hubspot.do("many", steps=[{"do": "make", "kind": "contacts", "values": {"firstname": "x"}} for _ in range(100)])
    last = world.arrives(3, source="ORGANIC")
    values = {"dealname": "x", "dealstage": "closedwon", "amount": "5000", "closedate": "2026-02-22T10:00:00Z"}
    hubspot.do("make", kind="deals", values=values, user=11, ties=[["contacts", one] for one in (last, second, first)])

    pages = [page async for page in world.past.pages(Asked(BEGIN, NOW))]

    assert len(pages) == 2
    assert [lead.id for page in pages for lead in page for _ in lead.deals] == [first]


async def test_a_contact_with_many_calls_and_an_account_with_many_contacts_are_read_whole(hubspot: StandIn, tmp_path: Path) -> None:
    world = HubSpotPastWorld(hubspot)
    first = world.arrives(0, source="ORGANIC")
    for minute in range(1, 6):
        world.touched(minute, first, "call")
    hubspot.do("many", steps=[{"do": "make", "kind": "contacts", "values": {"firstname": "x"}} for _ in range(250)])
    hubspot.do("tied_page", size=2)

    found = await read(world, tmp_path / "read")

    assert (found.leads, found.activities) == (251, 5)


async def test_an_org_with_several_pages_of_leads_is_read_whole(salesforce: SalesforceStandIn, tmp_path: Path) -> None:
    world = SalesforcePastWorld(salesforce)
    made = [world.arrives(minute, source="ORGANIC") for minute in range(205)]
    world.touched(300, made[-1], "call")
    salesforce.do("set", page=50)

    found = await read(world, tmp_path / "read")

    assert (found.leads, found.activities) == (205, 1)


async def test_an_org_without_histories_says_so_and_no_promise_is_counted_as_broken(salesforce: SalesforceStandIn, tmp_path: Path) -> None:
    world = SalesforcePastWorld(salesforce)
    story(world)
    salesforce.do("forget", kind="LeadHistory")

    found = await read(world, tmp_path / "read")
    report = audited(found.files)

    delivery = next(one for one in report.promises if one.promise == "delivery")
    assert "no column says when a lead was given to a rep" in delivery.not_in_file
    assert [sentence for sentence in found.untold if "no history" in sentence] == [
        "Salesforce shows no history of owners: nobody can say when a lead was given to a rep.",
        "Salesforce shows no history of status: nobody can say when a lead was accepted or rejected.",
    ]
    assert report.accepted
    assert report.accepted.count == 2


async def test_a_field_that_the_crm_lacks_is_named(vendor: PastWorld) -> None:
    vendor.arrives(0, source="ORGANIC")

    with pytest.raises(CrmError, match="no_such_field") as refused:
        _ = [page async for page in vendor.past.pages(Asked(BEGIN, NOW, ("status", "no_such_field")))]

    assert refused.value.permanent


async def test_a_field_of_a_map_is_no_part_of_a_query(salesforce: SalesforceStandIn) -> None:
    world = SalesforcePastWorld(salesforce)

    with pytest.raises(CrmError, match="is no name of a field"):
        _ = [page async for page in world.past.pages(Asked(BEGIN, NOW, ("Email FROM Lead --",)))]

    assert not any("FROM Lead " in request for request in salesforce.do("log"))


async def test_a_contact_is_a_lead_from_the_time_that_a_field_says(hubspot: StandIn, tmp_path: Path) -> None:
    world = HubSpotPastWorld(hubspot)
    mql = world.arrives(-30 * DAY, source="ORGANIC", owner="ana")
    world.arrives(0, source="ORGANIC")
    world.status(-20 * DAY, mql, "rejected")
    world.touched(-10 * DAY, mql, "call")
    at = {"hs_lifecyclestage_marketingqualifiedlead_date": (BEGIN + timedelta(hours=1)).isoformat()}
    hubspot.do("put", kind="contacts", id=mql, values=at, user=11)
    world.touched(2 * HOUR, mql, "email")
    given = CrmMap(audit=AuditColumns(created="hs_lifecyclestage_marketingqualifiedlead_date"))

    found = await read(world, tmp_path / "read", given)

    assert texts_of(found) == [
        "id,created,source,owner,assigned_at,status,reason,tier,won,won_at,lost,lost_at,amount\n"
        f"{mql},2026-02-02T10:00:00Z,ORGANIC,71,2026-02-02T10:00:00Z,UNQUALIFIED,,,,,,,\n",
        f"lead,at,type,by,to\n{mql},2026-02-02T11:00:00Z,email,,\n",
    ]


async def test_a_field_of_salesforce_says_from_when_a_record_is_a_lead(salesforce: SalesforceStandIn, tmp_path: Path) -> None:
    world = SalesforcePastWorld(salesforce)
    old = world.arrives(-30 * DAY, source="ORGANIC", owner="ana")
    world.arrives(-29 * DAY, source="ORGANIC", owner="ana")
    world.owned(5, old, "ben")

    found = await read(world, tmp_path / "read", CrmMap(audit=AuditColumns(created="LastModifiedDate")))

    assert found.leads == 1
    assert texts_of(found)[0].splitlines()[1].startswith(f"{old},2026-02-02T09:05:00Z,ORGANIC,")


@pytest.mark.long
async def test_five_thousand_leads_cost_thirteen_requests_a_page(hubspot: StandIn, tmp_path: Path) -> None:
    world, leads = HubSpotPastWorld(hubspot), 5_000
    hubspot.do("reset", validate=False)
    world.arrives(0, source="ORGANIC")
    for _ in range(leads // 500):
        made = hubspot.do("many", steps=[{"do": "make", "kind": "contacts", "values": {"firstname": "x"}} for _ in range(500)])
        calls = ({"do": "make", "kind": "calls", "values": {}, "user": 11, "ties": [["contacts", one["id"]]]} for one in made)
        hubspot.do("many", steps=list(calls))

    found = await read(world, tmp_path / "read")

    assert (found.leads, found.activities) == (leads + 1, leads)
    assert sum(hubspot.do("seen")["requests"].values()) <= 13 * (leads // 100 + 1) + 4

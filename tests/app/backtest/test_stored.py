"""Handoffs of the database are tried as they were known when they were judged, whatever has become known since."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import Session, col, select

from agreements.backtest.columns import judge
from agreements.errors import HandoffError
from agreements.lifecycle import Stage
from agreements.loading import read_agreement
from agreements.model import Agreement
from app.backtest.compare import compare
from app.backtest.past import BLANK, PastLeads
from app.backtest.stored import read_stored
from app.csv_import.errors import UnreadableFile
from app.csv_import.lead_map import LeadMap
from storage import figures
from storage.crm.port import Account
from storage.past import Which, past_handoffs
from storage.tables import Handoff, LeadSource, LeadValues
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.backtest.ground import a_file
from tests.conftest import AGREEMENT, MONDAY
from tests.deal import BY_POINTS, NOT_YET, agree_on, until_working
from tests.driver import Driver, drive
from tests.in_flight import published, text_of
from tests.stage import Taken, answer_by_link, capture, local_crm, newest
from tests.storage.plans import recorded
from tests.tasks.crm.test_opportunities import deal, lost_to_nurture
from tests.tasks.test_several_agreements import FOR_WEB, WEB

IN_FORCE = read_agreement(AGREEMENT)
KINDS: list[dict[str, Any]] = [
    {},
    BY_POINTS,
    NOT_YET,
    {"email": "nobody@mailinator.com"},
    {"do_not_contact": True},
    {"company": "Customer Inc"},
    {"company": "Open Deal Ltd", "email": "a@open.example"},
    {"country": "KP"},
    {**BY_POINTS, "entry_channel": "trade_show", "fields": {"industry": "Select", "employees": "51-200"}},
    {**BY_POINTS, "fields": {"industry": "SaaS", "employees": 7.5}},
]


def stored(box: Toolbox, *agreements: Agreement, by: str = "entry_channel", **more: Any) -> PastLeads:
    return box.read_now(lambda session, now: read_stored(session, agreements or [IN_FORCE], now=now, by=by, **more))


def handoffs_of(box: Toolbox) -> dict[int, Handoff]:
    return box.read_now(lambda session, now: {row.id: row for row in session.exec(select(Handoff))})


@pytest.fixture
def taken(box: Toolbox, driver: Driver) -> list[Taken]:
    """One lead of each kind, judged as they came in."""
    local_crm(box).add_accounts(
        [Account("A1", "Customer Inc", status="customer"), Account("A2", "Open Deal Ltd", "open.example", open_opportunity=True)]
    )
    found = [capture(box, **kind) for kind in KINDS]
    drive(driver, until=MONDAY + timedelta(minutes=2))
    return found


def test_every_handoff_gets_the_verdict_that_it_got_when_it_ran(
    box: Toolbox, taken: list[Taken], driver: Driver, time: SteppedTime
) -> None:
    """Whoever asks again later, with other facts, does not change what was known then."""
    time.at += timedelta(days=3)
    for one in taken:
        capture(box, source_id=one.source_id, activity="webinar_attended", conversion_id="later", fields={"industry": "retail"})

    past = stored(box)
    verdicts = judge(IN_FORCE, past.leads).verdicts
    rows, known = box.read_now(lambda session, now: past_handoffs(session)), handoffs_of(box)

    assert [row.lead_id for row in rows][: len(taken)] == [one.lead_id for one in taken]
    for row, verdict in zip(rows, verdicts.iter_rows(named=True), strict=True):
        ran = known[row.id]
        ready = ran.mql_at is not None and not ran.routed
        assert verdict["is_mql"] == ready, row
        if ready or ran.reason == "not-ready":
            assert (verdict["fit"], verdict["engagement"], verdict["total"]) == (ran.fit, ran.engagement, ran.score)
            assert verdict["tier"] == ran.tier
        elif not ran.routed:
            assert verdict["screened"] == (ran.reason if ran.stage != Stage.SUPPRESSED else "do-not-contact")
    assert {"spam", "customer", "open-opportunity", "wrong-territory", "do-not-contact", ""} == set(verdicts["screened"])


def test_the_newest_ones_are_as_among_all_and_take_as_many_statements(box: Toolbox, taken: list[Taken], driver: Driver) -> None:
    answer_by_link(box, taken[1], "rejected", reason="no-authority")
    drive(driver, until=MONDAY + timedelta(minutes=30))
    capture(box, source_id=taken[1].source_id, activity="demo_requested", conversion_id="again")
    drive(driver, until=MONDAY + timedelta(minutes=40))

    with recorded(box.database) as whole:
        every = box.read_now(lambda session, now: past_handoffs(session))
    with recorded(box.database) as part:
        newest_ones = box.read_now(lambda session, now: past_handoffs(session, Which(3)))

    assert any(row.since for row in newest_ones), "a lead that came back"
    assert newest_ones == every[-3:]
    assert len(whole) == len(part) <= 8


def test_where_no_history_was_kept_the_values_are_todays_and_that_is_said(box: Toolbox, taken: list[Taken], time: SteppedTime) -> None:
    time.at += timedelta(days=1)
    capture(box, source_id=taken[0].source_id, activity="webinar_attended", conversion_id="later", fields={"industry": "retail"})
    box.write_now(lambda session, now: session.execute(delete(LeadValues).where(col(LeadValues.lead_id) == taken[0].lead_id)))

    past = stored(box)

    assert past.leads.values["industry"][0] == "retail"
    assert any("For 1 handoff Baton has only today's values" in warning for warning in past.warnings)
    assert not any("not kept" in warning for warning in _without(box, taken[0]).warnings)


def _without(box: Toolbox, taken: Taken) -> PastLeads:
    """The same once the lead has nothing to be judged by any more."""

    def work(session: Session, now: object) -> None:
        for row in session.exec(select(Handoff).where(Handoff.lead_id == taken.lead_id)):
            row.stage = Stage.ERASED
            session.add(row)

    box.write_now(work)
    return stored(box)


def test_an_opportunity_is_won_what_ended_otherwise_is_lost_and_the_rest_is_unknown(
    box: Toolbox, driver: Driver, time: SteppedTime
) -> None:
    made, rejected, waiting, never = capture(box), capture(box), capture(box), capture(box, **NOT_YET)
    drive(driver, until=MONDAY + timedelta(minutes=2))
    for kind in ("accepted", "attempted", "opportunity"):
        answer_by_link(box, made, kind)
        drive(driver, until=time.at + timedelta(minutes=2))
    answer_by_link(box, rejected, "rejected", reason="not-icp")
    drive(driver, until=time.at + timedelta(minutes=10))
    assert newest(box, made).stage == Stage.OPPORTUNITY
    assert newest(box, rejected).stage == Stage.DISQUALIFIED

    past = stored(box)

    assert past.outcomes.won.to_list() == [True, False, False, False]
    assert past.outcomes.known.to_list() == [True, True, False, False]
    assert newest(box, waiting).first_assigned_at
    assert newest(box, never).first_assigned_at is None
    assert any("1 handoff was never assigned" in warning for warning in past.warnings)
    assert any("1 handoff is still with sales" in warning for warning in past.warnings)
    found = compare(IN_FORCE, None, past)
    assert (found.word, found.draft.qualified.leads, found.draft.qualified.known, found.draft.qualified.won) == (
        "made opportunities",
        3,
        2,
        1,
    )


async def test_an_opportunity_stays_one_though_it_was_lost_and_its_lead_went_to_nurture(
    box: Toolbox, driver: Driver, time: SteppedTime
) -> None:
    agree_on(box, lost_to_nurture)
    taken = await until_working(driver, box)
    made = deal(box, time, taken, stage="Discovery", opportunity="")
    await driver.settle()
    time.at += timedelta(days=1)
    deal(box, time, taken, made, state="lost", reason="Competitor won")
    await driver.settle()
    assert newest(box, taken).stage == Stage.NURTURING

    past = stored(box)

    assert (past.outcomes.won.to_list(), past.outcomes.known.to_list()) == ([True], [True])
    assert past.outcomes.reached["opportunity"].to_list() == [True]
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).opportunities == 1


async def test_only_what_ran_under_the_agreement_is_read_where_one_is_named(box: Toolbox, driver: Driver) -> None:
    box.write_now(lambda session, now: published(session, text_of(4, "2026-06-01", WEB, FOR_WEB), now))
    taken = [capture(box, source=source) for source in ("phone", "web", "phone")]
    await driver.settle()

    assert [newest(box, one).agreement for one in taken] == ["b2b-saas", "web", "b2b-saas"]
    assert [stored(box, which=Which(agreement=name)).height for name in ("b2b-saas", "web", "")] == [2, 1, 3]


def test_outcomes_from_a_file_are_joined_by_the_ids_of_its_source(box: Toolbox, taken: list[Taken], tmp_path: Path) -> None:
    sources = box.read_now(lambda session, now: {row.lead_id: row.source_id for row in session.exec(select(LeadSource))})
    hot, by_points = sources[taken[0].lead_id], sources[taken[1].lead_id]
    file = a_file(tmp_path, "id,won", f"{hot},2027-03-01", f"{by_points},2027-01-01", "stranger,2027-03-01", name="deals.csv")
    mapping = LeadMap.model_validate(
        {"source": "test", "columns": {"source_id": "id"}, "outcomes": {"file": "x.csv", "source_id": "id", "won_at": "won"}}
    )

    past = stored(box, outcomes=file, mapping=mapping)

    assert past.outcomes.won.to_list()[:3] == [True, False, False]
    assert past.outcomes.word == "won"
    assert ["before the first contact" in bad.reason for bad in past.left_out] == [True]


def test_the_newest_handoffs_are_taken_where_only_some_are_asked_for(box: Toolbox, taken: list[Taken]) -> None:
    assert stored(box, which=Which(3)).height == 3


def test_handoffs_are_grouped_by_what_was_known_and_blank_is_a_group_of_its_own(box: Toolbox, taken: list[Taken]) -> None:
    groups = compare(IN_FORCE, None, stored(box, by="industry")).groups

    assert {group.value: group.leads.leads for group in groups} == {"logistics": 8, "Select": 1, "SaaS": 1}
    with pytest.raises(UnreadableFile, match="No lead has 'shoe_size'"):
        stored(box, by="shoe_size")
    assert BLANK in {group.value for group in compare(IN_FORCE, None, stored(box, by="account.status")).groups}


def test_a_database_without_handoffs_is_told_so(box: Toolbox, time: SteppedTime) -> None:
    with pytest.raises(HandoffError, match="No handoff in the database has been judged yet"):
        stored(box)

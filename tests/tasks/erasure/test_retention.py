"""Retention as agreed: what is over its time goes, what is not stays, and a handoff that is open is never touched."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from agreements.lifecycle import OPEN_STAGES
from storage import disputes, erased, figures, suppressions, trail
from storage.database import ROWS_AT_ONCE
from storage.tables import Event, Lead, PersonalText, PrefectChore
from tasks.disputes.rulings import raise_dispute
from tasks.erasure import retention
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import AGREEMENT, MONDAY
from tests.driver import Driver
from tests.fakes import make_lead
from tests.in_flight import published
from tests.present import the
from tests.searching import in_bytes, in_tables
from tests.stage import Taken, answer_by_link, capture, events_of, newest
from tests.storage.plans import recorded

WORDS = ("Marlowe", "marlowe", "7946 0777", "gravel pit")
PERSON = {
    "email": "iris.marlowe@gravel.example",
    "first_name": "Iris",
    "last_name": "Marlowe",
    "phone": "+44 20 7946 0777",
    "message": "Our gravel pit is flooded.",
}
YEARS = timedelta(days=2 * 365)


async def in_nurture(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    """A lead that was rejected with words about it, and waits in nurture."""
    taken = capture(box, **{**PERSON, **changes})
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now", text="Iris Marlowe says the gravel pit is flooded.")
    await driver.settle()
    assert newest(box, taken).stage == "nurturing"
    return taken


async def test_what_is_over_its_time_goes_and_the_run_says_how_much(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path
) -> None:
    taken = await in_nurture(driver, box)
    assert in_tables(box.database, WORDS)
    time.at = MONDAY + YEARS
    (box.settings.folder / "export.csv").write_text("lead,person\n1,Iris Marlowe\n2,Gus Lee\n", encoding="utf-8")

    kept = await retention.carry_out(box)

    assert (box.settings.folder / "export.csv").read_text(encoding="utf-8") == "lead,person\n2,Gus Lee\n"

    assert in_tables(box.database, WORDS) == []
    assert in_bytes(tmp_path, WORDS) == []
    assert (kept.deleted["leads"], kept.deleted["texts"]) == (1, 2)
    assert kept.left == []
    assert newest(box, taken).stage == "erased"
    [told] = [event for event in events_of(box, taken) if event.kind == "cleared"]
    assert told.data["why"] == "retention"
    [summary] = box.read_now(lambda session, now: list(session.exec(select(Event).where(Event.kind == "retention"))))
    assert summary.data["deleted"] == dict(kept.deleted)
    stored = box.read_now(lambda session, now: {one.kind for one in session.exec(select(PrefectChore))})
    assert stored == {"lead", "run"}
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).unaccounted == 0


@pytest.mark.parametrize("days", [0, 1, 729])
async def test_before_its_time_nothing_goes(driver: Driver, box: Toolbox, time: SteppedTime, days: int) -> None:
    await in_nurture(driver, box)
    time.at = MONDAY + timedelta(days=days)

    kept = await retention.carry_out(box)

    assert not kept.deleted
    assert in_tables(box.database, WORDS)


async def test_the_time_begins_with_the_last_activity(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await in_nurture(driver, box)
    time.at = MONDAY + timedelta(days=400)
    capture(box, **{**PERSON, "source_id": taken.source_id, "conversion_id": "later", "activity": "newsletter_opened"})

    time.at = MONDAY + YEARS
    early = await retention.carry_out(box)
    time.at = MONDAY + timedelta(days=400) + YEARS
    await retention.carry_out(box)

    assert not early.deleted
    assert in_tables(box.database, WORDS) == []


@pytest.mark.parametrize("stage", ["inquiry", "assigned", "accepted"])
async def test_an_open_handoff_is_never_touched(driver: Driver, box: Toolbox, time: SteppedTime, stage: str) -> None:
    taken = capture(box, **PERSON)
    if stage != "inquiry":
        await driver.settle()
    if stage == "accepted":
        answer_by_link(box, taken, "accepted")
        await driver.settle()
    assert newest(box, taken).stage == stage
    assert stage in OPEN_STAGES
    before = in_tables(box.database, WORDS)
    time.at = MONDAY + 5 * YEARS

    kept = await retention.carry_out(box)

    assert not kept.deleted
    assert in_tables(box.database, WORDS) == before


async def test_a_lead_under_an_open_dispute_is_kept_until_that_is_settled(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await in_nurture(driver, box)
    dispute = box.write_now(lambda session, now: raise_dispute(session, 1, "mina", "She asked.", now=now))
    time.at = MONDAY + YEARS

    first = await retention.carry_out(box)
    box.write_now(lambda session, now: disputes.rule_once(session, dispute.id, "upheld", by="maria", now=now))
    await retention.carry_out(box)

    assert not first.deleted
    assert in_tables(box.database, WORDS) == []
    assert newest(box, taken).stage == "erased"


async def test_each_lead_is_kept_as_long_as_its_own_agreement_says(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """A later version keeps what is personal for 90 days; who came before stays as long as was agreed then."""
    before = await in_nurture(driver, box)
    text = AGREEMENT.replace("version: 1", "version: 2", 1).replace("2026-01-01", "2027-01-15", 1)
    text = text.replace("legs: [sdr]", "legs: [sdr]\nretention: {personal: 90 days}", 1)

    box.write_now(lambda session, now: published(session, text, now))
    after = await in_nurture(driver, box, email="gus@pit.example", first_name="Gus", last_name="Tarn", phone="", source_id="gus")
    time.at = MONDAY + timedelta(days=100)

    await retention.carry_out(box)

    leads = box.read_now(lambda session, now: {one.id: one.erased_at for one in session.exec(select(Lead))})
    assert leads[before.lead_id] is None
    assert leads[after.lead_id] == time.at
    assert box.read_now(lambda session, now: retention.agreed(session)) == [("b2b-saas@1", 730, 1095), ("b2b-saas@2", 90, 1095)]


async def test_a_wish_not_to_be_contacted_outlives_what_is_deleted(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """As a keyed hash; whoever had no such wish may come again as a new lead."""
    box.write_now(lambda session, now: suppressions.suppress(session, PERSON["email"], reason="asked", now=now))
    capture(box, **PERSON)
    other = capture(box, email="free@pit.example", source_id="free")
    await driver.settle()
    answer_by_link(box, other, "rejected", reason="not-icp")
    await driver.settle()
    time.at = MONDAY + YEARS

    await retention.carry_out(box)

    known = [make_lead(email=PERSON["email"], source_id="n1"), make_lead(email="free@pit.example", source_id="n2", phone="")]
    assert box.read_now(lambda session, now: [erased.is_erased(session, one) for one in known]) == [True, False]
    assert in_tables(box.database, WORDS) == []


async def test_a_run_that_dies_is_ended_by_the_next_one(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await in_nurture(driver, box)
    time.at = MONDAY + YEARS

    def die(where: str) -> None:
        if where == "cleared some":
            raise KeyboardInterrupt

    box.fault = die
    with pytest.raises(KeyboardInterrupt):
        await retention.carry_out(box)
    box.fault = lambda where: None
    await retention.carry_out(box)
    again = await retention.carry_out(box)

    assert in_tables(box.database, WORDS) == []
    assert not again.deleted


async def test_whoever_writes_while_they_are_cleared_is_somebody_new_and_loses_nothing(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await in_nurture(driver, box)
    box.write_now(lambda session, now: [trail.keep_text(session, f"Part {number}.", lead_id=taken.lead_id) for number in range(60)])
    time.at = MONDAY + YEARS
    back: list[Taken] = []

    def write(where: str) -> None:
        if where == "cleared some" and not back:
            back.append(capture(box, **{**PERSON, "source_id": taken.source_id, "conversion_id": "back"}))

    box.fault = write
    await retention.carry_out(box)
    box.fault = lambda where: None
    await driver.settle()

    lead = the(box.read_now(lambda session, now: session.get(Lead, back[0].lead_id)))
    assert (back[0].kind, lead.email, lead.erased_at) == ("new", PERSON["email"], None)
    assert lead.id != taken.lead_id
    assert newest(box, back[0]).stage == "assigned"


async def test_a_lead_at_another_company_is_not_taken_for_one_that_was_cleared(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """The person's lead at the first company was cleared; what they do later belongs to the one at the second."""
    first = await in_nurture(driver, box, company="Gravel Ltd")
    pit = {**PERSON, "company": "Pit plc", "email": "iris@pit.example"}
    second = capture(box, **{**pit, "source_id": first.source_id, "conversion_id": "2"})
    assert second.lead_id != first.lead_id
    time.at = MONDAY + timedelta(days=700)
    capture(box, **{**pit, "source_id": "iris-2", "conversion_id": "3"})
    time.at = MONDAY + YEARS
    await retention.carry_out(box)

    later = capture(box, **{**pit, "source_id": "iris-3", "conversion_id": "4"})

    leads = box.read_now(lambda session, now: {one.id: one.erased_at for one in session.exec(select(Lead))})
    assert leads[first.lead_id] == time.at
    assert later.lead_id == second.lead_id


async def test_a_person_who_wrote_a_thousand_times_is_deleted_in_short_transactions(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await in_nurture(driver, box)

    def write(session: Session, now: datetime) -> None:
        for number in range(1_000):
            trail.keep_text(session, f"The gravel pit, part {number}.", lead_id=taken.lead_id)

    box.write_now(write)
    time.at = MONDAY + YEARS

    with recorded(box.database) as work:
        await retention.carry_out(box)

    deleted = [one for one in work.asked if one.statement.startswith("DELETE FROM personal_texts")]
    assert len(deleted) >= 1_000 // ROWS_AT_ONCE
    assert max(len(one.parameters) for one in deleted) <= ROWS_AT_ONCE
    assert in_tables(box.database, WORDS) == []
    kept = box.read_now(lambda session, now: [one.text for one in session.exec(select(PersonalText))])
    assert set(kept) == {"(erased)"}


async def test_the_plan_says_what_would_go_and_changes_nothing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await in_nurture(driver, box)
    early = box.read_now(lambda session, now: retention.plan(session, now=now))
    time.at = MONDAY + YEARS
    before = in_tables(box.database, WORDS)

    late = box.read_now(lambda session, now: retention.plan(session, now=now))

    assert (early.leads, early.texts) == (0, 0)
    assert (late.leads, late.texts) == (1, 2)
    assert late.trail_before == time.at - timedelta(days=3 * 365)
    assert in_tables(box.database, WORDS) == before

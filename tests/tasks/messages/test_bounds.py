"""What is larger than anybody means is refused or cut before a worker sees it, and a contact time counts as far as it can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from agreements.lead import MAX_SHORT, MAX_TEXT
from flows import forms
from storage.crm.port import Account
from storage.tables import Answer, Lead, PersonalText, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import until_accepted, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, local_crm, newest

MONDAY_DUE = datetime(2027, 2, 8, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("number", [10**4000, -(10**4000), 2**70, 1e300], ids=["huge", "minus huge", "2**70", "1e300"])
async def test_a_lead_that_tells_a_number_nobody_means_goes_its_way(driver: Driver, box: Toolbox, number: float) -> None:
    """As one that was taken in before there were bounds: it was stuck after five attempts."""
    taken = capture(box)

    def tell(session: Session, now: datetime) -> None:
        lead = the(session.get(Lead, taken.lead_id))
        lead.values = {**lead.values, "employees": number, "own": number, "lead_score": number}
        session.add(lead)

    box.write_now(tell)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).failures) == ("assigned", 0)


def form(box: Toolbox, taken: Taken, **values: str) -> bool:
    """What was answered in Prefect's own window."""
    wait_id = wait_of(box, taken).id
    return box.write_now(lambda session, now: forms.take(session, wait_id, values, resumed=now, now=now))


def newest_answer(box: Toolbox) -> tuple[Answer, str]:
    def find(session: Session, now: datetime) -> tuple[Answer, str]:
        row = session.exec(select(Answer).order_by(col(Answer.id).desc()).limit(1)).one()
        text = session.get(PersonalText, row.text_id) if row.text_id else None
        return row, text.text if text else ""

    return box.read_now(find)


async def test_a_text_that_is_too_long_is_refused_in_prefects_form_and_said_at_the_next_park(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    assert not form(box, taken, answer="rejected", reason="other", text="x" * (MAX_TEXT + 1), who_answers="Ana")

    wait = the(box.read_now(lambda session, now: session.get(Wait, wait_of(box, taken).id)))
    assert (wait.answer_id, len(wait.remark) < 300) == (None, True)
    assert "Please shorten what you wrote in a few words: it has 10,001 characters" in wait.remark


async def test_of_a_name_in_prefects_form_so_much_is_kept_as_a_name_has(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    assert form(box, taken, answer="rejected", reason="other", text="x" * MAX_TEXT, who_answers="Ana\x00" * 5000)

    row, text = newest_answer(box)
    assert (len(row.by), "\x00" in row.by, len(text)) == (MAX_SHORT, False, MAX_TEXT)


async def test_of_what_somebody_writes_too_late_so_much_is_kept_as_anybody_may_write(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "accepted")

    assert not answer_by_link(box, taken, "rejected", reason="other", text="x" * (MAX_TEXT + 1)).won

    row, text = newest_answer(box)
    assert (row.state, len(text)) == ("late", MAX_TEXT)


async def test_a_change_in_the_crm_counts_although_something_in_it_is_endless(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    values = {"status": "Attempted", "owner": "x" * 100_000, "n" * 100_000: "\x00", "about": "x" * 100_000}
    local_crm(box).person_changes(taken.lead_id, by="ana" + "a" * 10_000, at=time.at, values=values)

    await driver.settle()

    assert newest(box, taken).stage == "working"
    assert len(newest_answer(box)[0].by) == MAX_SHORT
    [told] = [event.data["fields"] for event in events_of(box, taken) if event.kind == "crm-changed"]
    assert max(map(len, told)) == MAX_SHORT


async def test_what_the_crm_says_of_a_company_is_cut(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("a" * 5000, "Company", "endless.example", status="prospect", owner="o" * 5000)])
    taken = capture(box, email="pat@endless.example")
    await driver.settle()

    assert [len(newest(box, taken).account[name]) for name in ("id", "owner")] == [MAX_SHORT, MAX_SHORT]
    assert newest(box, taken).failures == 0


async def test_a_contact_time_outside_hours_moves_to_the_next_opening(driver: Driver, box: Toolbox) -> None:
    """Saturday evening: due on Monday at nine, and the tolerance."""
    taken = await until_accepted(driver, box, requested_time=datetime(2027, 2, 6, 20, tzinfo=UTC))

    assert wait_of(box, taken).due_at == MONDAY_DUE


@pytest.mark.parametrize(
    ("ahead", "why"),
    [(timedelta(days=3000), "it lies more than a year ahead"), (-timedelta(hours=1), "it had passed when the rep was told")],
)
async def test_a_contact_time_that_cannot_be_meant_moves_nothing_and_the_trail_says_so(
    driver: Driver, box: Toolbox, time: SteppedTime, ahead: timedelta, why: str
) -> None:
    usual = wait_of(box, await until_accepted(driver, box)).due_at
    taken = await until_accepted(driver, box, requested_time=time.at + ahead)

    assert wait_of(box, taken).due_at == usual
    assert [event.data["why"] for event in events_of(box, taken) if event.kind == "contact-time-ignored"] == [why]
    answer_by_link(box, taken, "attempted")
    await driver.settle()
    assert [event.data["too_early"] for event in events_of(box, taken) if event.kind == "touched"] == [False]

"""The handoff note: nobody in sales is told before it states what was agreed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import handoffs
from storage.tables import HandoffNote
from tasks.replies.answering import ChoiceRefused
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, answer_by_duty, letters, staff, tenures, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest


def note_of(box: Toolbox, taken: Taken) -> HandoffNote:
    return the(box.read_now(lambda session, now: handoffs.note_of(session, newest(box, taken))))


async def test_a_note_states_why_the_lead_is_qualified_and_ready_to_buy(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)

    await driver.settle()

    note = note_of(box, taken)
    assert note.complete
    assert note.content["statements"] == {
        "why_qualified": "They asked for a demo; score 60 of 100.",
        "buying_signal": "Demo requested.",
        "next_step": "Call, understand what prompted the request, and agree the next meeting.",
        "campaign": "spring",
        "pain_point": "manual handover; no overview of what became of a lead",
    }
    assert {one["rule"] for one in note.content["criteria"]} >= {"persona ops-leader", "employees at least 200"}


async def test_a_note_by_points_names_the_best_of_them(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_POINTS)

    await driver.settle()

    why = note_of(box, taken).content["statements"]["why_qualified"]
    assert why == "Score 75 of 100, 60 agreed: persona ops-leader; industry in software, logistics, manufacturing; employees at least 200."


async def test_an_incomplete_note_is_asked_of_a_named_person_and_nobody_in_sales_is_told(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box, campaign="")

    await driver.settle()

    handoff, wait = newest(box, taken), wait_of(box, taken)
    assert (handoff.stage, handoff.owner, handoff.rep) == ("mql", "mina", "")
    assert (wait.kind, wait.holder, wait.due_at) == ("note", "mina", time.at + timedelta(hours=12))
    assert letters(box, "note-needed") == ["mina"]
    assert letters(box, "assigned") == []
    [asked] = [event for event in events_of(box, taken) if event.kind == "note-incomplete"]
    assert asked.data["missing"] == ["campaign"]


async def test_a_note_completed_by_link_goes_on_to_sales(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, campaign="")
    await driver.settle()

    reply = answer_by_duty(box, taken, "completed", campaign="Spring fair, hall 3")
    await driver.settle()

    assert reply.won
    assert newest(box, taken).stage == "assigned"
    assert note_of(box, taken).content["statements"]["campaign"] == "Spring fair, hall 3"
    [letter] = [one for one in kept_by(box, "email").letters if one.message == "assigned"]
    assert "Spring fair, hall 3" in letter.text


async def test_a_note_that_still_lacks_something_is_not_taken(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, campaign="")
    await driver.settle()

    with pytest.raises(ChoiceRefused, match="Please write down what is still missing in the note: campaign"):
        answer_by_duty(box, taken, "completed", next_step="Call.", campaign="  ")

    assert wait_of(box, taken).answer_id is None


async def test_what_marketing_wrote_stays_out_of_the_trail(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, campaign="")
    await driver.settle()
    answer_by_duty(box, taken, "completed", campaign="Ask for Lee in person")
    await driver.settle()

    assert not any("Lee in person" in str(event.data) for event in events_of(box, taken))


async def test_a_note_that_nobody_completes_ends_in_nurture(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = capture(box, campaign="")

    await driver.run(until=start + timedelta(hours=12))
    assert letters(box, "ops-told") == ["oscar"]
    assert newest(box, taken).stage == "mql"
    await driver.run(until=start + timedelta(days=4))

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.track, handoff.ended_at) == ("nurturing", "incomplete", start + timedelta(hours=60))


async def test_a_note_completed_during_the_further_time_goes_on(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, campaign="")
    await driver.run(until=time.at + timedelta(hours=24))

    answer_by_duty(box, taken, "completed", campaign="late, but here")
    await driver.settle()

    assert newest(box, taken).stage == "assigned"


async def test_a_note_that_sales_sends_back_is_mended_and_goes_to_the_same_rep(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    rep = newest(box, taken).rep

    answer_by_link(box, taken, "rejected", reason="bad-data")
    await driver.settle()
    assert (newest(box, taken).stage, newest(box, taken).owner, wait_of(box, taken).kind) == ("mql", "mina", "note")
    answer_by_duty(box, taken, "completed", next_step="Ask for the head of logistics.")
    await driver.settle()

    assert [(one.rep, one.ended_because) for one in tenures(box, taken)] == [(rep, "note-returned"), (rep, "")]
    assert note_of(box, taken).content["statements"]["next_step"] == "Ask for the head of logistics."


async def test_a_returned_note_is_completed_also_when_the_rep_is_away_by_then(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="bad-data")
    await driver.settle()
    staff(box, ("ana: {name: Ana Silva,", "ana: {away: [{from: 2027-02-01T00:00:00Z, until: 2027-03-01T00:00:00Z}], name: Ana Silva,"))

    answer_by_duty(box, taken, "completed", next_step="Ask for the head of logistics.")
    await driver.settle()

    assert newest(box, taken).rep in ("ben", "cleo")

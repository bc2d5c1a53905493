"""On whose calendar a clock runs, what of it the next rep has, and when it stands still."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from agreements.words import GivenAnswer
from storage.tables import Handoff
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import agree, answer_by_duty, letters, staff, tenures, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

ACCEPTANCE = "owed_by: sales\n    calendar: rep\n    within: {hot: 30 working minutes, normal: 4 working hours}\n"
FIRST_ATTEMPT = "owed_by: sales\n    calendar: rep\n    within: {hot: 2 working hours, normal: end of same working day}\n"
NEWYORK = '\n  newyork: {timezone: America/New_York, hours: {mon-fri: "09:00-17:00"}}\n\nrouting:'

#: Hot leads go to whose turn it is, at work or not: these tests are about the rep who is not.
BY_TURN = ("when: {fast_lane: true}, channels: [email, crm, chat]}", "when: {fast_lane: true}, channels: [email, crm, chat], prefer: turn}")


def at(text: str) -> datetime:
    """An instant of the Monday on which the tests begin, in London, where it is UTC."""
    return MONDAY.replace(hour=int(text[:2]), minute=int(text[3:]))


def works_in_newyork(name: str) -> tuple[str, str]:
    return f"{name}: {{name:", f"{name}: {{calendar: newyork, name:"


def clause(old: str, more: str) -> tuple[str, str]:
    """The clock with a further line."""
    return old, f"{old}    {more}\n"


async def assigned(driver: Driver, box: Toolbox) -> Taken:
    """A lead that Ana was told of at nine o'clock."""
    taken = capture(box)
    await driver.settle()
    return taken


async def answered(driver: Driver, box: Toolbox, taken: Taken, choice: GivenAnswer, **fields: str) -> None:
    answer_by_link(box, taken, choice, **fields)
    await driver.settle()


async def test_a_clock_runs_on_the_calendar_of_whoever_owes_it(driver: Driver, box: Toolbox) -> None:
    agree(box, ("\n\nrouting:", NEWYORK), BY_TURN)
    staff(box, works_in_newyork("ana"))

    taken = await assigned(driver, box)

    assert wait_of(box, taken).due_at == at("14:30")


async def test_a_clock_that_names_a_calendar_runs_on_that_one_whoever_owes_it(driver: Driver, box: Toolbox) -> None:
    agree(box, ("\n\nrouting:", NEWYORK), BY_TURN, (ACCEPTANCE, ACCEPTANCE.replace("rep", "london")))
    staff(box, works_in_newyork("ana"))

    taken = await assigned(driver, box)

    assert wait_of(box, taken).due_at == at("09:30")


async def test_a_further_time_is_on_the_calendar_that_the_clock_names(driver: Driver, box: Toolbox) -> None:
    """Ana works in New York; the ladder's four further hours are those of the clock."""
    agree(box, ("\n\nrouting:", NEWYORK), BY_TURN, (FIRST_ATTEMPT, FIRST_ATTEMPT.replace("rep", "london")))
    staff(box, works_in_newyork("ana"))
    taken = await assigned(driver, box)
    await answered(driver, box, taken, "accepted")

    await driver.run(until=wait_of(box, taken).due_at)

    assert (wait_of(box, taken).promised_at, wait_of(box, taken).due_at) == (at("11:00"), at("16:00"))


async def test_a_note_and_a_decision_may_name_a_calendar_too(driver: Driver, box: Toolbox) -> None:
    note = "owed_by: marketing\n    within: 12 hours\n    when_missed: [{do: tell-marketing-ops}, {after: 2 days"
    decision = "owed_by: manager\n    calendar: rep\n    within: 2 working days"
    agree(
        box,
        ("\n\nrouting:", NEWYORK),
        BY_TURN,
        (note, note.replace("within: 12 hours", "calendar: newyork\n    within: 1 working hour").replace("2 days", "2 working days")),
        (decision, decision.replace("rep", "newyork").replace("2 working days", "1 working hour")),
    )

    lacking = capture(box, campaign="")
    triaged = await assigned(driver, box)
    await answered(driver, box, triaged, "rejected", reason="other", text="Who is this?")

    assert (wait_of(box, lacking).kind, wait_of(box, lacking).due_at) == ("note", at("15:00"))
    assert (wait_of(box, triaged).kind, wait_of(box, triaged).due_at) == ("decision", at("15:00"))


async def test_a_lead_that_is_held_is_owed_on_the_calendar_of_marketing(driver: Driver, box: Toolbox) -> None:
    """Mina works in New York, and nobody of the team is there this month."""
    away = "away: [{from: 2027-02-01T00:00:00Z, until: 2027-03-01T00:00:00Z}]"
    agree(
        box,
        ("\n\nrouting:", NEWYORK), BY_TURN,
        ("owed_by: marketing\n    within: {hot: 1 hour", "owed_by: marketing\n    calendar: rep\n    within: {hot: 1 working hour"),
        ("normal: 12 hours}\n    when_missed: [{do: tell-marketing-ops}, {after: 1 day", "normal: 12 working hours}\n"
         "    when_missed: [{do: tell-marketing-ops}, {after: 1 working day"),
    )  # fmt: skip
    absent = [(f"{name}: {{name:", f"{name}: {{{away}, name:") for name in ("ana", "ben", "cleo")]
    staff(box, *absent, works_in_newyork("mina"))

    taken = await assigned(driver, box)

    assert (wait_of(box, taken).about, wait_of(box, taken).due_at) == ("hold", at("15:00"))


async def test_a_further_leg_runs_on_clocks_of_its_own(driver: Driver, box: Toolbox) -> None:
    own = "{name: ae, clocks: {acceptance: {owed_by: sales, calendar: rep, within: 7 working minutes, when_missed: [{do: nurture}]}}}"
    agree(box, ("legs: [sdr]", f"legs: [sdr, {own}]"))
    taken = capture(box)
    box.write_now(lambda session, now: session.execute(update(Handoff).where(col(Handoff.lead_id) == taken.lead_id).values(leg=1)))

    await driver.run(until=at("09:06"))
    assert wait_of(box, taken).due_at == at("09:07")
    await driver.run(until=at("09:07"))

    assert newest(box, taken).stage == "nurturing"


@pytest.mark.parametrize(("rule", "due"), [("restart", "09:40"), ("remainder", "09:30")])
async def test_the_next_rep_has_the_whole_time_again_or_what_is_left_of_it(
    driver: Driver, box: Toolbox, time: SteppedTime, rule: str, due: str
) -> None:
    agree(box, clause(ACCEPTANCE, f"on_reassign: {rule}"))
    taken = await assigned(driver, box)
    time.at = at("09:10")

    await answered(driver, box, taken, "handed", colleague="ben")

    assert (wait_of(box, taken).holder, wait_of(box, taken).due_at) == ("ben", at(due))
    assert tenures(box, taken)[0].ended_at == at("09:10")


async def test_the_remainder_goes_on_on_the_calendar_of_the_next_rep(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Ana used ten minutes of the half hour in London; in New York it is nine o'clock at 14:00."""
    agree(box, ("\n\nrouting:", NEWYORK), BY_TURN, clause(ACCEPTANCE, "on_reassign: remainder"))
    staff(box, works_in_newyork("ben"))
    taken = await assigned(driver, box)
    time.at = at("09:10")

    await answered(driver, box, taken, "handed", colleague="ben")

    assert wait_of(box, taken).due_at == at("14:20")


async def test_what_several_reps_used_adds_up(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree(box, clause(ACCEPTANCE, "on_reassign: remainder"))
    taken = await assigned(driver, box)
    for minute, colleague in (("09:10", "ben"), ("09:18", "cleo")):
        time.at = at(minute)
        await answered(driver, box, taken, "handed", colleague=colleague)

    assert wait_of(box, taken).due_at == at("09:30")


async def test_whoever_gets_a_lead_of_which_no_time_is_left_has_the_whole_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """And what is left of that is what the one after has."""
    agree(box, clause(ACCEPTANCE, "on_reassign: remainder"))
    taken = await assigned(driver, box)

    await driver.run(until=at("09:30"))
    assert (wait_of(box, taken).holder, wait_of(box, taken).due_at) == ("ben", at("10:00"))
    time.at = at("09:45")
    await answered(driver, box, taken, "handed", colleague="cleo")

    assert wait_of(box, taken).due_at == at("10:00")


async def test_a_remainder_is_bounded_by_the_total(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Ben would have had till ten, and Cleo what he leaves of that; three quarters of an hour are all there is."""
    agree(
        box,
        clause(ACCEPTANCE, "on_reassign: remainder"),
        ("total: {hot: 2 working hours", "total: {hot: 45 working minutes"),
    )
    taken = await assigned(driver, box)
    await driver.run(until=at("09:30"))
    assert (wait_of(box, taken).holder, wait_of(box, taken).due_at) == ("ben", at("09:45"))
    time.at = at("09:35")

    await answered(driver, box, taken, "handed", colleague="cleo")

    assert wait_of(box, taken).due_at == at("09:45")


async def test_a_clock_that_was_met_begins_anew_with_the_next_rep(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Ana accepted after ten minutes and then let it rot: Ben has the half hour, and all of the time to try."""
    agree(box, clause(ACCEPTANCE, "on_reassign: remainder"), clause(FIRST_ATTEMPT, "on_reassign: remainder"))
    taken = await assigned(driver, box)
    time.at = at("09:10")
    await answered(driver, box, taken, "accepted")
    await driver.run(until=at("11:00"))
    await driver.run(until=at("16:00"))

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder, wait_of(box, taken).due_at) == ("acceptance", "ben", at("16:30"))
    await answered(driver, box, taken, "accepted")

    assert wait_of(box, taken).due_at == MONDAY + timedelta(days=1, minutes=30)


async def test_the_first_attempt_hands_on_what_is_left_of_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree(box, clause(FIRST_ATTEMPT, "on_reassign: remainder"))
    taken = await assigned(driver, box)
    await answered(driver, box, taken, "accepted")
    time.at = at("09:40")
    await answered(driver, box, taken, "handed", colleague="ben")
    await answered(driver, box, taken, "accepted")

    assert (wait_of(box, taken).kind, wait_of(box, taken).due_at) == ("first_attempt", at("11:00"))


async def test_the_outcome_hands_on_the_working_days_that_are_left(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Ana tried at nine on Monday and had it for two of ten days; Ben has eight from his own first attempt."""
    outcome = "owed_by: sales\n    calendar: rep\n    within: 10 working days\n"
    agree(box, clause(outcome, "on_reassign: remainder"))
    taken = await assigned(driver, box)
    await answered(driver, box, taken, "accepted")
    await answered(driver, box, taken, "attempted")
    assert wait_of(box, taken).due_at == MONDAY + timedelta(days=11, hours=8, minutes=30)
    time.at = MONDAY + timedelta(days=2)
    await answered(driver, box, taken, "handed", colleague="ben")
    for choice in ("accepted", "attempted"):
        await answered(driver, box, taken, choice)

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("outcome", "ben")
    assert wait_of(box, taken).due_at == MONDAY + timedelta(days=11, hours=8, minutes=30)


async def test_a_missed_remainder_is_noted_as_of_what_was_promised(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree(box, clause(ACCEPTANCE, "on_reassign: remainder"))
    taken = await assigned(driver, box)
    time.at = at("09:10")
    await answered(driver, box, taken, "handed", colleague="ben")

    await driver.run(until=at("09:30"))

    [missed] = [event for event in events_of(box, taken) if event.kind == "missed"]
    assert (missed.at, missed.data["holder"], missed.data["clock"]) == (at("09:30"), "ben", "acceptance")


async def test_a_letter_says_when_only_a_part_of_the_time_is_left(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree(box, clause(ACCEPTANCE, "on_reassign: remainder"))
    taken = await assigned(driver, box)
    time.at = at("09:10")
    await answered(driver, box, taken, "handed", colleague="ben")

    first, second = [letter.text for letter in kept_by(box, "email").letters if letter.message == "assigned"]

    assert letters(box, "assigned") == ["ana", "ben"]
    assert "within 30 working minutes" in first
    assert "what is left of 30 working minutes" in second
    assert "09:30" in second


async def mended(driver: Driver, box: Toolbox, time: SteppedTime, taken: Taken, choice: GivenAnswer, *, returned: str, back: str) -> None:
    """The rep finds the note wrong, marketing mends it, and the same rep is told again."""
    time.at = at(returned)
    await answered(driver, box, taken, choice, reason="bad-data")
    time.at = at(back)
    answer_by_duty(box, taken, "completed", next_step="Ask for the head of logistics.")
    await driver.settle()
    assert wait_of(box, taken).holder == tenures(box, taken)[0].rep


@pytest.mark.parametrize(("pauses", "next_rep"), [("[fix_note]", "ben"), ("[]", "dora")])
async def test_while_marketing_mends_the_note_the_total_does_not_go_on(
    driver: Driver, box: Toolbox, time: SteppedTime, pauses: str, next_rep: str
) -> None:
    """Ten minutes of the two hours were used before three hours of mending; without the pause nobody else may have it."""
    agree(box, clause(ACCEPTANCE, f"pauses: {pauses}"))
    taken = await assigned(driver, box)
    await mended(driver, box, time, taken, "rejected", returned="09:10", back="12:10")

    due = wait_of(box, taken).due_at
    await driver.run(until=due)

    assert due == at("13:40")
    assert newest(box, taken).rep == next_rep


async def test_the_total_still_bounds_what_comes_after_the_mending(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree(box, clause(ACCEPTANCE, "pauses: [fix_note]"), ("total: {hot: 2 working hours", "total: {hot: 35 working minutes"))
    taken = await assigned(driver, box)

    await mended(driver, box, time, taken, "rejected", returned="09:10", back="10:10")

    assert wait_of(box, taken).due_at == at("10:35")


@pytest.mark.parametrize(("pauses", "due"), [("[fix_note]", "12:00"), ("[]", "12:30")])
async def test_the_time_to_try_a_lead_stands_still_while_its_note_is_mended(
    driver: Driver, box: Toolbox, time: SteppedTime, pauses: str, due: str
) -> None:
    """Ana had half an hour of the two; with the pause they go on, without it they begin anew."""
    agree(box, clause(FIRST_ATTEMPT, f"pauses: {pauses}"))
    taken = await assigned(driver, box)
    await answered(driver, box, taken, "accepted")
    await mended(driver, box, time, taken, "returned", returned="09:30", back="10:30")

    await answered(driver, box, taken, "accepted")

    assert (wait_of(box, taken).kind, wait_of(box, taken).due_at) == ("first_attempt", at(due))


async def test_a_lead_that_a_manager_gives_back_has_a_new_clock(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Whatever was used before, by this rep or another."""
    agree(
        box,
        clause(FIRST_ATTEMPT, "on_reassign: remainder"),
        ("{do: tell-manager}, {after: 4 working hours, do: reassign, at_most: 1}, ", ""),
    )
    taken = await assigned(driver, box)
    await answered(driver, box, taken, "accepted")
    time.at = at("09:30")
    await answered(driver, box, taken, "handed", colleague="ben")
    await answered(driver, box, taken, "accepted")
    await driver.run(until=at("11:00"))
    assert wait_of(box, taken).kind == "decision"

    answer_by_duty(box, taken, "decided", choice="give-back")
    await driver.settle()

    assert (wait_of(box, taken).holder, wait_of(box, taken).due_at) == ("ben", at("14:00"))

"""First to claim: several reps are asked at once, the first to accept has the lead, and nothing is charged to the others."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.words import SEVERAL
from storage import roster, turns
from storage.suppressions import Told
from storage.tables import Answer, Delivery, Lead
from storage.trail_check import check
from tasks import opting_out
from tasks.background.absences import hand_over_absences
from tasks.replies import answering, work_list
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.asking import asked, link_of, offers_of, says
from tests.deal import agree_on, answer_by_duty, letters, staff, tenures, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, capture, events_of, kept_by, newest

ANA = "ana@northgate.example, team: emea,"


def first_to_claim(tree: dict[str, Any], **more: Any) -> None:
    tree["tiers"][0] |= {"routing": "first-to-claim", **more}


def to_manager(tree: dict[str, Any]) -> None:
    first_to_claim(tree)
    tree["clocks"]["acceptance"]["when_missed"] = [{"do": "manager-decides"}, {"do": "nurture"}]


def page_of(box: Toolbox, taken: Taken, rep: str) -> answering.Visit:
    return box.read_now(lambda session, now: answering.visit(session, link_of(box, taken, rep), now=now))


def got(box: Toolbox, taken: Taken, message: str, channel: str = "email") -> list[str]:
    query = select(Delivery.person).where(Delivery.handoff_id == newest(box, taken).id, Delivery.message == message)
    query = query.where(Delivery.channel == channel, Delivery.state != "cancelled").order_by(col(Delivery.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def said(box: Toolbox, taken: Taken, kind: str) -> list[dict[str, Any]]:
    return [event.data for event in events_of(box, taken) if event.kind == kind]


def assert_trail_fits(box: Toolbox) -> None:
    rows = box.read_now(lambda session, now: check(session, key=box.settings.seal_key(), now=now))
    assert rows.findings == ()


async def offered(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def test_everybody_at_work_is_told_at_once_and_the_clock_begins_when_one_provably_was(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)

    taken = await offered(driver, box)
    await driver.run(until=driver.time.at + timedelta(minutes=3))

    assert asked(box, taken) == ["ana", "ben", "cleo"]
    assert got(box, taken, "assigned") == got(box, taken, "assigned", "chat") == ["ana", "ben", "cleo"]
    assert got(box, taken, "assigned", "crm") == [], "a lead has one owner in the CRM"
    assert (newest(box, taken).rep, newest(box, taken).stage) == (SEVERAL, "assigned")
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("acceptance", SEVERAL)
    assert [option.kind for option in page_of(box, taken, "cleo").options] == ["accepted", "rejected"]


@pytest.mark.parametrize("first", ["ana", "ben", "cleo"])
async def test_the_first_to_accept_has_it_and_the_others_see_who(driver: Driver, box: Toolbox, first: str) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)

    assert says(box, taken, first, "accepted").won
    await driver.settle()

    name, others = roster_name(box, first), sorted({"ana", "ben", "cleo"} - {first})
    assert (newest(box, taken).rep, newest(box, taken).stage, wait_of(box, taken).holder) == (first, "accepted", first)
    assert [row.rep for row in tenures(box, taken)] == [first]
    assert got(box, taken, "assigned", "crm") == [first]
    assert sorted(got(box, taken, "withdrawn")) == others
    for other in others:
        page = page_of(box, taken, other)
        assert not page.live
        assert page.ended == f"This lead is already taken: {name} accepted it first, on Mon 1 Feb at 09:00."
        assert not says(box, taken, other, "accepted").won
        assert newest(box, taken).rep == first
    assert [option.kind for option in page_of(box, taken, first).options][:2] == ["attempted", "connected"]
    assert_trail_fits(box)


def roster_name(box: Toolbox, rep: str) -> str:
    return box.read_now(lambda session, now: roster.current(session).name_of(rep))


async def test_who_is_second_is_told_before_the_first_answer_is_carried_out(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)

    won, lost = says(box, taken, "ben", "accepted"), says(box, taken, "cleo", "accepted")

    assert (won.won, lost.won, lost.winner and lost.winner.by) == (True, False, "Ben Carter")
    assert "already taken: Ben Carter" in page_of(box, taken, "cleo").ended


async def test_only_who_gets_it_uses_a_turn(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    for _ in range(3):
        taken = await offered(driver, box)
        says(box, taken, "ben", "accepted")
        await driver.settle()
    lapsed = await offered(driver, box)
    says(box, lapsed, "ana", "rejected", reason="wrong-rep", colleague="ben")

    balance = box.read_now(lambda session, now: turns.read(session, "emea:hot"))

    assert balance.number == 3
    assert min(balance.balance, key=lambda rep: balance.balance[rep]) == "ben"
    assert balance.balance["ana"] == pytest.approx(balance.balance["cleo"], abs=5)


@pytest.mark.parametrize(("told", "count"), [(2, 2), (3, 3), ("all", 3)])
async def test_as_many_are_told_as_agreed_and_those_first_whose_turn_it_is(
    driver: Driver, box: Toolbox, told: int | str, count: int
) -> None:
    agree_on(box, lambda tree: first_to_claim(tree, told=told))

    taken = [await offered(driver, box) for _ in range(2)]

    assert [len(asked(box, one)) for one in taken] == [count, count]


async def test_claims_bring_the_others_forward(driver: Driver, box: Toolbox) -> None:
    agree_on(box, lambda tree: first_to_claim(tree, told=2))
    first = await offered(driver, box)
    assert asked(box, first) == ["ana", "ben"]
    says(box, first, "ana", "accepted")
    await driver.settle()

    second = await offered(driver, box)

    assert asked(box, second) == ["ben", "cleo"]


ALONE = [
    pytest.param([("ben@northgate.example, team: emea,", "AWAY"), ("cleo@northgate.example, team: emea,", "AWAY")], id="others away"),
    pytest.param(
        [("ben@northgate.example, team: emea,", "capacity: 0,"), ("cleo@northgate.example, team: emea,", "capacity: 0,")], id="full"
    ),
]


@pytest.mark.parametrize("changes", ALONE)
async def test_where_one_rep_can_take_it_the_lead_is_theirs_as_any_other(
    driver: Driver, box: Toolbox, changes: list[tuple[str, str]]
) -> None:
    away = "away: [{from: 2027-01-11T00:00:00Z, until: 2027-03-08T00:00:00Z}],"
    agree_on(box, first_to_claim)
    staff(box, *((old, f"{old} {new.replace('AWAY', away)}") for old, new in changes))

    taken = await offered(driver, box)

    assert (newest(box, taken).rep, offers_of(box, taken)) == ("ana", [])


async def test_nobody_is_asked_at_once_outside_of_working_hours(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, first_to_claim)
    time.at += timedelta(hours=10)

    taken = await offered(driver, box)

    assert (newest(box, taken).rep, offers_of(box, taken)) == ("ana", [])


async def test_nobody_claims_in_time_and_it_goes_to_one_rep_by_turn_without_a_charge(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)

    await driver.run(until=driver.time.at + timedelta(minutes=40))

    assert newest(box, taken).rep == "ana"
    assert [row.rep for row in tenures(box, taken)] == [SEVERAL, "ana"]
    assert [one["holder"] for one in said(box, taken, "missed")] == [SEVERAL]
    assert [one["because"] for one in said(box, taken, "missed")] == ["not claimed in time"]
    assert sorted(got(box, taken, "reminder")) == ["ana", "ben", "cleo"]
    assert got(box, taken, "manager-told") == ["maria"]
    assert "went on to one rep" in page_of(box, taken, "ben").ended
    assert wait_of(box, taken).holder == "ana"
    assert_trail_fits(box)


async def test_the_manager_decides_about_a_lead_that_nobody_claimed(driver: Driver, box: Toolbox) -> None:
    agree_on(box, to_manager)
    taken = await offered(driver, box)
    await driver.run(until=driver.time.at + timedelta(minutes=40))
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", "maria")
    assert not page_of(box, taken, "ana").live

    answer_by_duty(box, taken, "decided", choice="reassign", colleague="cleo")
    await driver.run(until=driver.time.at + timedelta(minutes=6))

    assert newest(box, taken).rep == "cleo"
    asks = [one.text for one in kept_by(box, "email").letters if one.message == "decision-asked"]
    assert ["None of the reps who were asked took the lead." in text for text in asks] == [True]


async def test_one_who_declines_is_out_and_the_others_are_still_asked(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)

    assert says(box, taken, "ben", "rejected", reason="not-icp", text="Too small").won
    await driver.run(until=driver.time.at + timedelta(minutes=4))

    assert asked(box, taken) == ["ana", "cleo"]
    assert newest(box, taken).stage == "assigned"
    assert said(box, taken, "declined")[0]["rep"] == "ben"
    assert page_of(box, taken, "ben").ended == "You declined this lead."
    assert not says(box, taken, "ben", "accepted").won
    assert says(box, taken, "cleo", "accepted").won
    await driver.settle()
    assert newest(box, taken).rep == "cleo"
    assert got(box, taken, "withdrawn") == ["ana"]
    assert_trail_fits(box)


@pytest.mark.parametrize("proven", [True, False])
async def test_when_all_have_declined_the_ladder_goes_on_at_once(driver: Driver, box: Toolbox, proven: bool) -> None:
    agree_on(box, to_manager)
    if not proven:
        kept_by(box, "email").broken = kept_by(box, "chat").broken = True
    taken = await offered(driver, box)
    if proven:
        await driver.run(until=driver.time.at + timedelta(minutes=3))
    began = driver.time.at

    for rep in ("ana", "ben", "cleo"):
        assert says(box, taken, rep, "rejected", reason="not-icp").won
    await driver.settle()

    assert driver.time.at == began
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", "maria")
    assert said(box, taken, "missed") == []
    assert_trail_fits(box)


async def test_who_declined_does_not_get_it_by_turn_afterwards(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    says(box, taken, "ana", "rejected", reason="not-icp")

    await driver.run(until=driver.time.at + timedelta(minutes=40))

    assert newest(box, taken).rep == "ben"


async def test_a_reason_that_suppresses_the_lead_counts_for_everybody(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)

    says(box, taken, "ben", "rejected", reason="do-not-contact")
    await driver.run(until=driver.time.at + timedelta(minutes=10))

    assert (newest(box, taken).stage, asked(box, taken)) == ("suppressed", [])
    assert not page_of(box, taken, "ana").live


def away_from(name: str, start: str) -> tuple[str, str]:
    old = f"{name}@northgate.example, team: emea,"
    return old, f"{old} away: [{{from: {start}, until: 2027-02-08T00:00:00Z}}],"


@pytest.mark.parametrize(("absent", "left"), [(["ben"], ["ana", "cleo"]), (["ana", "ben", "cleo"], [])])
async def test_an_absence_takes_its_person_out(driver: Driver, box: Toolbox, absent: list[str], left: list[str]) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    staff(box, *(away_from(name, "2027-02-01T09:05:00Z") for name in absent))

    driver.time.at += timedelta(minutes=6)
    await hand_over_absences(box)
    await driver.settle()

    assert asked(box, taken) == left
    assert got(box, taken, "withdrawn") == []
    assert (newest(box, taken).rep == SEVERAL) == bool(left)
    assert [one["rep"] for one in said(box, taken, "no-longer-asked")] == absent


async def test_whoever_leaves_the_roster_is_no_longer_asked(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    driver.time.at += timedelta(minutes=1)
    box.write_now(lambda session, now: roster.load(session, without(session, "ben"), now=now))

    await hand_over_absences(box)

    assert asked(box, taken) == ["ana", "cleo"]


def without(session: Session, rep: str) -> str:
    from tests.conftest import ROSTER

    return "".join(line for line in ROSTER.splitlines(keepends=True) if not line.startswith(f"  {rep}:"))


async def test_a_claim_that_is_taken_back_stays_with_who_claimed(driver: Driver, box: Toolbox) -> None:
    box.settings.undo_minutes = None
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    says(box, taken, "ben", "accepted")
    await driver.settle()
    answer = box.read_now(lambda session, now: session.exec(select(Answer.id).where(Answer.kind == "accepted")).one())

    undone = box.write_now(lambda session, now: answering.undo(session, link_of(box, taken, "ben"), answer, now=now, device=""))
    await driver.settle()

    assert undone.taken_back
    assert (newest(box, taken).rep, newest(box, taken).stage) == ("ben", "assigned")
    assert [option.kind for option in page_of(box, taken, "ben").options] == ["accepted", "rejected", "handed"]
    assert not page_of(box, taken, "ana").live
    assert_trail_fits(box)


async def test_lists_of_open_leads_name_it_for_each_who_is_asked_and_for_their_manager(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    await driver.run(until=driver.time.at + timedelta(minutes=3))

    own = box.read_now(lambda session, now: {rep: work_list.own_list(session, box.links, rep, now=now) for rep in ("ana", "cleo", "dan")})
    managed = box.read_now(lambda session, now: work_list.list_for(session, "maria", token="t", folder="/me", now=now))

    assert {rep: [row.lead for row in rows] for rep, rows in own.items()} == {"ana": [taken.lead_id], "cleo": [taken.lead_id], "dan": []}
    assert [(row.lead, row.holder) for row in managed] == [(taken.lead_id, SEVERAL)]


async def test_the_manager_gives_it_to_one_rep(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    await driver.run(until=driver.time.at + timedelta(minutes=3))
    wait = wait_of(box, taken)
    form = answering.SentForm("handed", {"colleague": "cleo"}, via="prefect")

    reply = box.write_now(lambda session, now: answering.answer_wait(session, wait.id, form, by="Maria Keller", now=now, answered_at=now))
    accept = answering.SentForm("accepted", {}, via="prefect")
    with pytest.raises(answering.ChoiceRefused, match="Please choose an answer: handed"):
        box.write_now(lambda session, now: answering.answer_wait(session, wait.id, accept, by="Ana", now=now, answered_at=now))
    await driver.run(until=driver.time.at + timedelta(minutes=6))

    assert reply.won
    assert newest(box, taken).rep == "cleo"
    assert sorted(got(box, taken, "withdrawn")) == ["ana", "ben"]


async def test_each_message_names_the_others(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    says(box, taken, "ana", "accepted")
    await driver.settle()

    mails = {(one.message, one.to.id): one for one in kept_by(box, "email").letters}

    assert "Ben Carter and Cleo Martin got this message too. The first of you to accept has the lead" in mails["assigned", "ana"].text
    assert mails["assigned", "ana"].subject.startswith("Hot lead, the first to accept has it: Company")
    assert "Ana Silva accepted it first, on Mon 1 Feb at 09:00." in mails["withdrawn", "ben"].text
    assert mails["withdrawn", "ben"].subject.startswith("No longer offered")
    assert Counter(one.link for one in mails.values() if one.message == "assigned").most_common(1)[0][1] == 1


async def test_an_opt_out_ends_it_for_everybody_who_is_asked_and_tells_each(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    taken = await offered(driver, box)
    says(box, taken, "cleo", "rejected", reason="not-icp")

    box.write_now(lambda session, now: opting_out.opt_out(session, the(session.get(Lead, taken.lead_id)), Told("all", by="mina"), now=now))
    await driver.settle()

    assert (newest(box, taken).stage, asked(box, taken)) == ("suppressed", [])
    assert sorted(letters(box, "do-not-contact")) == ["ana", "ben"]
    assert not page_of(box, taken, "ana").live

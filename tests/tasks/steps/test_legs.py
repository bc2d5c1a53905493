"""Two hands: the SDR makes it an SQL and hands it on; the AE is found, told and awaited by the same means, to the opportunity."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from flows import forms
from flows.attempt import attempt
from storage import figures, handoffs, roster, version_migration, waits
from tasks.messages import lead_view
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, answer_by_duty, deliveries_of, does, letters, news, staff, tenures, until_working, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, local_crm, newest, token_of

DAY = timedelta(days=1)
#: The second team, with two account executives and a manager of their own.
AES = (
    "  americas: {manager: marcus, title: Sales Americas}\n",
    "  americas: {manager: marcus, title: Sales Americas}\n  closers: {manager: carla, title: Account executives}\n",
)
AE_PEOPLE = (
    "  mina: {",
    "  eve: {name: Eve Stone, email: eve@northgate.example, team: closers, timezone: Europe/London}\n"
    "  finn: {name: Finn Wolf, email: finn@northgate.example, team: closers, timezone: Europe/London}\n"
    "  carla: {name: Carla Dean, email: carla@northgate.example, role: manager, team: closers, timezone: Europe/London}\n  mina: {",
)
AE = {
    "name": "ae",
    "segments": [{"team": "closers"}],
    "clocks": {
        "acceptance": {
            "owed_by": "sales",
            "calendar": "rep",
            "within": "2 working hours",
            "when_missed": [{"do": "reassign"}, {"do": "manager-decides"}],
        },
    },
}


def two_legs(tree: dict[str, Any]) -> None:
    tree["legs"] = ["sdr", AE]
    tree["crm"] = {**tree["crm"], "sql": {"lifecycle": "salesqualifiedlead"}}


@pytest.fixture
def company(box: Toolbox) -> None:
    """A team of account executives, and an agreement under which they follow the SDRs."""
    staff(box, AES, AE_PEOPLE)
    agree_on(box, two_legs)


async def until_sql(driver: Driver, box: Toolbox, **changes: Any) -> Taken:
    """A lead that its first rep has qualified and handed on."""
    taken = await until_working(driver, box, **changes)
    answer_by_link(box, taken, "sql")
    await driver.settle()
    return taken


def offered(box: Toolbox, taken: Taken) -> dict[str, str]:
    """What the rep who has the lead may answer, and in which words."""
    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))
    return {option.kind: option.label for option in visit.options}


def kinds(box: Toolbox, taken: Taken) -> list[str]:
    return [event.kind for event in events_of(box, taken)]


async def test_a_lead_goes_from_the_first_hand_through_the_second_to_the_opportunity(
    driver: Driver, box: Toolbox, time: SteppedTime, company: None
) -> None:
    taken = capture(box)
    await driver.settle()
    for choice in ("accepted", "connected", "sql", "accepted", "attempted", "opportunity"):
        time.at += timedelta(minutes=10)
        assert answer_by_link(box, taken, choice).won
        await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.leg, handoff.rep) == ("opportunity", 1, "eve")
    assert [(one.leg, one.rep, one.ended_because) for one in tenures(box, taken)] == [(0, "ana", "sql"), (1, "eve", "opportunity")]
    stages = [kind for kind in kinds(box, taken) if kind in ("qualified", "assigned", "accepted", "attempted", "sql", "opportunity")]
    assert stages == ["qualified", "assigned", "accepted", "attempted", "sql", "assigned", "accepted", "attempted", "opportunity"]
    [sql] = [event for event in events_of(box, taken) if event.kind == "sql"]
    assert (sql.actor, sql.data["leg"], sql.data["to_leg"]) == ("ana", "sdr", "ae")
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert (found.opportunities, found.unaccounted, found.handoffs) == (1, 0, 1)


async def test_both_hands_may_find_an_opportunity_and_only_one_with_a_next_hands_on(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_working(driver, box)
    assert offered(box, taken)["sql"] == "Qualified: hand on to ae"
    assert "opportunity" in offered(box, taken)

    answer_by_link(box, taken, "sql")
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.settle()

    assert "sql" not in offered(box, taken)
    assert "opportunity" in offered(box, taken)


async def test_the_first_hand_may_make_it_an_opportunity_itself(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_working(driver, box)

    answer_by_link(box, taken, "opportunity")
    await driver.settle()

    assert (newest(box, taken).stage, len(tenures(box, taken))) == ("opportunity", 1)


async def test_with_one_leg_nothing_is_handed_on(driver: Driver, box: Toolbox) -> None:
    taken = await until_working(driver, box)

    assert "sql" not in offered(box, taken)
    assert not answer_by_link(box, taken, "sql").won


async def test_the_next_hand_is_told_with_the_note_and_proven_before_its_clock_runs(
    driver: Driver, box: Toolbox, time: SteppedTime, company: None
) -> None:
    start = time.at
    taken = await until_sql(driver, box)

    [letter] = [one for one in kept_by(box, "email").letters if one.message == "assigned" and one.to.id == "eve"]
    assert "Qualified by Ana Silva and handed on to you." in letter.text
    assert "WHY THIS LEAD" in letter.text
    assert tenures(box, taken)[1].proven_at is not None
    assert (wait_of(box, taken).kind, wait_of(box, taken).due_at) == ("acceptance", start + timedelta(hours=2))


async def test_the_crm_shows_the_status_of_an_sql_and_its_new_owner(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_sql(driver, box)

    shown = local_crm(box).fields_of(taken.lead_id)
    assert (shown["lifecycle"], shown["owner"]) == ("salesqualifiedlead", "eve")
    assert news(box)[-1] == ("sql", "Ana Silva qualified it and handed it on.")


async def test_the_words_of_the_crm_for_an_sql_are_an_answer(driver: Driver, box: Toolbox, time: SteppedTime, company: None) -> None:
    taken = await until_working(driver, box)

    local_crm(box).person_changes(taken.lead_id, by="ana", at=time.at, values={"lifecycle": "salesqualifiedlead"})
    await driver.settle()

    assert (newest(box, taken).leg, newest(box, taken).rep) == (1, "eve")


async def test_a_silent_second_hand_is_followed_by_its_own_ladder_and_manager(
    driver: Driver, box: Toolbox, time: SteppedTime, company: None
) -> None:
    taken = await until_sql(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    assert [one.rep for one in tenures(box, taken)] == ["ana", "eve", "finn"]

    await driver.run(until=wait_of(box, taken).due_at)

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder) == ("decision", "carla")


async def test_the_ladder_of_the_second_hand_begins_at_its_foot(driver: Driver, box: Toolbox, company: None) -> None:
    """What the first leg has used up of it does not count."""
    taken = capture(box)
    await driver.settle()
    await driver.run(until=wait_of(box, taken).due_at)
    for choice in ("accepted", "attempted", "sql"):
        answer_by_link(box, taken, choice)
        await driver.settle()

    await driver.run(until=wait_of(box, taken).due_at)

    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben", "eve", "finn"]


@pytest.mark.parametrize(
    ("reason", "stage"), [("not-now", "nurturing"), ("not-icp", "disqualified"), ("customer-or-open-deal", "attached")]
)
async def test_a_rejection_by_the_second_hand_leads_where_its_reason_says(
    driver: Driver, box: Toolbox, company: None, reason: str, stage: str
) -> None:
    taken = await until_sql(driver, box)

    answer_by_link(box, taken, "rejected", reason=reason, into="Harbour" if stage == "attached" else "")
    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.reason, tenures(box, taken)[1].ended_because) == (stage, reason, "rejected")
    assert letters(box, "feedback")[-1] == "mina"


async def test_a_note_that_the_second_hand_finds_wrong_is_mended_and_comes_back_to_it(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_sql(driver, box)
    answer_by_link(box, taken, "rejected", reason="bad-data")
    await driver.settle()
    assert wait_of(box, taken).kind == "note"

    answer_by_duty(box, taken, "completed", campaign="autumn")
    await driver.settle()

    assert [(one.leg, one.rep) for one in tenures(box, taken)] == [(0, "ana"), (1, "eve"), (1, "eve")]


async def test_the_first_rep_does_not_get_it_again_unless_somebody_wants_so(driver: Driver, box: Toolbox) -> None:
    """Where the second leg asks the same teams."""
    agree_on(box, lambda tree: tree.update(legs=["sdr", "ae"]))
    taken = await until_sql(driver, box)
    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben"]

    answer_by_link(box, taken, "handed", colleague="ana")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben", "ana"]


async def test_handing_on_can_be_taken_back_for_a_while(driver: Driver, box: Toolbox, time: SteppedTime, company: None) -> None:
    box.settings.undo_minutes = 5
    taken = await until_working(driver, box)
    reply = answer_by_link(box, taken, "sql")
    await driver.settle()
    assert (newest(box, taken).leg, newest(box, taken).stage) == (0, "working")

    token = token_of(box, taken)
    assert box.write_now(
        lambda session, now: answering.undo(session, OpenedLink(box, token), the(reply.winner).answer_id, now=now, device="")
    ).taken_back
    await driver.run(until=time.at + timedelta(minutes=10))

    assert (newest(box, taken).leg, wait_of(box, taken).kind) == (0, "outcome")


async def test_what_the_first_link_shows_is_history_from_then_on(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_working(driver, box)
    token = token_of(box, taken)
    answer_by_link(box, taken, "sql")
    await driver.settle()

    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token), now=now))
    assert (visit.live, visit.ended) == (False, "This lead is no longer yours: it was qualified and handed on.")


async def test_a_lead_that_the_second_hand_wants_back_comes_back_to_it(
    driver: Driver, box: Toolbox, time: SteppedTime, company: None
) -> None:
    taken = await until_sql(driver, box)
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at += DAY

    does(box, taken, "quote_requested")
    await driver.settle()

    assert (newest(box, taken).rep, newest(box, taken).leg) == ("eve", 1)


async def test_a_held_second_leg_is_due_from_the_hand_over_on(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Not from when the lead was qualified, which may be days ago."""
    away = "away: [{from: 2027-01-11T00:00:00Z, until: 2027-03-08T00:00:00Z}]"
    people = (
        AE_PEOPLE[0],
        AE_PEOPLE[1]
        .replace("team: closers, timezone: Europe/London}", f"team: closers, {away}}}")
        .replace(f"role: manager, team: closers, {away}", "role: manager, team: closers"),
    )
    staff(box, AES, people)
    agree_on(box, two_legs)
    taken = await until_working(driver, box)
    time.at += 2 * DAY
    answer_by_link(box, taken, "sql")
    await driver.settle()

    wait = wait_of(box, taken)
    assert (wait.kind, wait.about, wait.due_at) == ("delivery", "hold", time.at + timedelta(hours=1))


async def test_an_sql_that_waits_for_its_next_hand_is_not_qualified_again_under_a_new_version(
    driver: Driver, box: Toolbox, company: None
) -> None:
    taken = await until_sql(driver, box)
    answer_by_link(box, taken, "rejected", reason="bad-data")
    await driver.settle()
    agree_on(box, two_legs, version=3)

    [found] = box.read_now(lambda session, now: version_migration.preview(session, "b2b-saas", 3, "requalify", now))

    assert (found.stage, found.happens.value, found.why) == ("mql", "stays", "it is an SQL already")


async def test_prefect_shows_the_leg_in_the_name_and_tags_of_the_run(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_working(driver, box)
    answer_by_link(box, taken, "sql")
    async with attempt(newest(box, taken).id) as lead:
        rest = await lead.go_on()

    assert rest.run_name == f"{taken.incoming.company} · lead {taken.lead_id} · ae"
    assert "leg:ae" in rest.tags
    name = box.read_now(lambda session, now: lead_view.run_name(session, newest(box, taken)))
    assert name == rest.run_name


async def test_prefects_form_offers_what_the_page_does(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_working(driver, box)

    def look(session: Session, now: datetime) -> forms.Asked:
        handoff = handoffs.get(session, newest(box, taken).id)
        return forms.asked(session, handoff, the(waits.open_of(session, handoff.id)), roster.current(session))

    asked = box.read_now(look)
    assert ("sql" in asked.answers, asked.channels[0]) == (True, "phone")
    values = {"answer": "sql", "who_answers": "Ana"}
    box.write_now(lambda session, now: forms.take(session, wait_of(box, taken).id, values, resumed=now, now=now))
    await driver.settle()
    assert newest(box, taken).leg == 1


async def test_the_timeline_reads_as_it_went(driver: Driver, box: Toolbox, company: None) -> None:
    taken = await until_sql(driver, box)

    lines = box.read_now(lambda session, now: lead_view.timeline(session, taken.lead_id, people=roster.current(session)))
    texts = [text for _, text in lines]
    assert "Qualified, handed on from sdr to ae" in texts
    assert "Assigned to Eve Stone, ae (next in turn)" in texts
    assert deliveries_of(box, taken)[("assigned", "crm")] == "confirmed"

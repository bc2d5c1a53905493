"""Handoffs in flight when a new version comes into force: exactly the listed ones start anew, and nothing else moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlmodel import Session, SQLModel, col, select

from agreements.errors import CrmError, StaleHandoff
from agreements.words import InFlightPolicy
from flows.going import Going
from notifications.letter import Letter
from storage import claims, contracts, figures, handoffs, leads, leases, trail
from storage.tables import Answer, AnswerState, Assignment, Delivery, DeliveryState, Handoff, Wake
from storage.version_migration import Happens
from tasks import intake
from tasks.background.held_leads import release_held
from tasks.background.migrate_version import carry_out
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, answer_by_duty, letters, staff, until_working, wait_of
from tests.driver import Driver
from tests.examples import spread
from tests.fakes import KeepingChannel, make_lead
from tests.in_flight import ENDED, FREE, OTHERS, UNANSWERED, everywhere, listed, published, rows_of, text_of
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, kept_by, newest, token_of
from tests.tasks.steps.test_legs import AE_PEOPLE, AES, two_legs

Row = TypeVar("Row", bound=SQLModel)
TOUCHED: dict[str, tuple[str, ...]] = {"finish": (), "requalify": FREE, "recall": FREE + UNANSWERED}


def third(box: Toolbox) -> None:
    """The third version is in force from this morning on."""
    box.write_now(lambda session, now: published(session, text_of(3, "2027-02-01"), now))


@pytest.mark.parametrize("policy", spread(list(TOUCHED)[::-1], one_in=3))
async def test_a_policy_touches_exactly_what_was_listed_and_moves_nothing_else(
    driver: Driver, box: Toolbox, policy: InFlightPolicy
) -> None:
    """Every row about the others is as it was: stage, waits with their due times, messages, trail."""
    found = await everywhere(driver, box)
    box.write_now(lambda session, now: published(session, text_of(3, "2027-02-01"), now, deployed=False))
    whole = {name: rows_of(box, one) for name, one in found.items()}

    before = listed(box, policy)

    assert {name: rows_of(box, one) for name, one in found.items()} == whole, "looking changed something"
    names = {one.lead_id: name for name, one in found.items()}
    assert {names[one.lead_id] for one in before if one.is_touched} == set(TOUCHED[policy])
    assert {names[one.lead_id] for one in before} == {*FREE, *UNANSWERED, *OTHERS}
    third(box)
    done = carry_out(box, before)
    assert [one.lead_id for one in done.touched] == [one.lead_id for one in before if one.is_touched]
    assert done.left == ()
    after = {name: rows_of(box, one) for name, one in found.items()}
    assert [name for name in found if after[name] != whole[name]] == [name for name in found if name in TOUCHED[policy]]
    assert {one.stage for name in ENDED for one in [newest(box, found[name])]} == set(ENDED)


async def test_whoever_starts_anew_is_handed_on_and_no_lead_is_lost(driver: Driver, box: Toolbox) -> None:
    found = await everywhere(driver, box)
    owed = {name: wait_of(box, found[name]) for name in OTHERS}
    third(box)
    done = carry_out(box, listed(box, "recall"))
    for name in ("email", "chat", "manager-email"):
        kept_by(box, name).broken = False
    staff(box)
    await release_held(box)

    await driver.settle()
    answer_by_duty(box, found["note"], "completed", campaign="spring")
    await driver.settle()

    assert {name: wait_of(box, found[name]) for name in OTHERS} == owed, "what was not touched is owed at another time"
    touched = [found[name] for name in FREE + UNANSWERED]
    assert len(done.touched) == len(touched)
    for one in touched:
        first, second = handoffs_of(box, one)
        assert (first.stage, first.outcome, first.reason, first.lease_until) == ("withdrawn", "withdrawn", "new-version", None)
        assert (second.stage, second.version, second.previous_id) == ("assigned", 3, first.id)
        assert wait_of(box, one).kind == "acceptance"
    counts, unowned = box.read_now(lambda session, now: (figures.figures(session, now=now), figures.unowned(session, now=now)))
    assert (counts.leads, counts.unaccounted, counts.came_back, unowned) == (len(found), 0, 0, [])
    assert sum(counts.stages.values()) == len(found)
    assert "withdrawn" not in counts.stages
    assert [one.key for one in rows(box, Wake)] == []
    assert box.read_now(lambda session, now: trail.check(session, key=box.settings.seal_key())).whole


def handoffs_of(box: Toolbox, taken: Taken) -> list[Handoff]:
    query = select(Handoff).where(Handoff.lead_id == taken.lead_id).order_by(col(Handoff.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def rows(box: Toolbox, table: type[Row]) -> list[Row]:
    return box.read_now(lambda session, now: list(session.exec(select(table))))


async def assigned(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    taken = capture(box, **changes)
    await driver.settle()
    return taken


async def test_a_recalled_rep_is_told_politely_and_the_old_link_shows_what_happened(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    token, rep = token_of(box, taken), newest(box, taken).rep
    third(box)

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    assert letters(box, "withdrawn") == [rep]
    [letter] = [one for one in kept_by(box, "email").letters if one.message == "withdrawn"]
    assert "Marketing and sales have agreed on a new version of their agreement" in letter.text
    assert "Thank you. You do not need to do anything." in letter.text
    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token), now=now))
    assert (visit.live, visit.options) == (False, ())
    assert visit.ended == "This lead is no longer yours: it was called back and starts again under a new version of the agreement."
    assert "Withdrawn, to start again under b2b-saas@3" in [text for _, text in visit.timeline]


async def test_the_old_run_ends_as_withdrawn_and_the_new_one_waits_for_its_rep(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    old_run = newest(box, taken).flow_run_id
    third(box)

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    assert old_run in driver.runs.ended_runs
    assert driver.runs.parked[newest(box, taken).flow_run_id] == wait_of(box, taken).parked_key


async def test_who_answered_between_the_list_and_the_recall_is_left_alone_and_named(driver: Driver, box: Toolbox) -> None:
    """Whether the answer has been carried out by then or not."""
    unread, read, quiet = await assigned(driver, box), await assigned(driver, box), await assigned(driver, box)
    third(box)
    before = listed(box, "recall")
    answer_by_link(box, read, "accepted")
    await driver.settle()
    answer_by_link(box, unread, "rejected", reason="not-icp")
    whole = [rows_of(box, one) for one in (unread, read)]

    done = carry_out(box, before)

    names = box.read_now(lambda session, now: [the(handoffs.open_assignment(session, newest(box, one))).rep for one in (unread, read)])
    assert [one.lead_id for one in done.touched] == [quiet.lead_id]
    people = {"ana": "Ana Silva", "ben": "Ben Carter", "cleo": "Cleo Martin"}
    assert [(one.lead_id, why) for one, why in done.left] == [
        (unread.lead_id, f"{people[names[0]]} answered: rejected"),
        (read.lead_id, "it went from assigned to accepted"),
    ]
    assert [rows_of(box, one) for one in (unread, read)] == whole


async def test_an_answer_that_comes_after_the_recall_changes_nothing_and_is_kept(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    token = token_of(box, taken)
    third(box)
    carry_out(box, listed(box, "recall"))

    reply = box.write_now(
        lambda session, now: answering.answer(session, OpenedLink(box, token), answering.SentForm("accepted", {}), now=now)
    )

    assert (reply.won, reply.ended.partition(":")[0]) == (False, "This lead is no longer yours")
    assert [(one.kind, one.state) for one in rows(box, Answer)] == [("accepted", AnswerState.LATE)]
    assert [one.stage for one in handoffs_of(box, taken)] == ["withdrawn", "inquiry"]


async def test_what_went_on_to_another_step_is_left_alone_and_named(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    passed_on, decided = await assigned(driver, box), await assigned(driver, box, campaign="")
    third(box)
    before = listed(box, "recall")
    answer_by_link(box, passed_on, "handed", colleague=next(one for one in ("ana", "ben") if one != newest(box, passed_on).rep))
    answer_by_duty(box, decided, "completed", campaign="spring")
    await driver.settle()

    done = carry_out(box, before)

    assert done.touched == ()
    [(_, first), (_, second)] = done.left
    assert first.startswith("it is with ")
    assert second == "it went from mql to assigned"


async def test_an_attempt_that_is_under_way_writes_nothing_any_more(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    handoff_id = newest(box, taken).id
    epoch = the(box.write_now(lambda session, now: leases.take(session, handoff_id, by="test", real=datetime.now(UTC))))
    under_way = Going(box, handoff_id, epoch, "")
    third(box)

    carry_out(box, listed(box, "requalify"))

    with pytest.raises(StaleHandoff):
        under_way.take_steps()
    assert [one.stage for one in handoffs_of(box, taken)] == ["withdrawn", "inquiry"]


async def test_the_request_that_brought_the_lead_in_still_counts(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """A lead that came back by asking for a quote is recalled: it is as hot as before."""
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at += timedelta(days=1)
    capture(box, source_id=taken.source_id, email=taken.incoming.email, conversion_id="quote", activity="quote_requested")
    await driver.settle()
    box.write_now(lambda session, now: published(session, text_of(3, "2027-02-02"), now))

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    first, recalled, again = handoffs_of(box, taken)
    assert (recalled.stage, recalled.fast_lane, recalled.tier) == ("withdrawn", True, "hot")
    assert (again.stage, again.fast_lane, again.tier, again.previous_id) == ("assigned", True, "hot", recalled.id)
    facts = box.read_now(lambda session, now: leads.facts_for(session, again))
    assert facts.since == first.ended_at


async def test_a_request_from_before_the_rejection_does_not_count_again(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at += timedelta(days=1)
    capture(box, source_id=taken.source_id, email=taken.incoming.email, conversion_id="more", activity="webinar_attended")
    await driver.settle()
    assert (newest(box, taken).stage, newest(box, taken).fast_lane) == ("assigned", False)
    box.write_now(lambda session, now: published(session, text_of(3, "2027-02-02"), now))

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).fast_lane) == ("assigned", False)


async def test_rounds_in_nurture_requested_time_and_source_are_kept(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    asked = time.at + timedelta(days=2)
    taken = await assigned(driver, box, requested_time=asked, source="webinar")
    box.write_now(lambda session, now: setattr(handoffs.latest_of(session, taken.lead_id), "revisits", 2))
    third(box)

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    lead = box.read_now(lambda session, now: handoffs.lead_of(session, newest(box, taken)))
    assert (newest(box, taken).revisits, lead.requested_time, lead.source) == (2, asked, "webinar")


async def test_a_lead_is_not_given_again_to_who_gave_it_up_before_the_recall(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    first = newest(box, taken).rep
    answer_by_link(box, taken, "handed", colleague=next(one for one in ("ana", "ben", "cleo") if one != first))
    await driver.settle()
    second = newest(box, taken).rep
    third(box)

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    assert [(one.rep, one.ended_because) for one in rows(box, Assignment) if one.handoff_id == handoffs_of(box, taken)[0].id] == [
        (first, "handed"),
        (second, "recalled"),
    ]
    assert newest(box, taken).rep != first


async def test_what_marketing_wrote_and_what_sales_found_wrong_goes_along(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box, campaign="")
    answer_by_duty(box, taken, "completed", campaign="spring")
    await driver.settle()
    rep = newest(box, taken).rep
    answer_by_link(box, taken, "rejected", reason="bad-data", text="Wrong number.")
    await driver.settle()
    assert wait_of(box, taken).kind == "note"
    third(box)

    carry_out(box, listed(box, "requalify"))
    await driver.settle()

    note = the(box.read_now(lambda session, now: handoffs.note_of(session, newest(box, taken))))
    assert (note.content["added"], note.content["to_fix"]) == ({"campaign": "spring"}, ["what sales found wrong"])
    assert (wait_of(box, taken).kind, newest(box, taken).wanted_rep) == ("note", rep)


async def test_a_lead_that_is_held_stays_held_under_the_new_version(driver: Driver, box: Toolbox) -> None:
    done = box.write_now(lambda session, now: intake.capture(session, make_lead(), now=now, hold=True))
    third(box)

    carry_out(box, listed(box, "requalify"))
    await driver.settle()

    found = box.read_now(lambda session, now: list(session.exec(select(Handoff).where(Handoff.lead_id == done.lead_id))))
    assert [(one.version, one.stage, one.held) for one in found] == [(1, "withdrawn", False), (3, "inquiry", True)]
    assert rows(box, Wake) == []


async def test_messages_that_were_not_sent_yet_are_not_sent(driver: Driver, box: Toolbox) -> None:
    for name in ("email", "chat", "manager-email"):
        kept_by(box, name).broken = True
    taken = await assigned(driver, box, **BY_POINTS)
    third(box)

    carry_out(box, listed(box, "recall"))

    old = handoffs_of(box, taken)[0].id
    states = {(one.message, one.channel): str(one.state) for one in rows(box, Delivery) if one.handoff_id == old}
    assert states == {
        ("assigned", "email"): "cancelled",
        ("assigned", "crm"): "confirmed",
        ("assigned", "chat"): "cancelled",
        ("assigned", "manager-email"): "cancelled",
        ("withdrawn", "email"): "queued",
    }


async def test_a_message_that_is_on_its_way_is_unknown(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)

    def on_its_way(session: Session, now: datetime) -> None:
        row = session.exec(select(Delivery).where(Delivery.channel == "email", Delivery.message == "assigned")).one()
        row.state = DeliveryState.SENDING
        session.add(row)

    box.write_now(on_its_way)
    third(box)

    carry_out(box, listed(box, "recall"))

    assert {str(one.state) for one in rows(box, Delivery) if one.channel == "email" and one.message == "assigned"} == {"unknown"}
    assert newest(box, taken).stage == "inquiry"


async def test_a_rep_who_never_heard_of_the_lead_is_not_told_that_it_is_gone(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    for name in box.channels:
        if name != "crm":
            kept_by(box, name).broken = True

    async def refuse(letter: Letter) -> str:
        raise CrmError("away")

    away = KeepingChannel("crm")
    away.instead = refuse
    box.channels = {**box.channels, "crm": away}
    await driver.settle()
    assert wait_of(box, taken).kind == "delivery"
    third(box)

    carry_out(box, listed(box, "recall"))

    assert [one for one in rows(box, Delivery) if one.message == "withdrawn"] == []


async def test_a_lead_for_which_another_agreement_is_in_force_starts_anew_under_that(driver: Driver, box: Toolbox) -> None:
    """The new version is no longer for it, and says so."""
    british = await assigned(driver, box)
    other = await assigned(driver, box, country="FR")
    narrow = text_of(3, "2027-02-01", ("signers: {", "applies_to: {country: [GB]}\nsigners: {"))
    applies = "default: false\napplies_to: {country: {not_in: [GB]}}\nsigners: {"
    rest = text_of(1, "2027-01-01", ("agreement: b2b-saas\n", "agreement: the-rest\n"), ("signers: {", applies))
    box.write_now(lambda session, now: published(session, narrow, now))
    assert {one.why for one in listed(box, "recall") if one.lead_id == other.lead_id} == {"no agreement would be in force for it"}
    box.write_now(lambda session, now: published(session, rest, now))

    before = listed(box, "recall")
    carry_out(box, before)
    await driver.settle()

    assert [(one.lead_id, one.happens, one.under) for one in before] == [
        (british.lead_id, Happens.RECALLED, "b2b-saas@3"),
        (other.lead_id, Happens.RECALLED, "the-rest@1"),
    ]
    assert [(newest(box, one).agreement, newest(box, one).stage) for one in (british, other)] == [
        ("b2b-saas", "assigned"),
        ("the-rest", "assigned"),
    ]


async def test_nothing_is_withdrawn_where_another_version_has_come_into_force_meanwhile(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    third(box)
    before = listed(box, "recall")
    box.write_now(lambda session, now: setattr(contracts.get(session, "b2b-saas", 3), "closed", True))

    done = carry_out(box, before)

    assert [why for _, why in done.left] == ["b2b-saas@1 is in force for it"]
    assert newest(box, taken).stage == "assigned"


async def test_carrying_out_twice_touches_each_handoff_once(driver: Driver, box: Toolbox) -> None:
    await assigned(driver, box)
    third(box)
    before = listed(box, "recall")

    first, second = carry_out(box, before), carry_out(box, before)

    assert (len(first.touched), len(second.touched)) == (1, 0)
    assert [why for _, why in second.left] == ["it went from assigned to withdrawn"]


def test_a_claim_keeps_others_out_until_it_is_given_back(box: Toolbox) -> None:
    token = box.write_now(lambda session, now: claims.take(session, "deploy", by="mina", about="deploying b2b-saas@2"))

    with pytest.raises(claims.Claimed, match=r"mina has been deploying b2b-saas@2 since \d\d:\d\d:\d\d UTC. Repeat the command"):
        box.write_now(lambda session, now: claims.take(session, "deploy", by="maria", about="deploying b2b-saas@3"))
    box.write_now(lambda session, now: claims.give_back(session, "deploy", token))
    box.write_now(lambda session, now: claims.take(session, "deploy", by="maria", about="deploying b2b-saas@3"))


async def test_a_lead_that_was_handed_on_to_the_next_leg_keeps_what_was_done_for_it(driver: Driver, box: Toolbox) -> None:
    """It waits for the account executive's answer, and an SDR has made it an SQL: that is not done again."""
    staff(box, AES, AE_PEOPLE)
    agree_on(box, two_legs)
    taken = await until_working(driver, box)
    answer_by_link(box, taken, "sql")
    await driver.settle()
    assert (newest(box, taken).leg, wait_of(box, taken).kind) == (1, "acceptance")
    before = rows_of(box, taken)
    third(box)

    done = carry_out(box, listed(box, "recall"))

    assert [(one.is_touched, one.why) for one in listed(box, "recall")] == [(False, "it is an SQL already")]
    assert (done.touched, rows_of(box, taken)) == ((), before)


async def test_who_brought_a_lead_in_and_let_it_lapse_does_not_get_it_by_starting_anew(driver: Driver, box: Toolbox) -> None:
    """It is with somebody else, unanswered, when it is recalled: then it is anybody's turn but theirs."""
    taken = await assigned(driver, box, sales_sourced_by="cleo")
    answer_by_link(box, taken, "handed", colleague="ana")
    await driver.settle()
    assert (newest(box, taken).stage, newest(box, taken).rep) == ("assigned", "ana")
    third(box)

    carry_out(box, listed(box, "recall"))
    await driver.settle()

    assert (newest(box, taken).brought_by, newest(box, taken).stage) == ("cleo", "assigned")
    assert newest(box, taken).rep != "cleo"

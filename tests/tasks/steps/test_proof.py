"""Proof that may be taken back: an e-mail has arrived when it did not come back in the agreed time, and no longer when it does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from notifications import bounces
from notifications.letter import Letter
from storage import deliveries
from storage.tables import Delivery, Event, Wait
from tasks.background.bounces import take
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree, deliveries_of, tenures, until_accepted, wait_of
from tests.driver import Driver
from tests.dying import Died, dies_at, leases_end, lives
from tests.present import the
from tests.returned import returned
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

MINUTE = timedelta(minutes=1)
#: When an e-mail that was just sent counts as arrived.
AGREED = 2 * MINUTE


@pytest.fixture(autouse=True)
def mail_may_come_back(box: Toolbox) -> None:
    box.channels["email"].may_bounce = box.channels["manager-email"].may_bounce = True


def come_back(box: Toolbox, taken: Taken, channel: str = "email", *, name: str = "failed", message: str = "assigned") -> str:
    """The mail system returns the newest message of that kind; what became of that."""

    def work(session: Session, now: datetime) -> str:
        row = [one for one in deliveries.of_handoff(session, newest(box, taken).id) if (one.message, one.channel) == (message, channel)][-1]
        raw = returned(name, mark=box.links.bounce_marks.of(row.id))
        return take(session, bounces.read(raw), box.links, now=now)

    return box.write_now(work)


def kinds(box: Toolbox, taken: Taken) -> list[str]:
    return [event.kind for event in events_of(box, taken)]


def bounce_event(box: Toolbox, taken: Taken) -> Event:
    return next(event for event in events_of(box, taken) if event.kind == "bounced")


async def notified(driver: Driver, box: Toolbox, time: SteppedTime) -> Taken:
    """A lead whose rep's clock has begun, by points: told over e-mail and CRM."""
    taken = capture(box, **BY_POINTS)
    await driver.run(until=time.at + AGREED)
    assert wait_of(box, taken).kind == "acceptance"
    return taken


class TestBeforeItIsConfirmed:
    async def test_what_the_mail_server_took_is_sent_and_the_fallback_waits(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = capture(box, **BY_POINTS)

        await driver.settle()

        assert deliveries_of(box, taken) == {("assigned", "email"): "sent", ("assigned", "crm"): "confirmed"}
        wait = wait_of(box, taken)
        assert (wait.kind, wait.next_at, newest(box, taken).owner) == ("delivery", time.at + AGREED, "system")
        assert "not-proven-yet" not in kinds(box, taken)

    async def test_the_clock_begins_when_it_did_not_come_back_and_not_when_somebody_looks(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken, began = capture(box, **BY_POINTS), time.at
        await driver.settle()
        time.at += 5 * MINUTE

        await driver.settle()

        assert tenures(box, taken)[0].proven_at == began + AGREED
        assert deliveries_of(box, taken)[("assigned", "email")] == "confirmed"
        wait = wait_of(box, taken)
        assert (wait.kind, newest(box, taken).owner) == ("acceptance", tenures(box, taken)[0].rep)

    async def test_it_is_agreed_how_long_that_is(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        agree(box, ("within: 10 minutes, channels", "within: 10 minutes, no_bounce_for: 7 minutes, channels"))
        taken, began = capture(box, **BY_POINTS), time.at

        await driver.run(until=began + 8 * MINUTE)

        assert tenures(box, taken)[0].proven_at == began + 7 * MINUTE

    async def test_proof_that_came_in_time_counts_when_nobody_looked_until_its_time_was_over(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken, began = capture(box, **BY_POINTS), time.at
        await driver.settle()
        time.at += 11 * MINUTE

        await driver.settle()

        assert tenures(box, taken)[0].proven_at == began + AGREED
        assert wait_of(box, taken).kind == "acceptance"
        assert "missed" not in kinds(box, taken)

    async def test_one_that_comes_back_sends_the_fallback_at_once(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = capture(box, **BY_POINTS)
        await driver.settle()
        time.at += timedelta(seconds=20)

        assert come_back(box, taken) == "bounced"
        await driver.settle()

        assert deliveries_of(box, taken)[("assigned", "email")] == "bounced"
        assert deliveries_of(box, taken)[("assigned", "chat")] == "confirmed"
        assert wait_of(box, taken).kind == "acceptance"
        assert tenures(box, taken)[0].proven_at == time.at
        assert "unproven" not in kinds(box, taken)

    async def test_an_answer_that_is_faster_begins_the_clock_and_a_later_bounce_changes_only_the_row(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken = capture(box, **BY_POINTS)
        await driver.settle()
        time.at += timedelta(seconds=20)
        answer_by_link(box, taken, "accepted")
        await driver.settle()
        assert newest(box, taken).stage == "accepted"

        assert come_back(box, taken) == "bounced"
        await driver.settle()

        assert newest(box, taken).stage == "accepted"
        assert tenures(box, taken)[0].proven_at == time.at
        assert ("assigned", "chat") not in deliveries_of(box, taken)
        assert "bounced" in kinds(box, taken)


class TestAfterItWasConfirmed:
    async def test_the_reps_clock_stops_and_begins_anew_with_the_new_proof(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)
        kept_by(box, "chat").broken = kept_by(box, "manager-email").broken = True
        time.at += 5 * MINUTE

        come_back(box, taken)
        await driver.settle()

        assert (newest(box, taken).stage, newest(box, taken).owner) == ("assigned", "system")
        assert (wait_of(box, taken).kind, wait_of(box, taken).about) == ("delivery", "proof")
        assert tenures(box, taken)[0].proven_at is None
        closed = box.read_now(lambda session, now: session.exec(select(Wait.closed_because).where(Wait.kind == "acceptance")).one())
        assert closed == "unproven"

        kept_by(box, "chat").broken = False
        await driver.run(until=time.at + MINUTE)

        assert wait_of(box, taken).kind == "acceptance"
        assert tenures(box, taken)[0].proven_at == wait_of(box, taken).opened_at == time.at
        assert kinds(box, taken).count("notified") == 2

    async def test_the_fallback_goes_out_at_once(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)
        time.at += 5 * MINUTE

        come_back(box, taken)
        await driver.settle()

        assert deliveries_of(box, taken)[("assigned", "chat")] == "confirmed"
        assert tenures(box, taken)[0].proven_at == time.at
        assert kinds(box, taken)[-1] != "unproven"

    async def test_where_enough_others_have_proven_it_the_clock_goes_on(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        agree(box, ("confirmed_on: 2, within", "confirmed_on: 1, within"))
        taken = await notified(driver, box, time)
        before = wait_of(box, taken)

        come_back(box, taken)
        await driver.settle()

        assert wait_of(box, taken).id == before.id
        assert ("assigned", "chat") not in deliveries_of(box, taken)

    async def test_the_same_bounce_twice_is_one(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)

        assert [come_back(box, taken), come_back(box, taken, name="qmail")] == ["bounced", "repeated"]
        await driver.settle()

        assert kinds(box, taken).count("bounced") == kinds(box, taken).count("unproven") == 1

    async def test_a_delay_changes_nothing(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)
        before = kinds(box, taken)

        assert come_back(box, taken, name="delayed") == "delayed"
        await driver.settle()

        assert deliveries_of(box, taken)[("assigned", "email")] == "confirmed"
        assert kinds(box, taken) == before

    async def test_after_an_automatic_reply_the_message_still_counts_as_delivered(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken = await notified(driver, box, time)
        before = kinds(box, taken)

        assert come_back(box, taken, name="away") == "away"
        await driver.settle()

        assert deliveries_of(box, taken)[("assigned", "email")] == "confirmed"
        assert not {"bounced", "unproven"} & set(kinds(box, taken)[len(before) :])

    async def test_a_bounce_after_the_answer_changes_the_row_and_the_trail_only(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken = await notified(driver, box, time)
        answer_by_link(box, taken, "accepted")
        await driver.settle()
        wait = wait_of(box, taken)

        come_back(box, taken)
        await driver.settle()

        assert wait_of(box, taken).id == wait.id
        assert deliveries_of(box, taken)[("assigned", "email")] == "bounced"
        assert "bounced" in kinds(box, taken)

    async def test_an_answer_that_waits_to_be_undone_is_an_answer(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        box.settings.undo_minutes = 5
        taken = await notified(driver, box, time)
        answer_by_link(box, taken, "rejected", reason="not-icp")
        await driver.settle()

        come_back(box, taken)
        await driver.run(until=time.at + 6 * MINUTE)

        assert newest(box, taken).stage == "disqualified"
        assert "unproven" not in kinds(box, taken)

    async def test_a_deadline_missed_before_is_not_undone_but_told_as_not_the_reps_fault(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken = await notified(driver, box, time)
        await driver.run(until=wait_of(box, taken).due_at)
        assert "missed" in kinds(box, taken)
        first, second = tenures(box, taken)

        def bounce_the_first(session: Session, now: datetime) -> str:
            row = session.exec(select(Delivery).where(Delivery.assignment_id == first.id, Delivery.channel == "email")).one()
            return take(session, bounces.read(returned(mark=box.links.bounce_marks.of(row.id))), box.links, now=now)

        assert box.write_now(bounce_the_first) == "bounced"
        await driver.settle()

        assert bounce_event(box, taken).data["excused"] == "acceptance"
        assert newest(box, taken).rep == second.rep

    async def test_a_deadline_missed_with_enough_other_proof_is_the_reps(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        agree(box, ("confirmed_on: 2, within", "confirmed_on: 1, within"))
        taken = await notified(driver, box, time)
        await driver.run(until=wait_of(box, taken).due_at)

        def bounce_the_first(session: Session, now: datetime) -> str:
            first = tenures(box, taken)[0]
            row = session.exec(select(Delivery).where(Delivery.assignment_id == first.id, Delivery.channel == "email")).one()
            return take(session, bounces.read(returned(mark=box.links.bounce_marks.of(row.id))), box.links, now=now)

        assert box.write_now(bounce_the_first) == "bounced"
        assert "excused" not in bounce_event(box, taken).data

    async def test_another_message_that_comes_back_touches_no_clock(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        agree(box, ("attention: {interrupt: [hot]}", "attention: {interrupt: [hot], tell_marketing: [accepted]}"))
        taken = await until_accepted(driver, box, **BY_POINTS)
        wait = wait_of(box, taken)

        assert come_back(box, taken, message="feedback") == "bounced"
        await driver.settle()

        assert wait_of(box, taken).id == wait.id
        assert bounce_event(box, taken).data["message"] == "feedback"

    async def test_a_tenure_that_is_over_gets_no_fallback(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)
        answer_by_link(box, taken, "rejected", reason="not-icp")
        await driver.settle()

        assert come_back(box, taken) == "bounced"
        await driver.settle()

        assert ("assigned", "chat") not in deliveries_of(box, taken)


class TestWhichMessage:
    @pytest.mark.parametrize("name", ["failed", "exchange", "qmail"])
    async def test_key_and_message_id_name_none_for_whoever_writes_the_bounce_writes_them(
        self, driver: Driver, box: Toolbox, time: SteppedTime, name: str
    ) -> None:
        taken = await notified(driver, box, time)
        raw = returned(name, key=f"{tenures(box, taken)[0].id}:assigned:email")

        assert box.write_now(lambda session, now: take(session, bounces.read(raw), box.links, now=now)) == "not-ours"
        assert deliveries_of(box, taken)[("assigned", "email")] == "confirmed"

    async def test_a_forged_mark_bounces_nothing(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)
        raw = returned(mark=f"1-{'a' * 16}")

        assert box.write_now(lambda session, now: take(session, bounces.read(raw), box.links, now=now)) == "not-ours"
        assert deliveries_of(box, taken)[("assigned", "email")] == "confirmed"

    async def test_the_mark_goes_along_with_the_letter(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        taken = await notified(driver, box, time)
        [letter] = [one for one in kept_by(box, "email").letters if one.message == "assigned"]

        raw = returned(mark=letter.bounce_mark)

        assert box.write_now(lambda session, now: take(session, bounces.read(raw), box.links, now=now)) == "bounced"
        assert deliveries_of(box, taken)[("assigned", "email")] == "bounced"

    async def test_what_was_never_sent_cannot_come_back(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        kept_by(box, "email").broken = True
        taken = capture(box, **BY_POINTS)
        await driver.settle()

        assert come_back(box, taken) == "not-ours"
        assert deliveries_of(box, taken)[("assigned", "email")] == "queued"


class TestWhileItIsSent:
    async def test_a_bounce_that_is_faster_than_the_senders_own_note_is_not_overwritten(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        email = kept_by(box, "email")

        async def send_and_bounce(letter: Letter) -> str:
            proof = email.keep(letter)
            raw = returned(mark=letter.bounce_mark)
            await box.write(lambda session, now: take(session, bounces.read(raw), box.links, now=now))
            return proof

        email.instead = send_and_bounce
        taken = capture(box, **BY_POINTS)
        await driver.settle()

        assert deliveries_of(box, taken)[("assigned", "email")] == "bounced"
        assert deliveries_of(box, taken)[("assigned", "chat")] == "confirmed"
        assert wait_of(box, taken).kind == "acceptance"

    async def test_what_nobody_can_tell_of_is_no_proof_and_never_sent_again(self, driver: Driver, box: Toolbox, time: SteppedTime) -> None:
        from agreements.errors import DeliveryUnknown

        async def lose(letter: Letter) -> str:
            raise DeliveryUnknown("email", "the connection broke")

        kept_by(box, "email").instead = lose
        taken = capture(box, **BY_POINTS)
        await driver.run(until=time.at + 30 * MINUTE)

        assert deliveries_of(box, taken)[("assigned", "email")] == "unknown"
        assert deliveries_of(box, taken)[("assigned", "chat")] == "confirmed"
        row = the(box.read_now(lambda session, now: session.exec(select(Delivery).where(Delivery.channel == "email")).first()))
        assert row.tries == 1

    async def test_an_attempt_that_dies_after_it_took_the_proof_back_loses_nothing(
        self, driver: Driver, box: Toolbox, time: SteppedTime
    ) -> None:
        taken = await notified(driver, box, time)
        come_back(box, taken)
        box.fault = dies_at("step notify")
        with pytest.raises(Died):
            await driver.carry_out(newest(box, taken).id)
        box.fault = lives
        leases_end(box)

        await driver.run(until=time.at + 2 * MINUTE)

        assert deliveries_of(box, taken)[("assigned", "chat")] == "confirmed"
        assert wait_of(box, taken).kind == "acceptance"

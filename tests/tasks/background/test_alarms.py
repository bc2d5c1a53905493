"""The operator gets one message when something begins to stand still and one when it is over, whoever looks and whatever dies."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from agreements.errors import NoAddress, ServiceAway
from app.web import alarm_watch
from notifications.letter import Letter
from storage import alarms as rows
from storage import deliveries, handoffs, time_offset, worker_beats
from storage.tables import Activity, Alarm, Delivery, DeliveryState, Event, Wait
from tasks.background import alarms
from tasks.messages import alarm_message
from tasks.trail.sealing import seal_trail
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import letters
from tests.driver import Driver
from tests.fakes import KeepingChannel
from tests.stage import Taken, capture, kept_by, newest

MINUTE = timedelta(minutes=1)
#: The real time when Baton's time is MONDAY.
BEGUN = datetime(2026, 1, 5, 12, tzinfo=UTC)


def real(time: SteppedTime) -> datetime:
    """The real time, which goes on as Baton's time does."""
    return BEGUN + (time.at - MONDAY)


async def look(driver: Driver, *, after: timedelta = MINUTE) -> int:
    """Let time pass, look, and send what is due. The trail is sealed meanwhile."""
    driver.time.at += after
    await seal_trail(driver.box)
    changed = await alarms.look(driver.box, real=real(driver.time))
    await driver.clock.personal_messages()
    return changed


def stick(box: Toolbox, taken: Taken) -> None:
    box.write_now(lambda session, now: handoffs.move(session, newest(box, taken), "got-stuck", now=now, why="5 attempts failed: CrmError"))


def unstick(box: Toolbox, taken: Taken) -> None:
    box.write_now(lambda session, now: handoffs.move(session, newest(box, taken), "suppressed", now=now))


def kept(box: Toolbox, *, counted: bool = True) -> list[Alarm]:
    found = box.read_now(lambda session, now: list(session.exec(select(Alarm).order_by(Alarm.id))))  # type: ignore[arg-type]
    return [row for row in found if not counted or row.began_at]


def texts(box: Toolbox) -> list[str]:
    return [" ".join(letter.text.split()) for letter in kept_by(box, "email").letters if letter.message == alarm_message.MESSAGE]


async def test_a_stuck_lead_is_told_of_once_when_it_begins_and_once_when_it_is_over(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    stick(box, taken)

    for _ in range(3):
        await look(driver)
    unstick(box, taken)
    for _ in range(3):
        await look(driver)

    assert letters(box, "alarm-told") == ["oscar", "oscar"]
    began, over = texts(box)
    assert f"Lead {taken.lead_id} has been stuck since" in began
    assert "5 attempts failed: CrmError" in began
    assert f"baton leads unstick {taken.lead_id}" in began
    assert f"Lead {taken.lead_id} is not stuck any more." in over
    [row] = kept(box)
    assert (row.told_by, row.ended_at is not None) == ("email", True)


async def test_leads_that_get_stuck_together_make_one_message(driver: Driver, box: Toolbox) -> None:
    taken = [capture(box) for _ in range(3)]
    for one in taken:
        stick(box, one)

    await look(driver)
    await look(driver)

    assert letters(box, "alarm-told") == ["oscar"]
    assert [f"Lead {one.lead_id} has been stuck" in texts(box)[0] for one in taken] == [True] * 3
    assert {row.told_by for row in kept(box)} == {"email"}


async def test_two_clocks_at_once_tell_once(driver: Driver, box: Toolbox) -> None:
    stick(box, capture(box))

    changed = await asyncio.gather(*(alarms.look(box, real=real(driver.time)) for _ in range(4)))
    await driver.clock.personal_messages()

    assert sorted(changed) == [0, 0, 0, 1]
    assert letters(box, "alarm-told") == ["oscar"]


async def test_a_process_that_dies_between_the_row_and_the_message_leaves_the_message_to_others(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    stick(box, capture(box))
    await alarms.look(box, real=real(time))  # the process ends here: the message is queued with the alarm, in one transaction

    other = Driver(box, time)
    await other.clock.personal_messages()
    await look(other)

    assert letters(box, "alarm-told") == ["oscar"]


async def test_a_message_that_died_while_it_was_sent_goes_out_on_the_next_channel(
    driver: Driver, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box.settings, "chat_url", "json://chat.example")
    stick(box, capture(box))
    await alarms.look(box, real=real(driver.time))
    box.write_now(lambda session, now: deliveries.claim_all(session, [one.id for one in session.exec(_alarm_messages())]))

    await look(driver, after=6 * MINUTE)
    await look(driver)

    assert (letters(box, "alarm-told"), letters(box, "alarm-told", "chat")) == ([], ["oscar"])
    assert [row.told_by for row in kept(box)] == ["chat"]


def _alarm_messages() -> Any:
    return select(Delivery).where(Delivery.message == alarm_message.MESSAGE)


class Away(KeepingChannel):
    """A channel whose service is away until `away` is unset."""

    away = True

    async def send(self, letter: Letter) -> str:
        if self.away:
            raise ServiceAway(self.name, "no connection")
        return await super().send(letter)


def without_mail(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Away:
    gone = Away("email")
    monkeypatch.setattr(box, "channels", {**box.channels, "email": gone})
    return gone


async def failing_mail(driver: Driver, box: Toolbox) -> None:
    """Leads whose messages do not go out by mail."""
    for _ in range(3):
        capture(box)
    await driver.settle()


async def test_an_alarm_about_mail_goes_out_by_chat_and_is_over_when_mail_works_again(
    driver: Driver, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box.settings, "chat_url", "json://chat.example")
    mail = without_mail(box, monkeypatch)
    await failing_mail(driver, box)

    await look(driver)
    mail.away = False
    driver.time.at += 2 * MINUTE
    await driver.settle()
    await look(driver)
    await look(driver)

    assert letters(box, "alarm-told", "chat") == ["oscar"]
    assert "The channel email has taken no messages since" in kept_by(box, "chat").letters[-1].chat
    assert letters(box, "alarm-told", "email") == ["oscar"]
    assert [(row.kind, row.subject, row.ended_at is not None) for row in kept(box)] == [("channel-fails", "email", True)]


async def test_where_mail_is_the_only_channel_the_alarm_waits_for_it(driver: Driver, box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = without_mail(box, monkeypatch)
    await failing_mail(driver, box)
    await look(driver)
    [row] = kept(box)
    assert (row.kind, row.told_by) == ("channel-fails", "")

    mail.away = False
    driver.time.at += 10 * MINUTE
    await driver.clock.personal_messages()

    assert letters(box, "alarm-told") == ["oscar"]


async def test_people_without_an_address_make_no_failing_channel(driver: Driver, box: Toolbox) -> None:
    def refuse(session: Session, now: datetime) -> None:
        for person in ("ana", "ben", "cleo", "dan", "emil"):
            copy = deliveries.Copy(f"refused-{person}", "chat", person)
            deliveries.queue(session, None, deliveries.Message("told", context={"what": "x"}), copy, now=now)
        for row in session.exec(select(Delivery).where(Delivery.channel == "chat")):
            deliveries.failed(session, row, None, error=str(NoAddress("chat", row.person, "chat address")), permanent=True, now=now)

    box.write_now(refuse)

    assert await look(driver) == 0


def comes(box: Toolbox, source: str, *at: datetime) -> None:
    """Leads came from that source at these times."""
    taken = capture(box, source=source)

    def work(session: Session, now: datetime) -> None:
        for one in at:
            key = f"{source}-{one.isoformat()}"
            session.add(Activity(lead_id=taken.lead_id, key=key, kind="form_submitted", source=source, at=one, received_at=one))

    box.write_now(work)


def in_four_weeks_before(now: datetime) -> list[datetime]:
    return [now + 5 * MINUTE * step - timedelta(weeks=week) for week in range(1, 5) for step in range(48)]


async def test_a_source_that_falls_silent_is_told_of_and_is_over_with_its_next_lead(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    comes(box, "website", *in_four_weeks_before(MONDAY))
    comes(box, "fair")
    await driver.settle()

    for _ in range(6):
        time.at += 19 * MINUTE
        await driver.settle()
        await look(driver)
    [row] = kept(box)
    comes(box, "website")
    await look(driver)
    await look(driver)

    assert (row.kind, row.subject, row.since) == ("source-silent", "website", MONDAY)
    began, over = texts(box)
    assert "No lead has come from website since 2027-02-01 09:00 UTC." in began
    assert "Leads come from website again" in over


async def test_a_source_is_not_overlooked_because_many_new_ones_were_heard_since(
    driver: Driver, box: Toolbox, time: SteppedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "COMPARED", 2)
    comes(box, "website", *in_four_weeks_before(MONDAY))
    time.at += MINUTE
    for number in range(3):
        comes(box, f"made up {number}")
    time.at += timedelta(hours=2)

    found = box.read_now(lambda session, now: alarms.find(session, now=now, real=real(time)))

    assert [one.subject for one in found.found if one.kind == "source-silent"] == ["website"]


async def test_where_time_has_leapt_no_source_is_silent(driver: Driver, box: Toolbox) -> None:
    comes(box, "website", *in_four_weeks_before(MONDAY))
    await driver.settle()
    box.write_now(lambda session, now: time_offset.leap_to(session, now + timedelta(days=300)))
    driver.time.at += timedelta(hours=2)

    found = box.read_now(lambda session, now: alarms.find(session, now=now, real=real(driver.time)))

    assert [one.kind for one in found.found if one.kind == "source-silent"] == []


async def test_a_late_clock_counts_when_it_was_seen_twice_and_a_moment_does_not(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    capture(box)
    time.at += timedelta(minutes=5)  # nobody delivers the wake

    first = await alarms.look(box, real=real(time))
    await driver.settle()  # it was only a moment
    await look(driver)
    assert (first, kept(box, counted=False)) == (0, [])

    capture(box)
    time.at += timedelta(minutes=5)
    await alarms.look(box, real=real(time))
    time.at += MINUTE
    await alarms.look(box, real=real(time))
    await driver.settle()
    await look(driver)
    assert [(row.kind, row.ended_at is not None) for row in kept(box)] == [("clock-late", True)]
    assert letters(box, "alarm-told") == ["oscar", "oscar"]


async def test_a_clock_set_back_makes_no_alarm_and_stops_no_look(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    comes(box, "website", *in_four_weeks_before(MONDAY))
    await driver.settle()
    box.write_now(lambda session, now: worker_beats.beat(session, "a", real=BEGUN, ticked_at=BEGUN, prefect_away_since=None))
    await look(driver)

    time.at -= timedelta(hours=3)
    assert await look(driver) == 0
    assert kept(box, counted=False) == []
    stick(box, capture(box))

    assert await look(driver) == 1


async def test_without_a_worker_the_web_process_looks_and_tells(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    box.write_now(lambda session, now: worker_beats.beat(session, "a", real=BEGUN, ticked_at=BEGUN, prefect_away_since=None))
    assert await alarm_watch.watch(box, real=real(time)) == 0
    box.write_now(
        lambda session, now: deliveries.queue(
            session, None, deliveries.Message("told", context={"what": "x"}), deliveries.Copy("for a worker", "email", "ana"), now=now
        )
    )

    for _ in range(3):
        time.at += timedelta(minutes=3)
        await alarm_watch.watch(box, real=real(time))

    assert letters(box, "alarm-told") == ["oscar"]
    assert f"No worker has been at work since {BEGUN:%Y-%m-%d %H:%M} UTC" in texts(box)[0]
    assert letters(box, "told") == []
    box.write_now(lambda session, now: worker_beats.beat(session, "b", real=real(time), ticked_at=real(time), prefect_away_since=None))
    await look(driver)
    await look(driver)
    assert [(row.kind, row.ended_at is not None) for row in kept(box)] == [("no-worker", True)]


async def test_a_trail_that_nobody_seals_is_told_of(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    capture(box)

    def age(session: Session, now: datetime) -> None:
        for row in session.exec(select(Event)):
            row.recorded_at = real(time) - timedelta(hours=1)
            session.add(row)

    box.write_now(age)
    for _ in range(2):
        time.at += MINUTE
        await alarms.look(box, real=real(time))

    assert [row.kind for row in kept(box)] == ["trail-unsealed"]


async def test_a_lead_that_waits_past_its_time_while_stuck_makes_no_clock_late(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    assert box.read_now(lambda session, now: session.exec(select(Wait)).first()) is not None
    stick(box, taken)
    time.at += timedelta(days=3)

    await look(driver)
    await look(driver)

    assert [row.kind for row in kept(box)] == ["lead-stuck"]


async def test_more_stuck_leads_than_one_look_begins_are_told_of_by_the_next(
    driver: Driver, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "AT_ONCE", 2)
    for _ in range(3):
        stick(box, capture(box))

    assert [await look(driver) for _ in range(3)] == [2, 1, 0]
    assert len(letters(box, "alarm-told")) == 2
    assert len(box.read_now(lambda session, now: rows.open_ones(session))) == 3


def test_nothing_personal_is_in_the_message(box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    stick(box, taken)
    asyncio.run(alarms.look(box, real=real(time)))

    [row] = box.read_now(lambda session, now: list(session.exec(select(Delivery).where(Delivery.message == "alarm-told"))))

    said = str(row.context)
    assert (row.state, row.person) == (DeliveryState.QUEUED, "oscar")
    assert [
        one for one in (taken.incoming.email, taken.incoming.first_name, taken.incoming.last_name, taken.incoming.company) if one in said
    ] == []

"""A nurtured lead is enrolled in its track at the marketing automation, and taken out again; what is not confirmed is somebody's task."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from storage import enrolments, suppressions
from storage.suppressions import Told
from storage.tables import Enrolment
from tasks import intake
from tasks.automation.port import Ask, Heard
from tasks.background.enrolments import Confirmed, confirm, enrol_leads, refuse, retry
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DONE = Heard("done", confirmed=True)


class KeepingAutomation:
    """A marketing automation that keeps what it is told, and answers as it is set."""

    def __init__(self) -> None:
        self.told: list[Ask] = []
        self.answers: Callable[[Ask], Heard] = lambda ask: DONE

    async def tell(self, ask: Ask) -> Heard:
        self.told.append(ask)
        return self.answers(ask)


@pytest.fixture
def there() -> KeepingAutomation:
    return KeepingAutomation()


@pytest.fixture
def box(box: Toolbox, there: KeepingAutomation) -> Toolbox:
    agree_on(box, lambda tree: tree.update(nurture={"enrol": "webhook", "confirm_within": "1 working day"}))
    return dataclasses.replace(box, automation=lambda by: there)


@pytest.fixture
async def rejected(driver: Driver, box: Toolbox, time: SteppedTime) -> Taken:
    """A lead that its rep has just rejected: it goes to nurture."""
    taken = capture(box)
    await driver.run(until=time.at)
    answer_by_link(box, taken, "rejected", reason="not-now")
    return taken


def kinds_of(box: Toolbox, taken: Taken) -> list[str]:
    return [str(event.kind) for event in events_of(box, taken)]


def row(box: Toolbox, taken: Taken) -> Enrolment:
    return the(box.read_now(lambda session, now: enrolments.newest_of(session, taken.lead_id)))


def told_late(box: Toolbox) -> list[tuple[str, str]]:
    """Who was told about a lead that is not in its track, and in which words."""
    letters = [one for one in kept_by(box, "email").letters if one.message == "told" and "nurture track" in one.text]
    return [(one.to.id, one.text) for one in letters]


async def test_the_automation_is_told_once_who_belongs_in_which_track(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    await driver.run(until=time.at + HOUR)

    assert [(ask.do, ask.track, ask.lead_number) for ask in there.told] == [("enrol", "not-now", rejected.lead_id)]
    assert set(there.told[0].person) >= {"email", "first_name", "company"}
    assert (row(box, rejected).state, row(box, rejected).next_at) == ("confirmed", None)
    assert kinds_of(box, rejected).count("enrolled") == 1


async def test_without_the_clause_nobody_is_told(driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation) -> None:
    agree_on(box, lambda tree: None, version=3)
    taken = capture(box)
    await driver.run(until=time.at)
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.run(until=time.at + DAY)

    assert there.told == []


async def test_a_lead_that_comes_back_leaves_its_track(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    await driver.run(until=time.at + HOUR)
    time.at += DAY
    again = rejected.incoming.model_copy(update={"conversion_id": "again", "activity": "demo_requested", "at": time.at})
    box.write_now(lambda session, now: intake.capture(session, again, now=now))
    await driver.run(until=time.at + HOUR, revisits=True)

    assert [(ask.do, dict(ask.person)) for ask in there.told[1:]] == [("leave", {})]
    assert there.told[1].key != there.told[0].key
    assert kinds_of(box, rejected).count("left-track") == 1


async def test_a_look_without_news_leaves_the_lead_in_its_track(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    await driver.run(until=time.at + 100 * DAY, revisits=True)

    assert kinds_of(box, rejected).count("revisited") >= 1
    assert [ask.do for ask in there.told] == ["enrol"]


async def test_nobody_is_enrolled_who_refuses_e_mail(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    address = capture_address(box, rejected)
    box.write_now(lambda session, now: suppressions.suppress(session, address, reason="asked", now=now, told=Told("email")))
    await driver.run(until=time.at + 5 * DAY)

    assert there.told == []
    assert row(box, rejected).state == "not-allowed"
    assert told_late(box) == []


def capture_address(box: Toolbox, taken: Taken) -> str:
    from storage.tables import Lead

    return box.read_now(lambda session, now: the(session.get(Lead, taken.lead_id)).email)


@pytest.mark.parametrize(
    "error", [ServiceAway("nurture", "503"), DeliveryUnknown("nurture", "no answer"), DeliveryError("nurture", "408")], ids=str
)
async def test_a_passing_error_is_tried_again_under_the_same_key(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken, error: DeliveryError
) -> None:
    def away(ask: Ask) -> Heard:
        if len(there.told) < 3:
            raise error
        return DONE

    there.answers = away
    await driver.run(until=time.at + HOUR)

    assert len(there.told) == 3
    assert len({ask.key for ask in there.told}) == 1
    assert row(box, rejected).state == "confirmed"
    assert told_late(box) == []


async def test_a_refusal_is_marketings_task_at_once_and_then_operations(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    def refuses(ask: Ask) -> Heard:
        raise DeliveryError("nurture", "422 no such track", permanent=True)

    there.answers = refuses
    await driver.run(until=time.at + 10 * DAY)

    assert len(there.told) == 1, "only a person helps it"
    assert [person for person, _ in told_late(box)] == ["mina", "oscar"]
    assert all(f"baton nurture confirm {rejected.lead_id}" in text and "422 no such track" in text for _, text in told_late(box))


async def test_what_is_not_confirmed_in_time_is_told_and_a_late_confirmation_settles_it(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    there.answers = lambda ask: Heard("202", confirmed=False)
    await driver.run(until=time.at + HOUR)
    assert (row(box, rejected).state, told_late(box)) == ("asked", [])
    await driver.run(until=time.at + 3 * DAY)
    assert len(told_late(box)) >= 1
    assert len(there.told) == 1

    def confirmed(session: Session, now: datetime) -> bool:
        return confirm(session, the(enrolments.newest_of(session, rejected.lead_id, lock=True)), Confirmed("ana", "cli"), now=now)

    assert [box.write_now(confirmed), box.write_now(confirmed)] == [True, False]
    before = len(told_late(box))
    await driver.run(until=time.at + 10 * DAY)
    assert len(told_late(box)) == before


async def test_an_answer_to_an_earlier_wish_changes_nothing(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    """While the automation answers, the lead leaves nurture: the answer is about what nobody wants any more."""

    def leaves(ask: Ask) -> Heard:
        if ask.do == "enrol":
            box.write_now(lambda session, now: enrolments.leave(session, row(box, rejected).handoff_id, now=now))
        return DONE

    there.answers = leaves
    await driver.run(until=time.at + HOUR)

    assert [ask.do for ask in there.told] == ["enrol", "leave"]
    assert kinds_of(box, rejected).count("enrolled") == 0
    assert (row(box, rejected).wanted, row(box, rejected).state) == ("out", "confirmed")


async def test_a_process_that_dies_while_it_tells_is_followed_by_another_try_under_the_same_key(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    class Died(BaseException):
        pass

    def dies(ask: Ask) -> Heard:
        raise Died

    there.answers = dies
    with pytest.raises(Died):
        await enrol_until_told(driver, box, time)
    there.answers = lambda ask: DONE
    time.at += enrolments.A_TRY
    await enrol_leads(box)

    assert len(there.told) == 2
    assert there.told[0].key == there.told[1].key
    assert row(box, rejected).state == "confirmed"


async def enrol_until_told(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await driver.run(until=time.at)
    await enrol_leads(box)


async def test_retry_begins_under_a_new_key_with_the_whole_time(
    driver: Driver, box: Toolbox, time: SteppedTime, there: KeepingAutomation, rejected: Taken
) -> None:
    there.answers = lambda ask: Heard("202", confirmed=False)
    await driver.run(until=time.at + HOUR)

    def once_more(session: Session, now: datetime) -> None:
        one = the(enrolments.newest_of(session, rejected.lead_id, lock=True))
        assert refuse(session, one, "nobody knows the track", now=now)
        assert not refuse(session, one, "nobody knows the track", now=now)
        retry(session, one, now=now)

    box.write_now(once_more)
    there.answers = lambda ask: DONE
    await driver.run(until=time.at + HOUR)

    assert len({ask.key for ask in there.told}) == 2
    assert row(box, rejected).state == "confirmed"

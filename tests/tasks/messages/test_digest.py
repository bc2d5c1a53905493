"""What need not interrupt waits for the morning: one message a person and working day, about all of it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from agreements.roster import read_roster
from notifications.letter import Letter
from notifications.prefect_window import window_links
from storage import deliveries
from storage.tables import Delivery, Digest, DigestItem, Wait
from tasks.background.personal_outbox import send_personal_messages
from tasks.messages import lead_view
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import ROSTER
from tests.deal import BY_POINTS, agree, agree_on, letters, staff, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.fakes import KeepingChannel
from tests.present import the
from tests.rows import Row, all_of
from tests.stage import answer_by_link, capture, events_of, kept_by, newest

TUESDAY = datetime(2027, 2, 2, 9, tzinfo=UTC)
FRIDAY = datetime(2027, 2, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def slow(box: Toolbox) -> None:
    """An acceptance that takes days, so that its reminders fall before its end."""

    def change(tree: dict[str, Any]) -> None:
        acceptance = tree["clocks"]["acceptance"]
        acceptance["within"], acceptance["total"] = {"normal": "5 working days"}, {"normal": "10 working days"}
        acceptance["at"] = {"10%": "remind", "30%": "tell-manager"}

    agree_on(box, change)


def check_in(box: Toolbox) -> None:
    """An outcome that is asked for each morning, and of which nobody is reminded otherwise."""

    def change(tree: dict[str, Any]) -> None:
        tree["clocks"]["outcome"].pop("at")
        tree["clocks"]["outcome"]["check_in"] = "daily-digest"

    agree_on(box, change)


def digests_of(box: Toolbox, person: str = "ana") -> list[Letter]:
    return [one for one in kept_by(box, "email").letters if one.message == "digest" and one.to.id == person]


def rows(box: Toolbox, table: type[Row]) -> list[Row]:
    return box.read_now(lambda session, now: all_of(session, table))


def queued(box: Toolbox) -> list[tuple[str, datetime]]:
    """The digests that are to come: whose and when."""
    query = select(Delivery).where(Delivery.message == "digest", Delivery.state == "queued")
    return box.read_now(lambda session, now: [(row.person, row.send_at) for row in session.exec(query)])


async def until(driver: Driver, time: SteppedTime, at: datetime) -> None:
    """Lets everything happen that is due until then, and no more; then it is that instant."""
    await driver.run(until=at)
    time.at = max(at, time.at)
    await driver.settle()


async def test_a_reminder_about_a_cold_lead_makes_no_mail_and_stands_in_the_next_mornings_digest(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    slow(box)
    taken = capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY - timedelta(minutes=1))

    assert (letters(box, "reminder"), digests_of(box)) == ([], [])
    (nudged,) = [event for event in events_of(box, taken) if event.kind == "nudged"]
    assert {name: nudged.data[name] for name in ("action", "to", "over")} == {"action": "remind", "to": "ana", "over": "digest"}
    assert lead_view.sentence(nudged, read_roster(ROSTER)) == "Ana Silva gets it in the morning digest (remind)"

    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box)
    assert newest(box, taken).tier == "normal"
    assert f"{taken.incoming.company} (lead {taken.lead_id}), Assigned" in digest.text
    assert "Still needed: an answer (accept or reject)." in digest.text
    assert letters(box, "reminder") == []


async def test_a_reminder_about_a_hot_lead_is_mailed_at_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await until(driver, time, time.at + timedelta(minutes=16))

    assert newest(box, taken).tier == "hot"
    assert letters(box, "reminder") == ["ana"]
    assert queued(box) == []


async def test_which_tiers_interrupt_is_agreed(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree(box, ("attention: {interrupt: [hot]}", "attention: {interrupt: [normal]}"))
    capture(box)
    await until(driver, time, time.at + timedelta(minutes=16))

    assert letters(box, "reminder") == []
    assert queued(box) == [("ana", TUESDAY)]


async def test_a_managers_warning_waits_for_the_managers_morning(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    slow(box)
    box.settings.prefect_ui_url = "https://prefect.firm.example/"
    capture(box, **BY_POINTS)
    await until(driver, time, datetime(2027, 2, 3, 9, tzinfo=UTC))

    (digest,) = digests_of(box, "maria")
    for words, link in window_links("https://prefect.firm.example", "maria"):
        assert f"{words}: {link}\n" in digest.text
        assert f'href="{link.replace("&", "&amp;")}"' in digest.html
    assert "Ana Silva has not answered yet (accept or reject). Most of the agreed time is over." in digest.text
    assert letters(box, "manager-told") == []
    own = the(re.search(r"http://\S+/m/[^/\s]+", digest.text))[0]
    assert box.links.read_person(own.rpartition("/")[2]).person == "maria"
    (wait,) = [row for row in rows(box, Wait) if row.closed_at is None]
    assert f"  {own}/{wait.id}\n" in digest.text, "where she may answer in the rep's place"
    assert f"Everything open in your teams: {own}\n" in digest.text
    assert f"{digest.link}\nYour code: {box.links.number(digest.link.rpartition('/')[2])}" in digest.text


async def test_a_reps_digest_has_no_page_of_all_that_waits_in_teams(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    slow(box)
    box.settings.prefect_ui_url = "https://prefect.firm.example"
    capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box)
    assert "/m/" not in digest.text + digest.html
    assert "prefect.firm.example" not in digest.text + digest.html


async def test_what_was_settled_by_the_morning_is_left_out_and_an_empty_digest_is_not_sent(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    slow(box)
    taken = capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY - timedelta(hours=1))
    answer_by_link(box, taken, "accepted")
    await until(driver, time, TUESDAY + timedelta(hours=1))

    assert digests_of(box) == []
    assert [row.state for row in rows(box, Delivery) if row.message == "digest" and row.person == "ana"] == ["cancelled"]


async def test_a_missed_deadline_is_told_although_the_lead_has_moved_on(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["clocks"]["acceptance"].update(when_missed=[{"do": "tell-manager"}, {"do": "nurture"}]))
    taken = capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY)

    assert newest(box, taken).stage == "nurturing"
    (digest,) = digests_of(box, "maria")
    assert "Ana Silva has not answered yet (accept or reject). The agreed time is over." in digest.text
    assert "Already settled." in digest.text
    assert digests_of(box, "ana") == []


async def test_a_warning_that_came_with_a_further_time_is_about_what_is_still_open(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    ladder = [{"do": "tell-manager"}, {"after": "3 working days", "do": "nurture"}]
    agree_on(box, lambda tree: tree["clocks"]["acceptance"].update(when_missed=ladder))
    taken = capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box, "maria")
    assert wait_of(box, taken).rung == 2
    assert "Already settled." not in digest.text


async def test_whoever_owes_an_outcome_is_asked_each_working_morning_until_it_is_there(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    check_in(box)
    taken = await until_working(driver, box, **BY_POINTS)
    await until(driver, time, datetime(2027, 2, 4, 12, tzinfo=UTC))

    assert [one.text.count("How is it going?") for one in digests_of(box)] == [1, 1, 1]

    answer_by_link(box, taken, "opportunity")
    await until(driver, time, datetime(2027, 2, 10, tzinfo=UTC))

    assert len(digests_of(box)) == 3
    assert queued(box) == []


@pytest.mark.long
async def test_a_week_with_thirty_leads_gives_each_person_one_digest_a_working_day(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """From the Thursday before Easter on: none on Good Friday, at the weekend, or on Easter Monday."""
    check_in(box)
    time.at = datetime(2027, 3, 25, 8, tzinfo=UTC)
    for _ in range(30):
        await until_working(driver, box, **BY_POINTS)
    await until(driver, time, datetime(2027, 4, 2, 12, tzinfo=UTC))

    days = Counter((one.to.id, one.key.rpartition(":")[2]) for one in kept_by(box, "email").letters if one.message == "digest")
    told = {day for person, day in days if person == "ana"}
    assert set(days.values()) == {1}
    assert len({person for person, _ in days}) >= 3
    assert told == {"2027-03-25", "2027-03-30", "2027-03-31", "2027-04-01", "2027-04-02"}


async def test_a_digest_comes_when_the_persons_own_day_begins(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Each by the calendar that the roster names."""

    def change(tree: dict[str, Any]) -> None:
        tree["clocks"]["outcome"].pop("at")
        tree["clocks"]["outcome"]["check_in"] = "daily-digest"
        tree["calendars"]["tokyo"] = {"timezone": "Asia/Tokyo", "hours": {"mon-fri": "08:30-17:00"}}
        tree["tiers"][1]["prefer"] = "turn"

    agree_on(box, change)
    staff(box, ("name: Ana Silva,", "name: Ana Silva, calendar: tokyo,"))
    await until_working(driver, box, **BY_POINTS)

    assert ("ana", datetime(2027, 2, 2, 8, 30, tzinfo=ZoneInfo("Asia/Tokyo"))) in queued(box)


async def test_who_is_away_gets_none_until_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    check_in(box)
    await until_working(driver, box, **BY_POINTS)
    away = "name: Ana Silva, away: [{from: 2027-02-01T18:00:00Z, until: 2027-02-04T12:00:00Z}],"
    staff(box, ("name: Ana Silva,", away))
    await until(driver, time, FRIDAY - timedelta(minutes=1))

    assert digests_of(box) == []

    await until(driver, time, FRIDAY)

    assert len(digests_of(box)) == 1


async def test_a_clock_that_stood_still_over_the_weekend_sends_one_digest_on_monday(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    check_in(box)
    await until_working(driver, box, **BY_POINTS)
    for late in (datetime(2027, 2, 6, 12, tzinfo=UTC), datetime(2027, 2, 8, 7, tzinfo=UTC)):
        time.at = late
        await driver.settle()
        assert digests_of(box) == []

    await until(driver, time, datetime(2027, 2, 8, 17, tzinfo=UTC))

    assert len(digests_of(box)) == 1


async def test_a_digest_that_is_sent_late_is_the_only_one_of_its_day(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    check_in(box)
    await until_working(driver, box, **BY_POINTS)
    time.at = datetime(2027, 2, 3, 7, tzinfo=UTC)
    await until(driver, time, datetime(2027, 2, 3, 17, tzinfo=UTC))

    assert len(digests_of(box)) == 1


class Dying(KeepingChannel):
    """Ends the process while it sends."""

    async def send(self, letter: Letter) -> str:
        raise asyncio.CancelledError


async def test_a_crash_between_making_and_sending_loses_nothing_and_repeats_nothing(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """Whether that digest arrived is not known; it is not sent again, and the next morning's tells of the same."""
    slow(box)
    capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY - timedelta(minutes=1))
    kept, time.at = box.channels["email"], TUESDAY
    box.channels = {**box.channels, "email": Dying("email")}
    with pytest.raises(asyncio.CancelledError):
        await send_personal_messages(box)
    box.channels["email"] = kept

    later = datetime.now(UTC) + timedelta(minutes=10)
    box.write_now(lambda session, now: deliveries.abandon_personal(session, claimed_before=later, now=now))
    await until(driver, time, TUESDAY + DAY)

    assert [(row.key, row.state) for row in rows(box, Delivery) if row.message == "digest" and row.person == "ana"][:2] == [
        ("digest:ana:2027-02-02", "unknown"),
        ("digest:ana:2027-02-03", "confirmed"),
    ]
    (digest,) = digests_of(box)
    assert "Still needed: an answer (accept or reject)." in digest.text


async def test_a_digest_that_a_channel_refuses_is_tried_again_with_the_same_rows(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    slow(box)
    capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY - timedelta(minutes=1))
    kept_by(box, "email").broken = True
    await until(driver, time, TUESDAY)
    kept_by(box, "email").broken = False
    await until(driver, time, TUESDAY + timedelta(minutes=5))

    (digest,) = digests_of(box)
    assert "Still needed: an answer (accept or reject)." in digest.text
    assert len(rows(box, Digest)) == 1


async def test_two_clocks_at_once_make_one_digest(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    slow(box)
    capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY - timedelta(minutes=1))
    time.at = TUESDAY

    await asyncio.gather(*(send_personal_messages(box) for _ in range(6)))

    assert len(digests_of(box)) == 1
    assert len(rows(box, Digest)) == 1
    assert {one.digest_id for one in rows(box, DigestItem) if one.person == "ana"} == {1}


async def test_the_same_nudge_twice_is_one_row(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    slow(box)
    taken = capture(box, **BY_POINTS)
    await until(driver, time, TUESDAY - timedelta(minutes=1))
    (item,) = rows(box, DigestItem)

    assert (item.person, item.handoff_id, item.kind) == ("ana", newest(box, taken).id, "remind")
    assert item.key == f"{item.wait_id}:remind:{item.at.isoformat()}:digest"
    assert taken.incoming.company not in item.what


async def test_leads_that_wait_for_acceptance_are_told_only_where_something_is_to_be_said(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """A digest that nothing asked for is not made: a rep with nothing but new leads gets none."""
    await until_accepted(driver, box)

    assert [person for person, _ in queued(box)] == ["mina"], "marketing reads what became of the lead"

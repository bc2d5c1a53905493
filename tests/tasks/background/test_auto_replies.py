"""An automatic reply to a message of Baton: the manager is asked once, the absence is proposed, and nothing moves by itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, select

from agreements.errors import AbsenceRefused, LinkInvalid
from notifications.returned import REPLY, Returned
from storage import absences, auto_replies, deliveries
from storage.tables import AutoReply, Delivery, DeliveryState
from tasks.background.absences import hand_over_absences
from tasks.background.bounces import take
from tasks.background.personal_outbox import send_personal_messages
from tasks.replies import absence_page
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, answer_by_duty, letters, staff, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

ANA = "ana@northgate.example, team: emea,"


async def assigned(driver: Driver, box: Toolbox, **lead: object) -> Taken:
    taken = capture(box, **{**BY_POINTS, **lead})
    await driver.settle()
    assert newest(box, taken).rep == "ana"
    return taken


def mail_to(box: Toolbox, taken: Taken, message: str = "assigned") -> int:
    """The number of the newest mail about the lead."""
    about = (Delivery.handoff_id == newest(box, taken).id, Delivery.message == message, Delivery.channel == "email")
    query = select(Delivery.id).where(*about).order_by(col(Delivery.id).desc())
    return box.read_now(lambda session, now: session.exec(query).first()) or 0


def reply_to(box: Toolbox, delivery_id: int, *days: str, mark: str = "") -> str:
    """The mailbox answers by itself; return what became of it."""
    returned = Returned(REPLY, marks=(mark or box.links.bounce_marks.of(delivery_id),), days=tuple(map(date.fromisoformat, days)))
    return box.write_now(lambda session, now: take(session, returned, box.links, now=now))


def page_of(box: Toolbox, person: str = "maria") -> OpenedLink:
    at = box.read_now(lambda session, now: now)
    return OpenedLink(box, box.links.for_person(person, at=at).rpartition("/")[2])


def proposed(box: Toolbox) -> list[AutoReply]:
    return box.read_now(lambda session, now: auto_replies.open_of(session, ["ana", "ben", "maria", "mina"]))


async def test_the_manager_is_asked_about_the_lead_and_one_choice_moves_it(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)

    assert reply_to(box, mail_to(box, taken)) == "away"
    await driver.settle()

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder) == ("decision", "maria")
    assert letters(box, "decision-asked") == ["maria"]
    letter = kept_by(box, "email").letters[-1]
    assert "The mailbox of Ana Silva answered by itself, so Ana Silva may be away." in letter.text
    assert "/m/" in letter.text, "the page on which the absence is recorded"
    answer_by_duty(box, taken, "decided", choice="reassign")
    await driver.settle()
    assert [row.rep for row in tenures(box, taken)] == ["ana", "ben"]


async def test_it_is_no_bounce_and_nothing_is_charged(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)

    reply_to(box, mail_to(box, taken))
    await driver.settle()

    kinds = [event.kind for event in events_of(box, taken)]
    assert "auto-replied" in kinds
    assert not {"bounced", "missed"} & set(kinds)
    state = box.read_now(lambda session, now: session.get(Delivery, mail_to(box, taken)))
    assert state is not None
    assert state.state != DeliveryState.BOUNCED


async def test_the_rep_who_is_there_after_all_can_still_answer(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    reply_to(box, mail_to(box, taken))
    await driver.settle()

    answer_by_link(box, taken, "accepted")
    time.at += timedelta(minutes=6)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep) == ("accepted", "ana")


async def test_the_manager_may_leave_it_with_the_rep(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    reply_to(box, mail_to(box, taken))
    await driver.settle()

    answer_by_duty(box, taken, "decided", choice="give-back")
    await driver.settle()

    assert (newest(box, taken).rep, wait_of(box, taken).kind) == ("ana", "acceptance")


async def test_one_reply_of_a_person_and_day_asks_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    first = await assigned(driver, box)
    staff(box, ("{name: Ben Carter,", "{capacity: 0, name: Ben Carter,"), ("{name: Cleo Martin,", "{capacity: 0, name: Cleo Martin,"))
    second = await assigned(driver, box, email="other@works.example", source_id="other", company="Works")
    mail = mail_to(box, first)

    assert [reply_to(box, mail), reply_to(box, mail), reply_to(box, mail_to(box, second))] == ["away", "reply", "away"]
    await driver.settle()

    assert letters(box, "decision-asked") == ["maria"]
    assert wait_of(box, second).kind == "acceptance"
    assert "auto-replied" in [event.kind for event in events_of(box, second)], "it stands on each lead"
    time.at += timedelta(days=1)
    third = await assigned(driver, box, email="third@mills.example", source_id="third", company="Mills")
    reply_to(box, mail_to(box, third))
    await driver.settle()
    assert len(letters(box, "decision-asked")) == 2, "another day asks again"


def someones_mail(box: Toolbox, message: str, person: str) -> int:
    """A mail that is about no lead, as it was sent."""

    def put(session: Session, now: object) -> int:
        at = box.time.now(session)
        deliveries.queue(session, None, deliveries.Message(message), deliveries.Copy(f"{message}:{person}", "email", person), now=at)  # type: ignore[arg-type]
        row = session.exec(select(Delivery).where(Delivery.key == f"{message}:{person}")).one()
        row.state, row.sent_at = DeliveryState.SENT, at
        session.add(row)
        session.flush()
        return row.id

    return box.write_now(put)


@pytest.mark.parametrize(("person", "asked"), [("ana", "maria"), ("maria", "oscar"), ("mina", "oscar")])
async def test_a_reply_to_a_mail_about_no_lead_proposes_the_absence(box: Toolbox, person: str, asked: str) -> None:
    assert reply_to(box, someones_mail(box, "digest", person), "2027-02-08") == "away"
    await send_personal_messages(box)

    assert letters(box, "absence-told") == [asked]
    letter = kept_by(box, "email").letters[-1]
    assert f"baton roster away {person} --until 2027-02-08" in letter.text
    assert "/m/" in letter.link
    assert letter.subject.endswith("may be away")


@pytest.mark.parametrize(
    ("days", "until"),
    [
        ((), None),
        (("2027-02-08",), date(2027, 2, 8)),
        (("2027-02-03", "2027-02-08"), date(2027, 2, 8)),
        (("2027-01-08",), None),
        (("2027-02-01",), None),
        (("2029-02-08",), None),
        (("2027-02-08", "2029-02-08"), None),
    ],
)
def test_the_day_of_return_is_proposed_only_where_it_is_clear(box: Toolbox, days: tuple[str, ...], until: date | None) -> None:
    reply_to(box, someones_mail(box, "digest", "ana"), *days)

    assert [row.until for row in proposed(box)] == [until]


def test_a_reply_that_names_no_delivery_of_ours_changes_nothing(box: Toolbox) -> None:
    mail = someones_mail(box, "digest", "ana")
    other = box.links.bounce_marks.of(mail + 1)
    forged = f"{mail}-{'a' * 16}"

    assert [reply_to(box, mail, mark=mark) for mark in (other, forged, "nonsense")] == ["reply"] * 3
    assert proposed(box) == []


@pytest.mark.parametrize("person", ["audit@firm.example", "gone"])
def test_a_reply_of_somebody_outside_of_the_roster_changes_nothing(box: Toolbox, person: str) -> None:
    assert reply_to(box, someones_mail(box, "trail-head", person)) == "reply"
    assert proposed(box) == []


def test_a_reply_that_comes_days_later_changes_nothing(box: Toolbox, time: SteppedTime) -> None:
    mail = someones_mail(box, "digest", "ana")
    time.at += timedelta(days=3, seconds=1)

    assert reply_to(box, mail) == "reply"


async def test_whoever_is_known_to_be_away_is_not_asked_about(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["routing"].update(on_leave={"assigned": "keep"}))
    staff(box, (ANA, f"{ANA} away: [{{from: 2027-02-01T09:01:00Z, until: 2027-02-10T00:00:00Z}}],"))
    taken = await assigned(driver, box)
    time.at += timedelta(minutes=2)

    assert reply_to(box, mail_to(box, taken)) == "away"
    await driver.settle()

    assert wait_of(box, taken).kind == "acceptance"
    assert letters(box, "decision-asked") == letters(box, "absence-told") == []
    assert proposed(box) == []


async def test_one_press_records_the_absence_and_moves_everything(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    asked = await assigned(driver, box)
    staff(box, ("{name: Ben Carter,", "{capacity: 0, name: Ben Carter,"), ("{name: Cleo Martin,", "{capacity: 0, name: Cleo Martin,"))
    other = await assigned(driver, box, email="other@works.example", source_id="other", company="Works")
    staff(box)
    reply_to(box, mail_to(box, asked))
    await driver.settle()
    (reply,) = proposed(box)
    time.at += timedelta(minutes=1)

    said = box.write_now(lambda session, now: absence_page.record(session, page_of(box), reply.id, "2027-02-08", now=now))
    await hand_over_absences(box)
    await driver.settle()

    assert said.startswith("Ana Silva is away from Mon 1 Feb 2027")
    assert newest(box, asked).rep in ("ben", "cleo")
    assert newest(box, other).rep in ("ben", "cleo")
    assert proposed(box) == []
    (row,) = box.read_now(lambda session, now: absences.of_person(session, "ana"))
    assert (row.source, row.by, f"{row.ends_at:%m-%d}") == ("reply", "maria", "02-08")
    again = box.write_now(lambda session, now: absence_page.record(session, page_of(box), reply.id, "2027-03-08", now=now))
    assert again == "", "a second press changes nothing"


@pytest.mark.parametrize(("deputy", "rep"), [("deputy: cleo,", "cleo"), ("", "ana")])
@pytest.mark.parametrize("until", [until_accepted, until_working], ids=["accepted", "working"])
async def test_a_lead_in_work_goes_to_the_deputy_or_stays_with_the_manager(
    driver: Driver, box: Toolbox, until: object, deputy: str, rep: str
) -> None:
    staff(box, (ANA, f"{ANA} {deputy}"))
    taken: Taken = await until(driver, box, **BY_POINTS)  # type: ignore[operator]
    reply_to(box, mail_to(box, taken))
    await driver.settle()
    assert wait_of(box, taken).kind == "decision"

    (reply,) = proposed(box)
    box.write_now(lambda session, now: absence_page.record(session, page_of(box), reply.id, "2027-02-08", now=now))
    await driver.settle()

    assert newest(box, taken).rep == rep
    assert wait_of(box, taken).kind == ("decision" if rep == "ana" else "acceptance")


@pytest.mark.parametrize("until", ["", "nonsense", "2027-01-01", "2031-01-01"])
def test_a_wrong_end_is_refused(box: Toolbox, until: str) -> None:
    reply_to(box, someones_mail(box, "digest", "ana"))
    (reply,) = proposed(box)

    with pytest.raises(AbsenceRefused):
        box.write_now(lambda session, now: absence_page.record(session, page_of(box), reply.id, until, now=now))
    assert proposed(box) != []


def test_somebody_who_is_there_needs_no_absence(box: Toolbox) -> None:
    reply_to(box, someones_mail(box, "digest", "ana"))
    (reply,) = proposed(box)

    box.write_now(lambda session, now: absence_page.is_there(session, page_of(box), reply.id, now=now))

    assert proposed(box) == []
    assert box.read_now(lambda session, now: absences.of_person(session, "ana")) == []


@pytest.mark.parametrize("person", ["ana", "marcus", "mina", "ben"])
def test_nobody_else_records_it(box: Toolbox, person: str) -> None:
    reply_to(box, someones_mail(box, "digest", "ana"))
    (reply,) = proposed(box)

    for act in (lambda s, n: absence_page.record(s, page_of(box, person), reply.id, "2027-02-08", now=n),
                lambda s, n: absence_page.is_there(s, page_of(box, person), reply.id, now=n)):  # fmt: skip
        with pytest.raises(LinkInvalid):
            box.write_now(act)
    assert proposed(box) != []

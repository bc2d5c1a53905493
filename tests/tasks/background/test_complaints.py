"""A complaint closes a mailbox: no e-mail goes there, the agreed fallback does, and a settled complaint opens it again."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import Session, select

from agreements.words import ChannelName
from storage import deliveries, mail_findings
from storage.tables import Delivery, DeliveryState, Lead, Suppression
from tasks.background import complaints
from tasks.background.personal_outbox import send_personal_messages
from tasks.wiring.toolbox import Toolbox
from tests.deal import BY_POINTS, letters
from tests.driver import Driver
from tests.present import the
from tests.stage import capture, kept_by
from tests.tasks.background.test_auto_replies import assigned, mail_to


def complain(box: Toolbox, delivery_id: int) -> bool:
    return box.write_now(lambda session, now: complaints.take(session, delivery_id, source="ses", now=now))


def sent_to(box: Toolbox, person: str) -> int:
    return sum(one.to.id == person for one in kept_by(box, "email").letters)


def queue(box: Toolbox, key: str, channel: ChannelName = "email") -> int:
    def work(session: Session, now: datetime) -> int:
        deliveries.queue(
            session,
            None,
            deliveries.Message("complaint-told", context={"subject": "About mail"}),
            deliveries.Copy(key, channel, "ana"),
            now=now,
        )
        return session.exec(select(Delivery.id).where(Delivery.key == key)).one()

    return box.write_now(work)


def delivery(box: Toolbox, ident: int) -> Delivery:
    return the(box.read_now(lambda session, now: session.get(Delivery, ident)))


async def test_a_rep_who_complains_gets_no_more_mail_and_the_next_lead_goes_by_the_fallback(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    before = sent_to(box, "ana")

    assert complain(box, mail_to(box, taken))
    await driver.settle()
    for name in ("sam", "kim", "lou"):  # one of them is Ana's turn
        capture(box, **{**BY_POINTS, "email": f"{name}@{name}.example", "company": name.title(), "source_id": name, "conversion_id": name})
        await driver.settle()

    assert sent_to(box, "ana") == before
    assert letters(box, "complaint-told") == ["oscar"]
    mine = box.read_now(lambda session, now: session.exec(select(Delivery).where(Delivery.person == "ana")).all())
    failed = [row for row in mine if row.state == DeliveryState.FAILED]
    assert failed
    assert {(row.permanent, "baton bounces settle" in row.error) for row in failed} == {(True, True)}


async def test_a_settled_complaint_opens_the_mailbox(driver: Driver, box: Toolbox) -> None:
    complain(box, mail_to(box, await assigned(driver, box)))
    closed = queue(box, "closed")
    await send_personal_messages(box)

    [line] = box.read_now(lambda session, now: mail_findings.open_findings(session))
    assert box.write_now(lambda session, now: mail_findings.settle(session, line.id, by="oscar", now=now))
    opened = queue(box, "opened")
    await send_personal_messages(box)

    assert (delivery(box, closed).state, delivery(box, opened).state) == (DeliveryState.FAILED, DeliveryState.CONFIRMED)
    assert box.read_now(lambda session, now: mail_findings.open_count(session)) == 0


async def test_the_same_complaint_counts_once_and_one_about_nothing_sent_does_not(driver: Driver, box: Toolbox) -> None:
    about = mail_to(box, await assigned(driver, box))
    never_sent, by_chat = queue(box, "queued"), queue(box, "chat", "chat")

    assert [complain(box, one) for one in (about, about, never_sent, by_chat, 9999)] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("address", "listed"), [("lee@harbour.example", True), ("LEE@Harbour.example", True), ("x@harbour.example", False), ("", False)]
)
def test_a_prospect_who_complains_gets_no_more_mail(box: Toolbox, address: str, listed: bool) -> None:
    capture(box, email="lee@harbour.example")

    def report(session: Session, now: datetime) -> bool:
        return complaints.take_from_prospect(session, address, source="postmark", now=now)

    assert [box.write_now(report) for _ in range(2)] == [listed, listed]
    leads = box.read_now(lambda session, now: session.exec(select(Lead)).all())
    entries = box.read_now(lambda session, now: session.exec(select(Suppression)).all())
    assert [lead.not_by for lead in leads] == (["email"] if listed else [""])
    assert [(row.channel, row.source) for row in entries] == ([("email", "complaint")] if listed else [])

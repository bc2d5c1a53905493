"""The mail about a review: one for each signer and review, ever, with the page attached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from app.review.making import make_due
from notifications.channels.mail_message import message_of
from notifications.letter import Letter
from storage import contracts
from storage.tables import Delivery, KeptReview
from tasks.background.personal_outbox import send_personal_messages
from tasks.messages import review_message
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import until_accepted, until_working
from tests.driver import Driver
from tests.stage import kept_by

DUE = datetime(2027, 2, 8, 9, tzinfo=UTC)
SIGNERS = ["cmo@northgate.example", "cro@northgate.example"]


async def sent(box: Toolbox) -> list[Letter]:
    """Make what is due, let the clock send it, and return every mail about a review so far."""
    await make_due(box)
    await send_personal_messages(box)
    return [one for one in kept_by(box, "email").letters if one.message == review_message.MESSAGE]


async def test_each_signer_gets_the_first_sheet_and_the_page_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await until_working(driver, box)
    time.at = DUE

    first, again = await sent(box), await sent(box)

    assert sorted(one.to.email for one in first) == SIGNERS
    assert again == first
    assert first[0].subject == "Weekly review of b2b-saas, 1 Feb 2027 to 7 Feb 2027"
    for part in (first[0].text, first[0].html):
        assert "1 MQL. Sales accepted 1 of 1 (100.0 %)." in part
        assert "Objectives of marketing" in part
        assert "baton review show 1" in part
        assert not [one for one in ("Emil", "Alder", "Nordlicht") if one in part]
    whole = message_of(first[0], SIGNERS[0], sender="baton@firm.example", sender_name="Baton")
    assert attached(whole) == [("review-b2b-saas-weekly-2027-02-01.html", True)]


def attached(message: EmailMessage) -> list[tuple[str | None, bool]]:
    """Return each attachment's name, and whether it is the page of a review."""
    return [(one.get_filename(), "<title>Review of b2b-saas" in one.get_content()) for one in message.iter_attachments()]


async def test_a_failure_between_review_and_mail_leaves_neither(box: Toolbox, time: SteppedTime) -> None:
    time.at = DUE
    with fails_before_the_mails(box), pytest.raises(NoMoreDisk):
        await make_due(box)
    before = (rows(box, KeptReview), rows(box, Delivery))

    mails = await sent(box)

    assert before == (0, 0)
    assert sorted(one.to.email for one in mails) == SIGNERS
    assert rows(box, KeptReview) == 1


class NoMoreDisk(Exception):
    """The database takes no more rows."""


@contextmanager
def fails_before_the_mails(box: Toolbox) -> Iterator[None]:
    """Let the database fail once the review is stored and before the first mail is."""

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO deliveries "):
            raise NoMoreDisk

    engine = box.database.engine
    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


def rows(box: Toolbox, table: type[KeptReview] | type[Delivery]) -> int:
    return len(box.read_now(lambda session, now: session.exec(select(table.id)).all()))


async def test_whoever_signs_for_both_sides_gets_one_mail(box: Toolbox, time: SteppedTime) -> None:
    time.at = DUE
    made = await make_due(box)
    row = box.read_now(lambda session, now: session.get(KeptReview, made[0].number))
    assert row is not None
    agreement = box.read_now(lambda session, now: contracts.agreement_of(session, row.agreement, row.version))
    both = agreement.model_copy(update={"signers": {"marketing": ("eva@firm.example",), "sales": ("Eva@firm.example", SIGNERS[0])}})

    new = box.write_now(lambda session, now: review_message.tell_signers(session, row, both, now=now))

    assert new == 1, "one for Eva, and none for the person who has got the mail"


async def test_a_signer_who_oversees_leads_gets_links_to_the_leads_to_discuss(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await until_accepted(driver, box)
    time.at = DUE
    made = await make_due(box)
    row = box.read_now(lambda session, now: session.get(KeptReview, made[0].number))
    assert row is not None
    agreement = box.read_now(lambda session, now: contracts.agreement_of(session, row.agreement, row.version))
    both = agreement.model_copy(update={"signers": {"marketing": ("Mina@northgate.example",)}})
    box.write_now(lambda session, now: review_message.tell_signers(session, row, both, now=now))
    await send_personal_messages(box)

    letters = {one.to.email.lower(): one for one in kept_by(box, "email").letters if one.message == review_message.MESSAGE}

    told, stranger = letters["mina@northgate.example"], letters[SIGNERS[0]]
    assert told.attachment is not None
    assert stranger.attachment is not None
    assert re.findall(r'<a href="([^"]+)">', told.attachment.html) == [f"{told.link}/1"]
    assert f"Your code: {box.links.number(told.link.split('/')[-2])}" in told.text
    assert (stranger.link, re.findall(r"<a [^>]*>", stranger.attachment.html)) == ("", ['<a data-lead="1">'])

"""Lists of leads and digests: what each further row adds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage import outcomes
from storage.tables import Answer, Delivery, DigestItem
from tasks.messages import digest, digest_message
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.present import the
from tests.storage.budgets.measuring import assert_no_scan, from_5_to_25, list_with
from tests.storage.plans import Work, recorded

#: Each further row of a list. It should be none: own_list and digest_rows look up each row by itself.
ROW_OF_OWN_LIST, ROW_OF_MANAGERS_LIST, ROW_OF_DIGEST = 3, 3, 5


async def test_a_further_row_of_a_persons_own_list_adds_the_same(box: Toolbox) -> None:
    each, work = await list_with(box, "dan", "/me")

    assert_no_scan(box, work)
    assert each <= ROW_OF_OWN_LIST, work.most_often()


async def test_a_further_row_of_a_managers_list_adds_the_same(box: Toolbox, time: SteppedTime) -> None:
    path = box.links.for_person("marcus", at=time.at).removeprefix("http://baton.test")
    each, work = await list_with(box, "faye", path, person="marcus")

    assert_no_scan(box, work)
    assert each <= ROW_OF_MANAGERS_LIST, work.most_often()


async def test_a_further_row_of_a_digest_adds_the_same(box: Toolbox, time: SteppedTime) -> None:
    path = box.links.for_digest("dora", "2027-02-01", at=time.at).removeprefix("http://baton.test")
    each, work = await list_with(box, "dora", path)

    assert_no_scan(box, work)
    assert each <= ROW_OF_DIGEST, work.most_often()


async def test_marketings_digest_asks_the_same_however_much_became_of_leads(box: Toolbox, time: SteppedTime) -> None:
    accepted = select(Answer).where(Answer.kind == "accepted", Answer.handoff_id > 500).order_by(col(Answer.id))

    def keep(session: Session, now: datetime, count: int) -> Delivery:
        session.execute(delete(DigestItem).where(col(DigestItem.person) == outcomes.MARKETING))
        for answer in session.exec(accepted.limit(count)).all():
            outcomes.put_aside(session, answer, "accepted", "Ana Silva accepted it.", key=f"plan:{answer.id}", at=now)
        digest.expect(session, "mina", now=now)
        return the(session.exec(select(Delivery).where(Delivery.person == "mina", Delivery.message == "digest")).first())

    async def measure(count: int) -> Work:
        row = box.write_now(lambda session, now: keep(session, now, count))
        with recorded(box.database) as work:
            box.read_now(lambda session, now: digest_message.compose(session, row, box.links, now=now))
            assert len(box.read_now(lambda session, now: outcomes.untold(session, now=now))) == count
        return work

    each, work = await from_5_to_25(measure)

    assert_no_scan(box, work)
    assert each == 0, work.most_often()

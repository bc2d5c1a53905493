"""No write transaction grows with the number of leads: whatever is done for many is done in slices, and others get in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest
from sqlmodel import Session, col, func, select

from agreements.choosing import Choosing
from agreements.routing import Candidate
from app.csv_import.file import IncomingRow, ReadLeads
from app.csv_import.importing import ROWS_TOGETHER, import_leads
from storage import deliveries, devices, digests, proof, trail, waits
from storage.crm.local import LocalCrm
from storage.crm.port import Change
from storage.database import ROWS_AT_ONCE
from storage.tables import Answer, Delivery, Digest, DigestItem, Event, Handoff, Lead, Seal, Wait, WrongNumber
from tasks.background.migrate_version import carry_out
from tasks.background.personal_outbox import GIVEN_UP_AFTER, send_personal_messages
from tasks.background.read_crm import AT_ONCE, read_crm
from tasks.messages import digest, digest_message
from tasks.messages.digest import MISSED
from tasks.steps import release_queue
from tasks.steps.release_queue import CALLED_AT_ONCE
from tasks.trail.sealing import seal_trail
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import until_accepted
from tests.driver import Driver
from tests.fakes import make_lead
from tests.in_flight import everywhere, listed, published, text_of
from tests.present import the
from tests.rows import a_handoff, woken
from tests.stage import kept_by, local_crm
from tests.written import written

MORNING = datetime(2027, 2, 2, 9, tzinfo=UTC)


def missed(box: Toolbox, count: int, *, person: str = "ana") -> None:
    """So many deadlines that this person is told of in the next morning's digest."""

    def work(session: Session, now: datetime) -> None:
        rows = [Lead(company=f"Company {number}", created_at=now) for number in range(count)]
        session.add_all(rows)
        session.flush()
        handoffs = [Handoff(lead_id=row.id, created_at=now) for row in rows]
        session.add_all(handoffs)
        session.flush()
        for one in handoffs:
            digests.put_aside(session, one, digests.Aside(f"missed:{one.id}", person, MISSED, "Missed."), wait_id="", now=now)
        digest.expect(session, person, now=now)

    box.write_now(work)


def digests_told(box: Toolbox) -> list[str]:
    return [one.text for one in kept_by(box, "email").letters if one.message == "digest"]


async def test_a_digest_of_many_leads_is_told_whole_and_marked_in_slices(box: Toolbox, time: SteppedTime) -> None:
    missed(box, 2 * ROWS_AT_ONCE + 20)
    time.at = MORNING

    with written(box.database) as kept:
        await send_personal_messages(box)

    kept.assert_short()
    [told] = digests_told(box)
    assert (told.count("Missed."), "80 more" in told) == (40, True)
    assert box.read_now(lambda session, now: {one.digest_id for one in session.exec(select(DigestItem))}) == {1}
    assert box.read_now(lambda session, now: digests.untold(session, "ana", now=now)) == []


async def test_many_digests_of_one_morning_are_claimed_one_by_one(box: Toolbox, time: SteppedTime) -> None:
    for person in ("ana", "ben", "cleo", "dan", "faye", "dora", "maria", "mina"):
        missed(box, 12, person=person)
    time.at = MORNING + timedelta(hours=8)

    with written(box.database) as kept:
        await send_personal_messages(box)

    kept.assert_short(at_most=15)
    assert len(digests_told(box)) >= 5


def test_what_is_put_aside_while_a_digest_is_written_is_told_by_it_in_the_next_round(box: Toolbox, time: SteppedTime) -> None:
    """Whoever put it aside has seen that the digest was still to come, and relies on it."""
    missed(box, 1)
    time.at = MORNING
    row = box.read_now(lambda session, now: session.exec(select(Delivery).where(Delivery.message == "digest")).one())
    composed = box.read_now(lambda session, now: digest_message.compose(session, row, box.links, now=now))
    missed(box, 1)

    def claim(session: Session, now: datetime) -> bool:
        return digest_message.may_go(session, the(session.get(Delivery, row.id)), composed, now=now)

    assert not box.write_now(claim)
    assert box.read_now(lambda session, now: session.exec(select(Digest)).all()) == []
    asyncio.run(send_personal_messages(box))
    assert digests_told(box)[0].count("Missed.") == 2


async def test_post_that_died_while_it_was_sent_is_given_up_in_slices(box: Toolbox) -> None:
    before = datetime.now(UTC) - GIVEN_UP_AFTER - timedelta(minutes=1)

    def work(session: Session, now: datetime) -> None:
        for number in range(60):
            deliveries.queue(session, None, deliveries.Message("told"), deliveries.Copy(f"{number}", "email", "ana"), now=now)
        for row in session.exec(select(Delivery)).all():
            deliveries.claim(session, row.id, real=before)

    box.write_now(work)
    with written(box.database) as kept:
        while await send_personal_messages(box):
            pass

    kept.assert_short()
    assert box.read_now(lambda session, now: {row.state for row in session.exec(select(Delivery))}) == {"unknown"}


def test_an_import_changes_few_rows_in_each_transaction(box: Toolbox) -> None:
    """Also where known people come under new ids, move on to another company, and write something."""
    first = [make_lead(message="Please call.", source_id=f"a{number}") for number in range(12)]
    again = [
        make_lead(message="Once more.", source_id=f"b{number}", email=one.email, conversion_id="b") for number, one in enumerate(first)
    ]
    moved = [make_lead(message="Elsewhere.", source_id=f"a{number}", email=f"p{number}@else{number}.example", company=f"Else {number}",
                       conversion_id="c") for number in range(12)]  # fmt: skip
    rows = [IncomingRow(line, one) for line, one in enumerate(first + again + moved)]

    with written(box.database) as kept:
        result = import_leads(box, ReadLeads(rows), hold=False, actor="test")

    # A transaction of newcomers is short by time: it stores nine rows for each of at most so many people.
    kept.assert_short(at_most=9 * ROWS_TOGETHER)
    assert (result.bad, result.merged) == ([], 12)


async def test_the_trail_is_sealed_in_short_batches_until_nothing_is_left(box: Toolbox) -> None:
    def work(session: Session, now: datetime) -> None:
        for _ in range(3 * trail.BATCH):
            trail.record(session, "moved-on", now=now)

    box.write_now(work)
    before = box.read_now(lambda session, now: session.exec(select(func.count()).select_from(Event)).one())
    with written(box.database) as kept:
        assert await seal_trail(box) == before

    kept.assert_short()
    checked = box.read_now(lambda session, now: trail.check(session, key=box.settings.seal_key()))
    assert (checked.whole, checked.sealed, checked.unsealed) == (True, before, 0)
    assert box.read_now(lambda session, now: session.exec(select(func.sum(Seal.events))).one()) == before


def test_messages_that_have_not_come_back_are_settled_in_slices_and_counted_before(box: Toolbox, time: SteppedTime) -> None:
    def work(session: Session, now: datetime) -> None:
        for number in range(ROWS_AT_ONCE + 10):
            channel: Any = f"c{number}"  # one of its own for each, as a message goes out once over a channel
            deliveries.queue(
                session,
                None,
                deliveries.Message("assigned", assignment_id="one"),
                deliveries.Copy(f"{number}", channel, "ana"),
                now=now,
            )
        for row in session.exec(select(Delivery)).all():
            deliveries.claim(session, row.id)
            session.refresh(row)
            deliveries.succeeded(session, row, None, proof="", now=now, may_bounce_for=timedelta(minutes=2))

    box.write_now(work)
    time.at += timedelta(minutes=2)
    with written(box.database) as kept:
        settled = [box.write_now(proof.settle)]
        arrived = box.read_now(lambda session, now: proof.proof_of(session, "one", ("rep", "manager"), now=now).arrived)
        settled += [box.write_now(proof.settle), box.write_now(proof.settle)]

    kept.assert_short()
    assert settled == [ROWS_AT_ONCE, 10, 0]
    assert len(arrived) == ROWS_AT_ONCE + 10, "what was not settled yet counts by its time"


async def test_many_attempts_that_died_are_woken_in_slices(driver: Driver, box: Toolbox) -> None:
    real = datetime.now(UTC) - timedelta(minutes=1)

    def work(session: Session, now: datetime) -> None:
        rows = [Lead(company=f"Company {number}", created_at=now) for number in range(ROWS_AT_ONCE + 10)]
        session.add_all(rows)
        session.flush()
        session.add_all([Handoff(lead_id=row.id, created_at=now, lease_by="it", lease_until=real) for row in rows])

    box.write_now(work)
    with written(box.database) as kept:
        for _ in range(2):
            await driver.clock.repair.dead()

    kept.assert_short()
    assert woken(box) == ROWS_AT_ONCE + 10


def test_old_wrong_numbers_are_forgotten_a_few_at_a_time(box: Toolbox, time: SteppedTime) -> None:
    box.write_now(lambda session, now: session.add_all([WrongNumber(device_hash="d", person="ana", at=now) for _ in range(200)]))
    time.at += timedelta(hours=2)

    with written(box.database) as kept:
        box.write_now(lambda session, now: devices.mistype(session, "d", "ben", now=now, kept=timedelta(hours=1)))

    kept.assert_short()
    left = box.read_now(lambda session, now: session.exec(select(func.count()).select_from(WrongNumber)).one())
    assert left < 200, "fewer are left than before"


def test_a_line_comes_forward_a_few_at_a_time(box: Toolbox, time: SteppedTime) -> None:
    """Each of those that come is assigned in turn, and calls the next ones."""
    seen = Choosing("emea", (Candidate("ana", False, time.at, True, time.at, 0, 300, left=200),), frozenset())

    def stand(session: Session, now: datetime) -> None:
        for _ in range(2 * CALLED_AT_ONCE + 3):
            one = a_handoff(session, now, stage="mql", tier="list", queue="list:emea")
            waits.open_wait(
                session,
                one,
                waits.NewWait("delivery", about=release_queue.ABOUT, holder="marketing", due_at=now + timedelta(days=2)),
                now=now,
            )

    def call(session: Session, now: datetime) -> None:
        release_queue.pull_forward(session, a_handoff(session, now, stage="mql", tier="list"), seen, goes=False, now=now)

    def come_forward(session: Session, now: datetime) -> int:
        return session.exec(select(func.count()).select_from(Wait).where(col(Wait.next_at) <= now)).one()

    box.write_now(stand)
    come = []
    with written(box.database) as kept:
        for _ in range(4):
            box.write_now(call)
            come.append(box.read_now(come_forward))

    kept.assert_short()
    assert come == [CALLED_AT_ONCE, 2 * CALLED_AT_ONCE, 2 * CALLED_AT_ONCE + 3, 2 * CALLED_AT_ONCE + 3]


class Fatal(dict[str, str]):
    """What a process dies of that looks into it."""

    def items(self) -> NoReturn:
        raise KeyboardInterrupt


class Interrupting(LocalCrm):
    """The local CRM, whose reader dies when a few changes were taken."""

    async def changes_since(self, bookmark: str) -> tuple[Sequence[Change], str]:
        changes, reached = await super().changes_since(bookmark)
        return [*changes[:AT_ONCE], replace(changes[AT_ONCE], values=Fatal())], reached


async def worked_on_in_the_crm(driver: Driver, box: Toolbox, time: SteppedTime, count: int) -> list[int]:
    """So many leads with a rep, each of which was tried there behind Baton's back."""
    numbers = [(await until_accepted(driver, box)).lead_id for _ in range(count)]
    for number in numbers:
        local_crm(box).person_changes(number, by="ana", at=time.at, values={"status": "Attempted"})
    return numbers


def tried(box: Toolbox) -> list[int]:
    query = select(Handoff.lead_id).join(Answer, col(Answer.handoff_id) == col(Handoff.id)).where(Answer.kind == "attempted")
    return box.read_now(lambda session, now: list(session.exec(query.order_by(col(Answer.id)))))


@pytest.mark.long
async def test_many_changes_in_the_crm_are_taken_in_slices(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    numbers = await worked_on_in_the_crm(driver, box, time, 2 * AT_ONCE + 1)

    with written(box.database) as kept:
        assert await read_crm(box) == len(numbers)

    kept.assert_short()
    assert len(kept.rows) == 6  # three slices, each stored and then taken
    assert tried(box) == numbers
    assert await read_crm(box) == 0


@pytest.mark.long
async def test_reading_the_crm_goes_on_where_it_was_interrupted_and_takes_each_change_once(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    numbers = await worked_on_in_the_crm(driver, box, time, AT_ONCE + 2)
    whole, box.crm = box.crm, Interrupting(local_crm(box).path)
    with pytest.raises(KeyboardInterrupt):
        await read_crm(box)
    assert tried(box) == numbers[:AT_ONCE]

    box.crm = whole
    local_crm(box).person_changes(numbers[0], by="ana", at=time.at + timedelta(minutes=1), values={"rating": "warm"})

    assert await read_crm(box) == 3
    assert tried(box) == numbers
    await driver.settle()
    events = box.read_now(lambda session, now: session.exec(select(Event.lead_id).where(Event.kind == "crm-changed")).all())
    assert sorted(the(one) for one in events) == sorted([*numbers, numbers[0]])
    assert await read_crm(box) == 0


@pytest.mark.long
async def test_no_step_of_a_leads_life_and_no_withdrawal_changes_many_rows(driver: Driver, box: Toolbox) -> None:
    with written(box.database) as kept:
        await everywhere(driver, box)
        box.write_now(lambda session, now: published(session, text_of(3, "2027-02-01"), now))
        assert carry_out(box, listed(box, "recall")).touched

    kept.assert_short()

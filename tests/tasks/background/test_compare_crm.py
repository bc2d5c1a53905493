"""Baton compared with its CRM: what differs on purpose is found, and what is only under way is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from agreements.crm_comparison import CrmRecord
from agreements.errors import CrmError
from storage.crm.local import LocalCrm
from storage.tables import Delivery, DeliveryState, Lead
from tasks.background.compare_crm import Compared, compare_crm, in_words
from tasks.background.personal_outbox import send_personal_messages
from tasks.messages import crm_message
from tasks.steps import merging
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import letters
from tests.driver import Driver
from tests.kept import Kept
from tests.stage import Taken, answer_by_link, capture, kept_by, local_crm, newest
from tests.storage.plans import recorded

MINUTE = timedelta(minutes=1)


def tampered(box: Toolbox, statement: str, *values: object) -> None:
    """Change the CRM's file behind the back of everybody: no change is read."""
    db = sqlite3.connect(local_crm(box).path)
    db.execute(statement, values)
    db.commit()
    db.close()


def found(done: Compared) -> list[tuple[str, int]]:
    return [(one.kind, one.lead) for one in done.findings]


def somebody(box: Toolbox, name: str, **changes: object) -> Taken:
    more = {"email": f"{name}@{name}.example", "company": name.title(), "source_id": name, "conversion_id": name}
    return capture(box, **{**more, **changes})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept[tuple[list[Taken], dict[str, str]]]:
    return Kept(tmp_path_factory.mktemp("accepted") / "kept")


@pytest.fixture
async def accepted(driver: Driver, box: Toolbox, kept: Kept[tuple[list[Taken], dict[str, str]]]) -> list[Taken]:
    """Two leads that their reps have accepted."""

    async def carry() -> tuple[list[Taken], dict[str, str]]:
        leads = [somebody(box, name) for name in ("one", "two")]
        await driver.settle()
        for taken in leads:
            answer_by_link(box, taken, "accepted")
        await driver.settle()
        return leads, dict(driver.runs.parked)

    leads, parked = await kept.on(box, carry)
    driver.runs.parked.update(parked)
    return leads


@pytest.mark.long
async def test_whatever_became_of_leads_both_sides_say_the_same(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    leads = [somebody(box, name) for name in ("accepted", "working", "sold", "refused", "silent", "later", "crm", "opted")]
    await driver.settle()
    for taken in leads[:3]:
        answer_by_link(box, taken, "accepted")
    answer_by_link(box, leads[3], "rejected", reason="not-now", text="They have no budget this year")
    await driver.settle()
    for taken in leads[1:3]:
        answer_by_link(box, taken, "attempted", channel="phone")
    await driver.settle()
    answer_by_link(box, leads[2], "opportunity")
    local_crm(box).person_changes(leads[6].lead_id, by=newest(box, leads[6]).rep, at=time.at, values={"status": "Working"})
    await driver.settle()
    first = await compare_crm(box)
    for _ in range(30):
        time.at += timedelta(hours=5)
        await driver.settle()

    later = await compare_crm(box)

    assert (first.leads, found(first)) == (8, [])
    assert (later.leads, found(later)) == (8, [])


async def test_an_owner_and_a_value_that_differ_are_found(accepted: list[Taken], box: Toolbox) -> None:
    owner, value = (one.lead_id for one in accepted)
    assert found(await compare_crm(box)) == []
    tampered(box, "UPDATE lead_fields SET value='somebody' WHERE number=? AND field='owner'", owner)
    tampered(box, "UPDATE lead_fields SET value='New' WHERE number=? AND field='status'", value)

    done = await compare_crm(box)

    assert found(done) == [("owner", owner), ("value", value)]
    assert in_words(done) == "2 differences in 2 leads and 0 opportunities."


async def test_a_missing_a_deleted_and_a_converted_record_are_found(
    accepted: list[Taken], driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    first, second = accepted
    tampered(box, "DELETE FROM lead_fields WHERE number=?", first.lead_id)
    local_crm(box).person_converts(second.lead_id, by="ana", at=time.at)
    missing = found(await compare_crm(box))
    local_crm(box).person_deletes(second.lead_id, by="ana", at=time.at)
    await driver.settle()

    assert missing == [("missing", first.lead_id), ("converted", second.lead_id)]
    assert found(await compare_crm(box)) == [("missing", first.lead_id), ("deleted", second.lead_id)]


async def test_what_a_person_has_just_changed_is_read_and_no_finding(
    accepted: list[Taken], driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = accepted[0]
    local_crm(box).person_changes(taken.lead_id, by=newest(box, taken).rep, at=time.at, values={"status": "Attempted"})

    done = await compare_crm(box)

    assert (found(done), done.leads, done.moving) == ([], 1, 1)
    await driver.settle()
    assert newest(box, taken).stage == "working"
    assert found(await compare_crm(box)) == []


async def test_a_write_that_is_still_to_be_tried_again_is_no_finding(accepted: list[Taken], box: Toolbox) -> None:
    taken = accepted[0]
    tampered(box, "UPDATE lead_fields SET value='New' WHERE number=? AND field='status'", taken.lead_id)
    status = select(Delivery.id).where(Delivery.message == "status", Delivery.handoff_id == newest(box, taken).id)
    ident = box.read_now(lambda session, now: session.exec(status).one())
    set_state(box, ident, DeliveryState.QUEUED, "")

    assert found(await compare_crm(box)) == []
    set_state(box, ident, DeliveryState.FAILED, "the picklist lacks the value")
    done = await compare_crm(box)
    assert [(one.kind, one.todo) for one in done.findings] == [("value", "The newest write failed: the picklist lacks the value.")]


def set_state(box: Toolbox, ident: int, state: DeliveryState, error: str) -> None:
    later = datetime.fromisoformat("2027-02-02T09:00:00+00:00")
    changed = update(Delivery).where(col(Delivery.id) == ident).values(state=state.value, error=error, send_at=later)
    box.write_now(lambda session, now: session.execute(changed))


async def test_a_difference_that_ends_between_the_two_looks_is_no_finding(accepted: list[Taken], box: Toolbox) -> None:
    taken = accepted[0]
    tampered(box, "UPDATE lead_fields SET value='New' WHERE number=? AND field='status'", taken.lead_id)

    class Healing(LocalCrm):
        """A CRM whose people correct the value after it was read."""

        async def records(self, lead_numbers: Sequence[int], *, fields: Collection[str]) -> Mapping[int, CrmRecord]:
            answer = await super().records(lead_numbers, fields=fields)
            tampered(box, "UPDATE lead_fields SET value='Working' WHERE field='status'")
            return answer

    assert found(await compare_crm(box)) == [("value", taken.lead_id)]
    box.crm = Healing(local_crm(box).path, read_by_people=True)
    assert found(await compare_crm(box)) == []


async def test_an_opportunity_that_was_won_unseen_or_is_gone_is_found(
    accepted: list[Taken], driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = accepted[0]
    deals = [local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=time.at + one * MINUTE, state="open") for one in (1, 2, 3)]
    time.at += 5 * MINUTE
    await driver.settle()
    assert found(await compare_crm(box)) == []
    tampered(box, "UPDATE opportunities SET state='won' WHERE id=?", deals[0])
    tampered(box, "DELETE FROM opportunities WHERE id=?", deals[1])

    done = await compare_crm(box)

    assert found(done) == [("opportunity", taken.lead_id), ("no-opportunity", taken.lead_id)]
    assert done.opportunities == 3


async def test_numbers_that_baton_does_not_know_or_has_erased_are_found(accepted: list[Taken], box: Toolbox) -> None:
    taken = accepted[0]
    tampered(box, "INSERT INTO lead_fields VALUES (4711, 'owner', 'ana')")
    erase_here(box, taken)

    assert found(await compare_crm(box)) == [("erased", taken.lead_id), ("unknown-number", 4711)]


def erase_here(box: Toolbox, taken: Taken) -> None:
    def work(session: Session, now: datetime) -> None:
        session.execute(update(Lead).where(col(Lead.id) == taken.lead_id).values(erased_at=now))

    box.write_now(work)


async def test_a_lead_that_the_crm_has_twice_is_not_compared_with_what_was_said_of_its_other_record(
    accepted: list[Taken], driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    stays, other = accepted
    box.write_now(lambda session, now: merging.merge(session, other.lead_id, stays.lead_id, by="mina", now=now, reason="one person"))
    await driver.settle()
    local_crm(box).person_changes(other.lead_id, by=newest(box, stays).rep, at=time.at, values={"status": "Looked at"})
    await driver.settle()

    done = await compare_crm(box)

    assert (found(done), done.leads) == ([], 1)


async def test_a_lead_that_ended_long_ago_is_left_out(accepted: list[Taken], driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    for taken in accepted:
        answer_by_link(box, taken, "opportunity")
    await driver.settle()
    time.at += timedelta(days=6)

    assert [(await compare_crm(box, days=days)).leads for days in (30, 5)] == [2, 0]


async def test_a_busy_crm_is_asked_again_and_one_that_stays_away_is_an_error(accepted: list[Taken], box: Toolbox) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    class Busy(LocalCrm):
        """Refuses so many readings of records."""

        left = 2

        async def records(self, lead_numbers: Sequence[int], *, fields: Collection[str]) -> Mapping[int, CrmRecord]:
            self.left -= 1
            if self.left >= 0:
                raise CrmError("too many requests", retry_after_seconds=3)
            return await super().records(lead_numbers, fields=fields)

    box.crm = Busy(local_crm(box).path, read_by_people=True)
    assert found(await compare_crm(box, pause=pause)) == []
    assert pauses == [3, 3]
    box.crm.left = 99
    with pytest.raises(CrmError, match="too many requests"):
        await compare_crm(box, pause=pause)


async def test_the_statements_do_not_grow_with_the_leads(accepted: list[Taken], driver: Driver, box: Toolbox) -> None:
    """Leads are looked at some hundred at a time, with the same few statements for two and for many."""
    counts = []
    for number in range(2):
        with recorded(box.database) as work:
            assert found(await compare_crm(box)) == []
        counts.append(len(work))
        for more in range(6 - 6 * number):
            somebody(box, f"more{more}")
        await driver.settle()

    assert counts[1] <= counts[0], work.most_often()
    assert counts[0] < 60


async def test_the_operator_gets_one_message_for_each_set_of_findings(accepted: list[Taken], box: Toolbox) -> None:
    differ = "UPDATE lead_fields SET value='somebody' WHERE number=? AND field='owner'"
    tampered(box, differ, accepted[0].lead_id)
    told = [await compare_and_tell(box), await compare_and_tell(box)]
    tampered(box, differ, accepted[1].lead_id)
    told += [await compare_and_tell(box), await compare_and_tell(box)]
    await send_personal_messages(box)

    assert told == [True, False, True, False]
    assert letters(box, "crm-told") == ["oscar", "oscar"]
    text = next(one.text for one in kept_by(box, "email").letters if one.message == "crm-told")
    assert "baton verify --crm" in text
    assert "somebody" not in text


async def compare_and_tell(box: Toolbox) -> bool:
    done = await compare_crm(box)
    return await box.write(lambda session, now: crm_message.tell(session, done.findings, now=now))

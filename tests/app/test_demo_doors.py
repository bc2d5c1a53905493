"""What the demo says of its doors: a rep who works in the CRM alone is counted beside those who use links."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app.demo.doors import Doors, InTime, crm_sentences, doors
from storage import roster
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.stage import stage
from tests.deal import agree_on
from tests.driver import Driver
from tests.stage import answer_by_link, capture, local_crm, newest


async def play(driver: Driver, box: Toolbox, time: SteppedTime) -> tuple[Doors, tuple[str, ...], list[str]]:
    """Four leads: accepted by link in time and late, in the CRM alone, and in the CRM and then by link."""
    agree_on(box, lambda tree: tree.update(crm={"accepted": {"status": "Working"}}))
    leads = [capture(box, source_id=f"L{one}", conversion_id=f"c{one}", email=f"lead@company-{one}.example") for one in range(4)]
    await driver.settle()
    reps = [newest(box, taken).rep for taken in leads]
    time.at += timedelta(minutes=5)
    answer_by_link(box, leads[0], "accepted")
    for number in (2, 3):
        local_crm(box).person_changes(leads[number].lead_id, by=reps[number], at=time.at, values={"status": "Working"})
    await driver.settle()
    time.at += timedelta(minutes=2)
    local_crm(box).person_logs(leads[2].lead_id, by=reps[2], at=time.at, channel="call", outcome="connected")
    answer_by_link(box, leads[3], "connected", channel="phone")
    await driver.settle()
    found = box.read_now(lambda session, now: doors(session))
    return found, box.read_now(lambda session, now: tuple(crm_sentences(found, roster.current(session)))), reps


async def test_the_doors_are_counted_from_the_trail(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    found, sentences, reps = await play(driver, box, time)
    name = box.read_now(lambda session, now: roster.current(session)).name_of(reps[2])

    assert found == Doors({"test": 4}, {"crm": InTime(2, 0), "link": InTime(1, 0)}, {reps[2]: InTime(1, 0)})
    assert sentences == (f"{name} answered 1 lead in the CRM alone: 1 of 1 in time (answers by link: 1 of 1).",)
    assert found.as_report()["crm_alone"] == {reps[2]: {"kept": 1, "missed": 0}}


def test_a_late_answer_in_the_crm_counts_as_late(tmp_path: Path) -> None:
    with stage(tmp_path) as company:
        company.later(hours=5)
        company.answer("accepted", by="ana", via="crm")

        found = company.box.read_now(lambda session, now: doors(session))

    assert (found.answers, found.crm_alone) == ({"crm": InTime(0, 1)}, {"ana": InTime(0, 1)})

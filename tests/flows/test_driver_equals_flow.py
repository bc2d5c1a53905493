"""The driver and the flow tell the same story of generated leads: the same answers, the same trail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.words import GivenAnswer, NoWord, WaitKind
from storage import handoffs, waits, wakes
from storage.tables import Assignment, Event, Handoff, Wait
from tasks import intake
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.driver import Driver
from tests.examples import at_night
from tests.fakes import make_lead
from tests.live import Live, live_stack

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.timeout(900)]
#: Enough for every shape and every answer, several times each.
LEADS = at_night(50, before_a_change=25)
#: What differs between two tellings of the same story: instants, and ids that are drawn anew.
DRAWN = ("due", "revisit", "next", "promise", "counts_from", "proof", "wait_id", "assignment_id", "answer_id", "delivery_id")

SHAPES: list[dict[str, Any]] = [
    {},
    {"activity": "quote_requested"},
    {"activity": "webinar_attended"},
    {"activity": "form_submitted", "job_title": "Analyst", "fields": {"industry": "retail"}},
    {"campaign": ""},
    {"email": "someone@mailinator.com"},
    {"country": "US"},
    {"do_not_contact": True},
    {"sales_sourced_by": "ben"},
    {"activity": "webinar_attended", "sales_sourced_by": "cleo"},
]
ANSWERS: dict[WaitKind, list[tuple[GivenAnswer | NoWord, dict[str, str]]]] = {
    "acceptance": [
        ("accepted", {}),
        ("accepted", {}),
        ("accepted", {}),
        ("rejected", {"reason": "not-now"}),
        ("rejected", {"reason": "not-icp"}),
        ("rejected", {"reason": "bad-data"}),
        ("handed", {"colleague": "dora"}),
        ("", {}),
    ],
    "first_attempt": [("attempted", {"channel": "phone"}), ("connected", {}), ("returned", {"reason": "no-budget"}), ("", {})],
    "outcome": [("opportunity", {}), ("returned", {"reason": "no-response"}), ("", {})],
    "decision": [("decided", {"choice": "nurture"}), ("decided", {"choice": "reassign"}), ("", {})],
    "note": [("completed", {"campaign": "spring", "why_qualified": "called us"}), ("", {})],
}

#: What is told of each channel as it comes.
SIDE_BY_SIDE = ("sent", "delivered", "not-delivered")


class Script:
    """What happens to one lead: drawn from its number alone, so that both tellings draw the same."""

    def __init__(self, number: int) -> None:
        self.draw = random.Random(number)
        self.incoming = make_lead(
            **self.draw.choice(SHAPES) | {"source_id": f"g{number}", "company": f"Generated {number}", "last_name": f"Person{number}"}
        )
        if "mailinator" not in self.incoming.email:
            self.incoming = self.incoming.model_copy(update={"email": f"g{number}@generated{number}.example"})

    def next_answer(self, kind: WaitKind) -> tuple[GivenAnswer | NoWord, dict[str, str]]:
        """What is answered to this kind of wait; nothing for silence."""
        return self.draw.choice(ANSWERS[kind])


def play(box: Toolbox, script: Script, *, settle: Callable[[int], None], leap: Callable[[datetime], None]) -> int:
    """Takes the lead in and answers by the script until its handoff has ended; its lead id."""
    toolbox.use(box)
    lead_id = box.write_now(lambda session, now: intake.capture(session, script.incoming, now=now)).lead_id
    settle(lead_id)
    for _ in range(60):
        wait = box.read_now(lambda session, now: _open(session, lead_id))
        if wait is None:
            return lead_id
        kind, fields = script.next_answer(wait.kind) if wait.kind in ANSWERS else ("", {})
        if fields.get("colleague") == wait.holder:
            fields = {"colleague": "dan"}
        if kind:
            leap(box.read_now(lambda session, now: now) + timedelta(minutes=3))
            _answer(box, wait, kind, fields)
        else:
            leap(wait.next_at)
        settle(lead_id)
    raise AssertionError("this lead never ends")


def _open(session: Session, lead_id: int) -> Wait | None:
    handoff = handoffs.latest_of(session, lead_id)
    assert handoff is not None
    return waits.open_of(session, handoff.id) if handoffs.is_open(handoff) else None


def _answer(box: Toolbox, wait: Wait, kind: GivenAnswer | NoWord, fields: dict[str, str]) -> None:
    def work(session: Session, now: datetime) -> None:
        row = session.get(Assignment, wait.assignment_id) if wait.kind not in ("note", "decision") else None
        link = box.links.for_tenure(row.id) if row else box.links.for_duty(wait.id, wait.holder)
        reply = answering.answer(session, OpenedLink(box, link.rpartition("/")[2]), answering.SentForm(kind, fields), now=now)
        assert reply.won

    box.write_now(work)


def story(box: Toolbox, lead_id: int) -> list[tuple[Any, ...]]:
    """The lead's trail without instants; what went out side by side over several channels is put in order."""
    query = select(Event).where(Event.lead_id == lead_id).order_by(col(Event.id))
    lines = box.read_now(lambda session, now: list(session.exec(query)))
    told = [(one.kind, one.stage, one.actor, {k: v for k, v in one.data.items() if k not in DRAWN}) for one in lines]
    runs = [list(run) for _, run in groupby(told, key=lambda line: line[0] in SIDE_BY_SIDE)]
    return [line for run in runs for line in (sorted(run, key=str) if run[0][0] in SIDE_BY_SIDE else run)]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A stack whose database holds nothing yet."""
    with live_stack(tmp_path / "live") as running:
        yield running


def test_driver_and_flow_give_the_same_events_for_generated_leads(live: Live, box: Toolbox, driver: Driver) -> None:
    """Same steps, same order, same decisions, lead by lead."""
    for channel in ("email", "manager-email"):
        box.channels[channel].may_bounce = True  # as the real one

    def settle_driver(lead_id: int) -> None:
        asyncio.run(driver.settle())

    def leap_driver(at: datetime) -> None:
        driver.time.at = max(at, driver.time.at)

    def settle_live(lead_id: int) -> None:
        live.until(lambda: live.box.read_now(lambda session, now: _rests(session, lead_id, now)))

    for number in range(LEADS):
        here = play(box, Script(number), settle=settle_driver, leap=leap_driver)
        there = play(live.box, Script(number), settle=settle_live, leap=live.leap_to)

        assert story(live.box, there) == story(box, here), f"lead {number}"


def _rests(session: Session, lead_id: int, now: datetime) -> bool:
    handoff = handoffs.latest_of(session, lead_id)
    assert handoff is not None
    wait = waits.open_of(session, handoff.id)
    looked_at = wait is None or wait.kind == "revisit" or (bool(wait.parked_key) and wait.next_at > now and wait.answer_id is None)
    moving = wakes.pending(session, handoff.id, now=now)
    released = session.exec(select(Handoff.lease_until).where(Handoff.id == handoff.id)).one() is None
    return bool(looked_at and not moving and released and (handoff.ended_at or wait))

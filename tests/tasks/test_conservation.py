"""Whatever people do or leave undone, no lead is lost: leads in = the sum over stages, and every open one is owed by somebody."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, col, select

from agreements.lifecycle import ENDS, OPEN_STAGES
from app.verifying import leads as leads_check
from storage import figures, handoffs, trail, waits
from storage.crm.port import Account
from storage.tables import Answer, Assignment, Delivery, Event, Handoff, Wait, Wake
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused, Option
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.deal import BY_POINTS, NOT_YET
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, capture, kept_by, local_crm

DAYS = 60
#: How leads differ; what is not here asks for a demo and qualifies by itself.
KINDS: list[dict[str, Any]] = [
    {},
    {},
    BY_POINTS,
    BY_POINTS,
    NOT_YET,
    {"campaign": ""},
    {"country": "US"},
    {"email": "nobody@mailinator.com"},
    {"do_not_contact": True},
    {"company": "Customer Inc"},
    {"requested_time": datetime.fromisoformat("2027-02-03T15:00:00+00:00")},
]
REASONS = ["not-now", "not-icp", "no-budget", "wrong-rep", "bad-data", "duplicate", "do-not-contact", "other", "other"]

#: What people choose more often than the rest, so that leads come far enough for everything to happen.
GO_ON = {"accepted": 4, "attempted": 3, "connected": 3}


class People:
    """Everybody who may answer: some time after a message they open the link and choose at random, or do nothing."""

    def __init__(self, driver: Driver, box: Toolbox, dice: random.Random) -> None:
        self.driver, self.box, self.dice = driver, box, dice
        self.did: Counter[str] = Counter()

    def attend_to(self, taken: Taken, visits: int) -> None:
        """Whoever is asked about this lead comes that often, each time after a while."""
        if visits:
            after = self.dice.choice([2, 7, 25, 25, 90, 400, 2000, 8000])
            self.driver.plan(self.driver.time.at + timedelta(minutes=after), lambda: self._come(taken, visits))

    def _come(self, taken: Taken, visits: int) -> None:
        token = self.box.read_now(lambda session, now: self._token(session, taken))
        if token and self.dice.random() > 0.1:
            self.box.write_now(lambda session, now: self._choose(session, token, now))
        self.attend_to(taken, visits - 1)

    def _token(self, session: Session, taken: Taken) -> str:
        handoff = the(handoffs.latest_of(session, taken.lead_id))
        wait = waits.open_of(session, handoff.id)
        tenure = handoffs.open_assignment(session, handoff)
        if wait and wait.kind in ("note", "decision") and self.dice.random() < 0.7:
            return self.box.links.for_duty(wait.id, wait.holder).rpartition("/")[2]
        return self.box.links.for_tenure(tenure.id).rpartition("/")[2] if tenure else ""

    def _choose(self, session: Session, token: str, now: datetime) -> None:
        visit = answering.visit(session, OpenedLink(self.box, token), now=now)
        given = [one for one in visit.answers if one.undo_until and one.mine]
        if given and self.dice.random() < 0.5:
            self.did["undone"] += answering.undo(session, OpenedLink(self.box, token), given[-1].answer_id, now=now, device="").taken_back
        elif visit.options:
            weights = [GO_ON.get(one.kind, 1) for one in visit.options]
            [option] = self.dice.choices(visit.options, weights)
            try:
                self.did[option.kind] += answering.answer(
                    session, OpenedLink(self.box, token), answering.SentForm(option.kind, self._fields(option)), now=now
                ).won
            except ChoiceRefused:
                self.did["refused"] += 1

    def _fields(self, option: Option) -> dict[str, str]:
        return {
            "reason": self.dice.choice(REASONS),
            "colleague": self.dice.choice(["ana", "ben", "cleo", "dan", "nobody"]),
            "choice": self.dice.choice(["reassign", "give-back", "nurture", "disqualify"]),
            "text": self.dice.choice(["", "They said so.", "They said more."]),
            "campaign": "spring",
            "next_step": "Call.",
        }


def rows(box: Toolbox, table: type[SQLModel], *, by: str = "id") -> list[Any]:
    return box.read_now(lambda session, now: list(session.exec(select(table).order_by(col(getattr(table, by))))))


async def sixty_days(driver: Driver, box: Toolbox, leads: int, seed: int) -> People:
    """Leads come in during the first days, people do what they do, some leads come back by themselves."""
    start, dice = driver.time.at, random.Random(seed)
    box.settings.undo_minutes = 10
    local_crm(box).add_accounts([Account("A1", "Customer Inc", status="customer", owner="ana")])
    kept_by(box, "chat").refuses.add("cleo")
    people, taken = People(driver, box, dice), []

    def take_in(kind: dict[str, Any]) -> None:
        taken.append(capture(box, **kind))
        people.attend_to(taken[-1], dice.choice([0, 2, 4, 8, 12]))

    for number in range(leads):
        driver.plan(start + timedelta(hours=dice.choice([0, 3, 9, 26, 51, 75])), partial(take_in, KINDS[number % len(KINDS)]))
    for _ in range(leads // 10):
        driver.plan(start + timedelta(days=dice.randint(8, 40)), lambda: come_back(box, dice.choice(taken)))
    for hours in (*range(1, 10 * 24, 17), *range(12 * 24, DAYS * 24, 250)):
        driver.plan(start + timedelta(hours=hours), lambda: nothing_is_found(box))
    await driver.run(until=start + timedelta(days=DAYS))
    assert len(taken) == leads
    return people


def come_back(box: Toolbox, taken: Taken) -> None:
    """A lead asks again, by itself."""
    capture(box, source_id=taken.source_id, email=taken.incoming.email, conversion_id="again", activity="quote_requested")


@pytest.mark.parametrize(("leads", "seed"), [(4, 1), pytest.param(150, 2, marks=[pytest.mark.long])], ids=["a few", "many"])
async def test_no_lead_is_lost_whatever_people_do_or_leave_undone(driver: Driver, box: Toolbox, leads: int, seed: int) -> None:
    people = await sixty_days(driver, box, leads, seed)

    every_lead_is_somewhere_and_somebodys(box, leads)
    each_wait_was_opened_once_and_closed_or_is_open(box)
    nothing_is_left_to_say_or_to_do(box)
    nothing_is_found(box)
    if leads >= 100:
        chosen = ("accepted", "rejected", "handed", "attempted", "connected", "opportunity", "returned", "completed", "undone", "decided")
        assert [name for name in chosen if not people.did[name]] == []


def nothing_is_found(box: Toolbox) -> None:
    """At any moment, `baton verify` has nothing to say of the leads or of the trail."""
    assert leads_check.check(box, told=lambda what, done: None).findings == []
    with box.database.read() as session:
        now = box.time.now(session)
    with box.database.read() as session:
        chain = trail.check(session, key=box.settings.seal_key(), now=now)
    assert chain.findings == ()
    assert chain.whole


def every_lead_is_somewhere_and_somebodys(box: Toolbox, leads: int) -> None:
    found, unowned = box.read_now(lambda session, now: (figures.figures(session, now=now), figures.unowned(session, now=now)))
    assert (found.leads, found.unaccounted, unowned) == (leads, 0, [])
    assert sum(found.stages.values()) == leads
    tenures = Counter(one.handoff_id for one in rows(box, Assignment) if one.ended_at is None)
    for one in rows(box, Handoff):
        assert one.owner
        assert one.lease_until is None
        assert one.stage in (ENDS if one.ended_at else OPEN_STAGES)
        assert tenures[one.id] <= (one.ended_at is None)


def each_wait_was_opened_once_and_closed_or_is_open(box: Toolbox) -> None:
    now = box.read_now(lambda session, now: now)
    all_waits, stages = rows(box, Wait, by="opened_at"), {one.id: one.stage for one in rows(box, Handoff)}
    open_kinds = {one.handoff_id: one.kind for one in all_waits if one.closed_at is None}
    for handoff_id, stage in stages.items():
        kind = open_kinds.get(handoff_id)
        assert kind in (None, "revisit") if stage in ENDS else kind not in (None, "revisit")
    for one in all_waits:
        assert bool(one.closed_because) == (one.closed_at is not None)
        assert one.opened_at <= one.closed_at if one.closed_at else one.due_at > now
    assert sum(one.kind == "wait-opened" for one in rows(box, Event)) == len(all_waits)
    counted = Counter(one.wait_id for one in rows(box, Answer) if one.state == "counted")
    assert set(counted.values()) == {1}


def nothing_is_left_to_say_or_to_do(box: Toolbox) -> None:
    now = box.read_now(lambda session, now: now)
    deliveries = rows(box, Delivery)
    assert [one.key for one in rows(box, Wake) if one.not_before <= now] == []
    assert {str(one.state) for one in deliveries} <= {"confirmed", "failed", "cancelled"}
    told = [letter.key for name in ("email", "chat", "manager-email") for letter in kept_by(box, name).letters]
    assert len(told) == len(set(told)), "a message was sent twice under one key"
    assert {one.key for one in deliveries if one.state == "confirmed" and one.channel != "crm"} == set(told)

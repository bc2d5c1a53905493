"""The life of that company: leads come in, people answer when they are at work, rosters change. Each assignment is written down."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from storage.tables import Assignment, Handoff, Wait
from tasks.background.absences import hand_over_absences
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import Driver
from tests.stage import capture
from tests.year.company import ZONES, Company

#: What an inquiry does and where it comes from, by tier.
HOT: Mapping[str, object] = {"activity": "demo_requested"}
NORMAL: Mapping[str, object] = {"activity": "form_submitted"}
LIST: Mapping[str, object] = {"activity": "trade_show_visit", "entry_channel": "trade_show"}
#: What the person who is asked does, and how often.
ACCEPTS, REJECTS, IGNORES = 80, 12, 8
REASONS = ("not-icp", "no-budget", "not-now", "duplicate")


@dataclass(frozen=True, slots=True)
class Given:
    """One assignment, with what was true at the end of its instant. room: by rep, how many more leads they could take then.

    tried: the reps who had the lead before in this handoff. list_waits: whether leads of a list were waiting for their day.
    came_in: when the handoff began. proven: whether the rep had been told by then.
    """

    row: Assignment
    at: datetime
    room: Mapping[str, int]
    tried: frozenset[str]
    list_waits: bool
    came_in: datetime
    proven: bool


@dataclass(frozen=True, slots=True)
class Left:
    """A lead for which a rep still owed something at the end of the instant at which the rep's absence began."""

    lead_id: int
    rep: str
    at: datetime


@dataclass(slots=True)
class Life:
    """What happened."""

    given: list[Given] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    leads: int = 0
    did: Counter[str] = field(default_factory=Counter)


class Watched(Driver):
    """A driver that writes down each assignment of an instant, and lets the absences of that instant begin."""

    def __init__(self, box: Toolbox, time: SteppedTime, house: Company, dice: random.Random) -> None:
        super().__init__(box, time)
        self.house, self.dice, self.life = house, dice, Life()
        self.boundaries = house.begins()
        self.seen: set[str] = set()

    async def settle(self) -> None:
        """Carry out what is due now, then look at what was given out, and at what people left behind whose absence begins."""
        passed = [at for at in self.boundaries if at <= self.time.at]
        del self.boundaries[: len(passed)]
        while passed and await hand_over_absences(self.box):
            pass
        await super().settle()
        if passed:
            self.life.left += self.box.read_now(self._left)
        self.box.read_now(self._look)

    def next_at(self, *, revisits: bool) -> datetime | None:
        """Also stop where an absence begins or ends."""
        at = super().next_at(revisits=revisits)
        return min([one for one in (at, *self.boundaries[:1]) if one is not None], default=None)

    def _left(self, session: Session, now: datetime) -> list[Left]:
        found = []
        for one in self.house.reps:
            begun = next((leave.begins for leave in one.absences if leave.begins <= now < leave.ends), None)
            if begun is not None and one.is_employed(now):
                query = select(Handoff.lead_id).join(Wait, col(Wait.handoff_id) == col(Handoff.id))
                owed = query.where(Wait.holder == one.id, col(Wait.closed_at).is_(None), col(Wait.opened_at) < begun)
                found += [Left(lead, one.id, now) for lead in session.exec(owed)]
        return found

    def _look(self, session: Session, now: datetime) -> None:
        query = select(Assignment).where(Assignment.assigned_at >= now).order_by(col(Assignment.assigned_at), col(Assignment.handoff_id))
        fresh = [row for row in session.exec(query) if row.id not in self.seen]
        if not fresh:
            return
        room = self._room(session)
        waiting = session.exec(select(Handoff.id).where(Handoff.queue != "", col(Handoff.ended_at).is_(None)).limit(1)).first() is not None
        for row in fresh:
            self.seen.add(row.id)
            handoff = session.get(Handoff, row.handoff_id)
            assert handoff is not None
            tried = session.exec(select(Assignment.rep).where(Assignment.handoff_id == row.handoff_id, Assignment.id != row.id))
            session.expunge(row)
            told = row.proven_at is not None
            self.life.given.append(Given(row, row.assigned_at, room, frozenset(tried), waiting, handoff.created_at, told))
            self._answer_later(row)

    def _room(self, session: Session) -> dict[str, int]:
        """How many more leads outside lists each rep may have: recounted from the stages of the leads."""
        stages = [Stage.ASSIGNED.value, Stage.ACCEPTED.value]
        query = select(Handoff.rep, func.count()).where(col(Handoff.stage).in_(stages), Handoff.tier != "list").group_by(col(Handoff.rep))
        has = dict(session.exec(query).all())
        return {one.id: (self.house.per_rep if one.capacity is None else one.capacity) - has.get(one.id, 0) for one in self.house.reps}

    def _answer_later(self, row: Assignment) -> None:
        [choice] = self.dice.choices(["accepted", "rejected", ""], [ACCEPTS, REJECTS, IGNORES])
        if choice:
            self._come(row, choice, self.time.at + timedelta(minutes=self.dice.choice([1, 3, 10, 25])))

    def _come(self, row: Assignment, choice: str, at: datetime) -> None:
        """The rep does this at that instant, or when they are at work next."""
        rep = self.house.by_id.get(row.rep)
        at = rep.next_at_work(at) if rep else at
        if rep is None or rep.is_employed(at):
            self.plan(at, partial(self._do, row, choice))

    def _do(self, row: Assignment, choice: str) -> None:
        token = OpenedLink(self.box, self.box.links.for_tenure(row.id).rpartition("/")[2])
        form = {"reason": self.dice.choice(REASONS)} if choice in ("rejected", "returned") else {}

        def work(session: Session, now: datetime) -> bool:
            options = {one.kind for one in answering.visit(session, token, now=now).options}
            return choice in options and answering.answer(session, token, answering.SentForm(choice, form), now=now).won

        if not self.box.write_now(work):
            return
        self.life.did[choice] += 1
        later = {"accepted": ["connected", "attempted"], "attempted": ["opportunity", "returned"], "connected": ["opportunity", "returned"]}
        if choice in later:
            self._come(row, self.dice.choice(later[choice]), self.time.at + timedelta(minutes=self.dice.choice([5, 40, 300, 1500])))


def plan_leads(driver: Watched, *, per_day: int, lists: int, list_size: int) -> None:
    """Plan the inquiries: some each day at any hour, a fifth of them hot, and lists that are imported at once."""
    house, dice = driver.house, driver.dice
    days = (house.end - house.start).days
    planned: list[tuple[datetime, Mapping[str, object]]] = []
    for day in range(days * 9 // 10):
        moments = [house.start + timedelta(days=day, minutes=dice.randrange(24 * 60)) for _ in range(per_day)]
        planned += [(at, HOT if dice.random() < 0.2 else NORMAL) for at in moments]
    for number in range(lists):
        planned += [(house.start + timedelta(days=(number + 1) * days // (lists + 3), hours=2), LIST)] * list_size
    driver.agenda += [(at, partial(_take_in, driver, kind)) for at, kind in planned]
    driver.agenda.sort(key=lambda pair: pair[0])


def _take_in(driver: Watched, kind: Mapping[str, object]) -> None:
    capture(driver.box, country=driver.dice.choice(ZONES).leads_from, **kind)
    driver.life.leads += 1

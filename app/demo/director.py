"""The director: plays everybody outside Baton, and makes time leap to the next due instant whenever nothing is running."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.demo.inbox.inbox import Inbox
from app.demo.inbox.message import Received
from app.demo.people import Action, Person
from app.demo.scanner import Scanner
from app.stack import Stack
from storage import time_offset
from storage.crm.local import LocalCrm
from storage.tables import Bookmark, Delivery, DeliveryState, Dispute, Enrolment, Event, Handoff, Wait, Wake
from tasks.wiring.toolbox import Toolbox

LOOK_SECONDS = 0.06
STALL_NOTED_AFTER_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of the demo: busy while something is due or running; next_at: when something is due next (None: never)."""

    now: datetime
    busy: bool
    next_at: datetime | None
    marker: tuple[int, ...]


@dataclass
class Director:
    """Plays the agenda against the stack until nothing is left to do."""

    box: Toolbox
    stack: Stack
    inbox: Inbox
    crm: LocalCrm
    people: dict[str, Person] = field(default_factory=dict)
    scanner: Scanner | None = None
    longest_stall_seconds: float = 0.0
    restarted: list[str] = field(default_factory=list)
    _agenda: list[tuple[datetime, int, str, Action]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)
    _read: int = 0
    _noted: float = 0.0

    def plan(self, at: datetime, what: str, action: Action) -> None:
        """Put an action on the agenda, at an aware instant of Baton's time."""
        heapq.heappush(self._agenda, (at, next(self._count), what, action))

    def now(self) -> datetime:
        """Return the present in Baton's time."""
        return self.box.read_now(lambda session, now: now)

    async def run(self, *, look: Callable[[], None], at_rest: Callable[[], bool] = lambda: False) -> None:
        """Run until nothing is left to do, or at_rest says so. look is called repeatedly to show the state."""
        moved_at, marker = time.monotonic(), None
        while True:
            await self._deal_with_mail()
            acted = await self._act()
            situation = await asyncio.to_thread(self.situation)
            look()
            if acted or not situation.busy or situation.marker != marker:
                moved_at, marker = time.monotonic(), situation.marker
            still = time.monotonic() - moved_at
            self.longest_stall_seconds = max(self.longest_stall_seconds, still)
            if still > STALL_NOTED_AFTER_SECONDS:
                await asyncio.to_thread(self._note_stall, still)
            self.restarted += self.stack.watch()
            if situation.busy or self.inbox.last_number > self._read:
                await asyncio.sleep(LOOK_SECONDS)
            elif at_rest() or situation.next_at is None:
                return
            else:
                target = situation.next_at
                await self.box.write(lambda session, now, target=target: time_offset.leap_to(session, target))  # type: ignore[misc]
                await asyncio.sleep(time_offset.KNOWN_FOR_SECONDS)

    async def _act(self) -> bool:
        acted = False
        while self._agenda and self._agenda[0][0] <= self.now():
            _, _, _, action = heapq.heappop(self._agenda)
            await action()
            acted = True
        return acted

    async def _deal_with_mail(self) -> None:
        for received in self.inbox.messages(after=self._read):
            self._read = received.number
            if self.scanner:
                await asyncio.to_thread(self.scanner.scan, received)
            for person in self._recipients(received):
                await person.receive(received)

    def _recipients(self, received: Received) -> list[Person]:
        wanted = {address.casefold() for address in received.recipients}
        return [one for one in self.people.values() if one.office.roster.people[one.ident].email.casefold() in wanted]

    def _note_stall(self, seconds: float) -> None:
        """Log once a stall what was due, for the person who investigates it."""
        if self._noted and seconds > self._noted:
            self._noted = seconds
            return
        self._noted = seconds

        def look(session: Session, now: datetime) -> str:
            wakes = [
                f"{wake.kind} {wake.key} of {wake.handoff_id}, delivered {wake.delivered_at}"
                for wake in session.exec(select(Wake).limit(20))
            ]
            due = select(Wait).where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), col(Wait.next_at) <= now)
            waits = [
                f"{wait.kind} of {wait.handoff_id}, next {wait.next_at}, key {wait.parked_key}" for wait in session.exec(due.limit(20))
            ]
            leased = [f"{one.id} by {one.lease_by}" for one in session.exec(select(Handoff).where(col(Handoff.lease_until).is_not(None)))]
            return f"{datetime.now(UTC)} still for {seconds:.0f} s at {now}\n  wakes {wakes}\n  waits {waits}\n  leases {leased}\n"

        with (self.stack.folder / "logs" / "stalls.log").open("a", encoding="utf-8") as log:
            log.write(self.box.read_now(look))

    def situation(self) -> Situation:
        """Look in the database whether anything is due or running, and when the next thing is due."""
        return self.box.read_now(self._situation)

    def _situation(self, session: Session, now: datetime) -> Situation:
        waits = select(func.min(Wait.next_at)).where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
        due = [
            session.exec(select(func.min(Wake.not_before))).one(),
            session.exec(waits.where(Wait.kind != "revisit")).one(),
            session.exec(select(func.min(Delivery.send_at)).where(Delivery.state == DeliveryState.QUEUED)).one(),
            session.exec(select(func.min(Dispute.due_at)).where(Dispute.ruling == "")).one(),
            session.exec(select(func.min(Enrolment.next_at))).one(),
        ]
        revisits = session.exec(waits.where(Wait.kind == "revisit")).one()
        leased = session.exec(select(func.count()).select_from(Handoff).where(col(Handoff.lease_until) > datetime.now(UTC))).one()
        known = [_aware(at) for at in due if at is not None]
        busy = bool(leased) or any(at <= now for at in known) or bool(revisits and _aware(revisits) <= now) or self._crm_unread(session)
        later = [at for at in known if at > now] + [one[0] for one in self._agenda[:1]]
        if later and revisits and _aware(revisits) < min(later):
            later.append(_aware(revisits))
        return Situation(now, busy, min(later, default=None), self._marker(session))

    def _crm_unread(self, session: Session) -> bool:
        read = session.get(Bookmark, "crm")
        return self.crm.newest_change() > int(read.value if read and read.value else 0)

    @staticmethod
    def _marker(session: Session) -> tuple[int, ...]:
        event, wake = session.exec(select(func.max(Event.id))).one() or 0, session.exec(select(func.max(Wake.id))).one() or 0
        epochs = session.exec(select(func.sum(Handoff.epoch))).one() or 0
        wakes = session.exec(select(func.count()).select_from(Wake)).one()
        return int(event), int(wake), int(epochs), int(wakes)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)

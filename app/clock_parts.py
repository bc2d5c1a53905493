"""The parts of the clock: everything that is due by time, and how often the clock does it."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from agreements.errors import CrmError
from app.deadlines import Deadlines
from app.hand_over import HandOver
from app.intake_doors.fetch_queue import fetch_leads
from app.repair import Repair
from app.review.week_counting import count_weeks
from storage import contracts, disputes, due_check, proof
from storage.trail import HeadMissing
from tasks.background import alarms, read_crm
from tasks.background.absences import hand_over_absences
from tasks.background.enrolments import enrol_leads
from tasks.background.feeds import poll_feeds
from tasks.background.held_leads import release_held
from tasks.background.personal_outbox import GIVEN_UP_AFTER, send_personal_messages
from tasks.background.stalled import note_stalled
from tasks.disputes.rulings import settle_in_silence
from tasks.trail.heads import HeadsUnreadable
from tasks.trail.mail import queue_head
from tasks.trail.sealing import seal_trail
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.clock")
#: How often the clock does a part, in real seconds. All others are due when the look of a tick finds something for them.
RESUMED_SECONDS = 2.0
SEAL_SECONDS = 5.0
STRANDED_SECONDS = 10.0
FEED_SECONDS = 20.0
RECONCILE_SECONDS = 30.0
RELEASE_CHECK_SECONDS = 30.0
ABSENCE_SECONDS = 60.0
ALARM_SECONDS = alarms.EVERY.total_seconds()
WEEK_SECONDS = 60.0
HEAD_SECONDS = 300.0
#: How often the clock looks at all held leads, also where the agreements in force are the same.
RELEASE_SECONDS = 600.0

#: Parts that have certainly asked Prefect when they return at least this number.
ASKS_PREFECT = {"answers in Prefect": 0, "wakes": 1}
#: The parts that move leads, in the order in which a tick does them, before all others.
MOVES = (
    "changes in the CRM", "a reading of the CRM", "changes that wait",
    "deadlines", "nudges", "revisits", "proofs", "repair", "wakes", "disputes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the clock. work: returns how many things moved.

    every_seconds: how often it is done, in real seconds; None where it is done when the look of a tick finds something for it.
    at_once: whether it is done for the first time at the start, or only after every_seconds.
    """

    work: Callable[[], Awaitable[int]]
    every_seconds: float | None = None
    at_once: bool = True


def look(session: Session, now: datetime) -> frozenset[str]:
    """Return the names of the parts without a time of their own that have something to do."""
    return due_check.look(session, now=now, real=datetime.now(UTC), personal_given_up=GIVEN_UP_AFTER)


class ClockParts:
    """The parts of one clock. hand_over: None where this process carries the runs out itself."""

    def __init__(self, box: Toolbox, deadlines: Deadlines, repair: Repair, hand_over: HandOver | None) -> None:
        self.box, self.deadlines, self.repair, self.hand_over = box, deadlines, repair, hand_over
        self._counting: tuple[str, ...] = ()
        self._release_again = 0.0
        self._refused = ""

    def by_name(self) -> dict[str, Part]:
        """Return the parts by their names in the log, the most urgent first."""
        box = self.box
        parts = {
            "deadlines": Part(self.deadlines.missed),
            "nudges": Part(self.deadlines.nudges),
            "revisits": Part(self.deadlines.revisits),
            "messages": Part(lambda: send_personal_messages(box)),
            "answers in Prefect": Part(self.repair.collect, RESUMED_SECONDS),
            "repair": Part(self.repair.dead),
            "stranded leads": Part(self.repair.stranded, STRANDED_SECONDS),
            "reconciliation": Part(self.repair.reconcile, RECONCILE_SECONDS),
            "changes in the CRM": Part(lambda: self._read_crm(read_crm.read_crm), box.settings.crm_poll_seconds),
            "a reading of the CRM": Part(lambda: self._read_crm(read_crm.read_if_asked)),
            "changes that wait": Part(lambda: read_crm.take_waiting(box)),
            "disputes": Part(self._settle_disputes),
            "proofs": Part(self._settle_proofs),
            "absences": Part(lambda: hand_over_absences(box), ABSENCE_SECONDS),
            "stalled opportunities": Part(lambda: note_stalled(box)),
            "leads to fetch": Part(lambda: fetch_leads(box)),
            "calendar feeds": Part(lambda: poll_feeds(box), FEED_SECONDS),
            "nurture tracks": Part(lambda: enrol_leads(box)),
            "held leads": Part(self._release, RELEASE_CHECK_SECONDS),
            "the trail": Part(self._seal, SEAL_SECONDS),
            "the head of the trail by mail": Part(self._mail_head, HEAD_SECONDS),
            "alarms": Part(self._look_for_alarms, ALARM_SECONDS, at_once=False),
            "the figures of the week": Part(lambda: count_weeks(box), WEEK_SECONDS, at_once=False),
        }
        return parts | ({"wakes": Part(self.hand_over.deliver, 0.0)} if self.hand_over else {})

    async def _read_crm(self, read: Callable[[Toolbox], Awaitable[int]]) -> int:
        try:
            return await read(self.box)
        except CrmError as error:
            log.warning("the CRM could not be read; deadlines and answers go on: %s", error)
            return 0

    async def _settle_disputes(self) -> int:
        """Let the rejection stand where nobody ruled on a dispute in time. An error in one dispute stops no other."""
        settled = 0
        for ident in await self.box.read(lambda session, now: disputes.overdue(session, now=now)):
            try:
                settled += await self.box.write(lambda session, now, one=ident: settle_in_silence(session, one, now=now))  # type: ignore[misc]
            except Exception:
                log.exception("dispute %s could not be settled; the others go on", ident)
        return settled

    async def _settle_proofs(self) -> int:
        return 0 if not await self.box.read(proof.can_settle) else await self.box.write(proof.settle)

    async def _release(self) -> int:
        """Start leads that came in while no agreement was in force for them, once one is. Looks at all of them when another version
        comes into force, and from time to time."""
        rows = await self.box.read(lambda session, now: contracts.counting(session, now))
        counting, real = tuple(map(contracts.reference_of, rows)), time.monotonic()
        if counting == self._counting and real < self._release_again:
            return 0
        self._counting, self._release_again = counting, real + RELEASE_SECONDS
        return await release_held(self.box, only_without_agreement=True)

    async def _seal(self) -> int:
        try:
            sealed = await seal_trail(self.box)
        except (HeadMissing, HeadsUnreadable) as refused:
            if str(refused) != self._refused:
                log.error("the trail is not sealed: %s", refused)
            self._refused = str(refused)
            return 0
        self._refused = ""
        return sealed

    async def _look_for_alarms(self) -> int:
        return await alarms.look(self.box, real=datetime.now(UTC), every=timedelta(seconds=ALARM_SECONDS))

    async def _mail_head(self) -> int:
        to = self.box.settings.trail_mail_to
        return int(bool(to) and await self.box.write(lambda session, now: queue_head(session, to=to, now=now)))

"""Carry a lead on: steps run inside a transaction, the CRM and the channels are called between two transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session

from agreements.lifecycle import next_step
from agreements.words import StepName
from flows.resting import Rest, rest_of
from flows.steps import STEPS
from flows.story import Story, story_of
from flows.window import Shown, ShownStep
from storage import deliveries, leases, trail, wakes
from storage.crm.port import Account
from storage.held import Held
from storage.tables import Handoff
from tasks.messages import outbox
from tasks.messages.outbox import Outcome, Ready
from tasks.wiring.toolbox import Toolbox
from tasks.work import AskCrm, Doing, Tell, Work

#: How long the outcomes of quick channels wait for each other, in seconds, before they are stored without the slow ones.
GATHER_SECONDS = 0.1


@dataclass(slots=True)
class _Step:
    """A step that waits for the CRM or for messages to go out, and continues afterwards."""

    name: StepName
    doing: Doing
    began: datetime


class Going:
    """Carries one attempt on and keeps transactions apart from calls to the CRM and the channels. Not for two threads at once."""

    def __init__(self, box: Toolbox, handoff_id: int, epoch: int, run_id: str) -> None:
        self.box, self.handoff_id, self.epoch, self.run_id = box, handoff_id, epoch, run_id
        self.rest: Rest | None = None
        self.story = Story()
        self._is_first = False
        self._work: Work | None = None
        self._step: _Step | None = None
        self._need: AskCrm | Tell | None = None
        self._known: dict[AskCrm, Account | None] = {}
        self._ready: list[Ready] = []
        self._more = True
        self._outcomes: list[Outcome] = []
        self._steps: list[ShownStep] = []

    def shown(self) -> Shown:
        """Return the steps and notes that are new since the last call."""
        notes, self._steps, steps = (self._work.notes if self._work else []), [], self._steps
        if self._work:
            self._work.notes = []
        return Shown(tuple(steps), tuple(notes))

    # -- within a transaction

    def take_steps(self) -> None:
        """Store the outcomes of messages, then take steps until one needs the CRM or a channel, or the lead rests. One transaction."""
        steps: list[ShownStep] = []
        try:
            with self.box.database.write() as session:
                self._go_on(session, steps)
        except BaseException:
            self._steps += [step for step in steps if step.error]  # the others were rolled back
            raise
        self._steps += steps
        self._write_letters()

    def _go_on(self, session: Session, steps: list[ShownStep]) -> None:
        now = self.box.time.now(session)
        handoff, kept = leases.hold(session, self.handoff_id, self.epoch, now=now)
        if self.run_id and not handoff.flow_run_id:
            handoff.flow_run_id, self._is_first = self.run_id, True
        work = self._enter(session, handoff, now)
        self._store_outcomes(work)
        while not self._must_leave(work):
            name = self._step.name if self._step else next_step(work.position)
            if name is None:
                self.rest = self._settle(work, kept)
                break
            self._take(work, name, steps)
            self.box.fault(f"step {name}")
        _write_events(session, kept)
        if self.rest and self.run_id:
            told, ended = handoff.told_event, not self.rest.waits
            self.story = story_of(session, handoff, told=told, anew=self._is_first, ended=ended, tags=self.rest.tags)

    def _enter(self, session: Session, handoff: Handoff, now: datetime) -> Work:
        if self._work is None:
            self._work = Work(session, handoff, now)
        self._work.session, self._work.handoff, self._work.now = session, handoff, now
        return self._work

    def _must_leave(self, work: Work) -> bool:
        """Whether the current step has to call the CRM or a channel now, outside the transaction."""
        if isinstance(self._need, Tell):
            self._ready = outbox.claim_due(work, self.box.links) if self._more else []
            self._more = bool(self._ready) and deliveries.speech_is_due(work.session, self.handoff_id, now=work.now)
            work.in_flight |= {one.id for one in self._ready}
            if not self._ready:
                self._need, self._more = None, True  # every message that was due has been handed over
            return bool(self._ready)
        return self._need is not None and self._need not in self._known

    def _take(self, work: Work, name: StepName, steps: list[ShownStep]) -> None:
        """Take one step as far as it gets without the CRM or a channel, and note how it ended."""
        step = self._step or _Step(name, _doing(work, name), datetime.now(UTC))
        self._step, answer = None, None
        try:
            if isinstance(self._need, AskCrm):
                answer, self._need = self._known.pop(self._need), None
            while (need := step.doing.send(answer)) in self._known:
                answer = self._known.pop(need)
            self._need, self._step = need, step
        except StopIteration:
            steps.append(ShownStep(name, step.began, datetime.now(UTC)))
        except Exception as error:
            steps.append(ShownStep(name, step.began, datetime.now(UTC), error=type(error).__name__))
            raise

    def _settle(self, work: Work, kept: Held) -> Rest | None:
        """Drop the wakes that were read and prepare the park. The attempt keeps its lease until the run is parked.

        Return None when a new wake has arrived meanwhile: another transaction handles it.
        """
        known = {wake.id for wake in kept.wakes}
        if any(wake.id not in known for wake in wakes.fresh(work.session, self.handoff_id, now=work.now)):
            return None
        wakes.drop(work.session, [wake.id for wake in kept.pending])
        work.handoff.failures, work.handoff.retry_at = 0, None
        return rest_of(work.session, work.handoff, work.now)

    def _store_outcomes(self, work: Work) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            outbox.write_outcomes(work.session, work.handoff, outcomes, self.box.channels, now=work.now)

    # -- outside

    async def ask(self, need: AskCrm) -> None:
        """Ask the CRM and keep the answer for the step that needs it. May raise CrmError."""
        self._known[need] = await self.box.crm.account(company=need.company, domain=need.domain)

    async def ask_and_tell(self) -> None:
        """Get what the current step needs: an answer from the CRM, or the outcomes of messages."""
        if isinstance(self._need, AskCrm):
            await self.ask(self._need)
        elif self._ready:
            ready, self._ready = self._ready, []
            await self._tell(ready)

    async def _tell(self, ready: Iterable[Ready]) -> None:
        """Hand all messages over in parallel. Outcomes of quick channels are stored while slow ones are still sending."""
        self.box.fault("before telling")
        under_way = {asyncio.create_task(outbox.hand_over(one, self.box)) for one in ready}
        while under_way:
            done, under_way = await asyncio.wait(under_way, timeout=GATHER_SECONDS)
            self._outcomes += [task.result() for task in done]
            if under_way and self._outcomes:
                await asyncio.to_thread(self._store_meanwhile)
        self.box.fault("told")

    def _store_meanwhile(self) -> None:
        with self.box.database.write() as session:
            now = self.box.time.now(session)
            handoff, kept = leases.hold(session, self.handoff_id, self.epoch, now=now)
            self._store_outcomes(self._enter(session, handoff, now))
            _write_events(session, kept)

    def _write_letters(self) -> None:
        written = [outbox.write_letter(one, self.box) for one in self._ready]
        self._ready = [one for one in written if isinstance(one, Ready)]
        self._outcomes += [one for one in written if isinstance(one, Outcome)]


def _write_events(session: Session, kept: Held) -> None:
    """Write the attempt's events into the trail, in one statement at the end of the transaction."""
    session.flush()
    trail.write(session, kept.events)
    kept.events = []


def _doing(work: Work, name: StepName) -> Doing:
    """Return the step as a generator, so that it can continue later. A step that needs nothing from outside yields nothing."""
    doing = STEPS[name](work)
    if doing is not None:
        yield from doing

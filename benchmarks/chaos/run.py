"""A chaos run from start to end: leads come in, people answer, the killer strikes. Then the killer stops and the checks run."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from app import stack
from app.demo.people import Office
from benchmarks.chaos import checks, prefect_side
from benchmarks.chaos.director import PatientDirector, StandsStill
from benchmarks.chaos.ground import MONDAY, Ground, ground
from benchmarks.chaos.killer import Killer
from benchmarks.chaos.lateness import Late, late_deadlines, noticed_deadlines
from benchmarks.chaos.leads import Senders, lead
from benchmarks.chaos.people import people_of
from benchmarks.chaos.plan import blows
from benchmarks.chaos.terminal_view import Screen
from storage import figures, roster

BATCH, BATCH_EVERY = 8, timedelta(minutes=30)
#: The run ends with a finding when every part is up and something is due, but nothing moves for this long.
STILL_SECONDS = 240.0
#: How long the runs at Prefect may take to park after Baton's own tables are at rest.
PARK_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line.

    seed: of the plan, the leads and the people.
    leads: how many come in.
    minutes: how long the killer strikes at most. The leads carry on undisturbed after that.
    sqlite: whether both databases are SQLite.
    gap_seconds: the shortest and the longest time between two blows.
    """

    seed: int
    leads: int = 1000
    minutes: float = 60.0
    sqlite: bool = False
    gap_seconds: tuple[float, float] = (2.0, 8.0)


@dataclass
class Outcome:
    """What a run found. findings: check -> sentences. late: deadlines that Baton noticed late. figures: what happened."""

    findings: dict[str, list[str]] = field(default_factory=dict)
    late: list[Late] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Return whether no check found anything."""
        return not any(self.findings.values())


def run_chaos(options: Options, folder: Path, screen: Screen) -> Outcome:
    """Run chaos in this folder, which keeps the logs."""
    screen.say("Starting PostgreSQL, Prefect server, workers and web pages …" if not options.sqlite else "Starting …")
    with ground(folder, sqlite=options.sqlite) as all_of_it, all_of_it.stack.in_reach():
        run = Run(options, all_of_it, screen)
        asyncio.run(run.play())
        return run.outcome


class Run:
    """One run on its ground."""

    def __init__(self, options: Options, ground: Ground, screen: Screen) -> None:
        self.options, self.ground, self.screen = options, ground, screen
        self.outcome = Outcome()
        self.seen: Counter[str] = Counter()
        box, dice = ground.box, random.Random(options.seed)
        self.senders = Senders(ground.web_urls, ground.key, random.Random(dice.random()))
        self.director = PatientDirector(box, ground.stack, ground.inbox, ground.crm)
        people = box.read_now(lambda session, now: roster.current(session))
        office = Office(ground.inbox, people, ground.agreement.calendar(), self.director.plan, self.director.now, ground.crm)
        self.director.people = dict(people_of(office, dice=random.Random(dice.random()), seen=self.seen))
        self._expect(random.Random(dice.random()))
        plan = blows(options.seed, list(ground.stack.parts), gap_seconds=options.gap_seconds, with_postgresql=ground.cluster is not None)
        plan = itertools.takewhile(lambda blow: blow.at < options.minutes * 60, plan)
        self.killer = Killer(plan, ground.stack, box, gates=ground.gates, crm=ground.crm, cluster=ground.cluster)
        self._moved = time.monotonic()
        self._marker: tuple[int, ...] | None = None

    def _expect(self, dice: random.Random) -> None:
        calendar = self.ground.agreement.calendar()
        many = [lead(number, dice) for number in range(1, self.options.leads + 1)]
        for start in range(0, len(many), BATCH):
            at = calendar.add(MONDAY, BATCH_EVERY * (start // BATCH))
            batch = many[start : start + BATCH]
            self.director.plan(at, "inquiries", partial(self.senders.send, batch))

    async def play(self) -> None:
        """Run with the killer, then without it, then run the checks."""
        began = time.monotonic()
        try:
            self.killer.start()
            try:
                await self.director.run_on(look=self._look, at_rest=lambda: not self.killer.is_at_work)
            finally:
                await asyncio.to_thread(self.killer.end)
            broken_for = time.monotonic() - began
            self._bring_up()
            await self.director.run_on(look=self._look, at_rest=lambda: True)
            self.outcome.findings["parked where they wait, in the middle"] = await self._parked()
            await self.director.run_on(look=self._look)
        except StandsStill as still:
            self.outcome.findings["moves on by itself"] = [str(still)]
            broken_for = time.monotonic() - began
        finally:
            for person in self.director.people.values():
                person.visitor.close()
        await self._check()
        self.outcome.figures |= {"seconds": round(time.monotonic() - began), "seconds_of_chaos": round(broken_for)}

    def _bring_up(self) -> None:
        self.ground.stack.watch()
        for name in self.ground.stack.parts:
            self.ground.stack.wait_until_ready(name)
        self.screen.say("Everything is up again; the leads go their way to the end.")

    def _look(self) -> None:
        self.screen.look(self)
        marker = self.director.last.marker if self.director.last else None
        if marker != self._marker or self.killer.is_at_work or not self.director.last or not self.director.last.busy:
            self._moved, self._marker = time.monotonic(), marker
        if time.monotonic() - self._moved > STILL_SECONDS:
            raise StandsStill(f"everything is up, something is due, and nothing has moved for {STILL_SECONDS:.0f} s")

    async def _parked(self) -> list[str]:
        """Find the open leads that are not parked at Prefect. Ask for a while, because a run parks after Baton's tables are at rest."""
        until = time.monotonic() + PARK_SECONDS
        while True:
            found = await prefect_side.not_parked(self.ground.box.read_now(lambda session, now: checks.parked_keys(session)))
            if not found or time.monotonic() > until:
                return found
            await asyncio.sleep(1)

    async def _check(self) -> None:
        box, found = self.ground.box, self.outcome.findings
        found["every lead is there once"] = box.read_now(lambda session, now: checks.captured_once(session, self.senders.taken))
        found["every open lead has owner and due time"] = box.read_now(lambda session, now: checks.owned(session))
        found["open leads are parked at Prefect"] = await self._parked()
        found["nothing is left lying"] = box.read_now(checks.at_rest)
        found["missed with a reason in the trail"] = box.read_now(lambda session, now: checks.missed_with_reason(session))
        posts = [post.key for post in self.ground.room.posts]
        found["nothing twice under one key"] = checks.nothing_twice(self.ground.inbox.repeated_keys(), posts)
        self.outcome.late = box.read_now(lambda session, now: late_deadlines(session, self.killer.outages))
        found["late only with a reason"] = [one.told() for one in self.outcome.late if not one.reasons]
        found["baton verify"] = self._verify()
        await self._count()

    def _verify(self) -> list[str]:
        command = stack.baton("verify")
        done = subprocess.run(command, env=self.ground.stack.environment, capture_output=True, text=True, check=False, timeout=300)
        self.outcome.figures["verify"] = done.stdout.strip()
        return [] if done.returncode == 0 else [f"exit code {done.returncode}: {done.stdout}{done.stderr}"]

    async def _count(self) -> None:
        box = self.ground.box
        funnel = box.read_now(lambda session, now: figures.figures(session, now=now))
        runs = box.read_now(lambda session, now: checks.recorded_runs(session))
        self.outcome.figures |= {
            "leads": len(self.senders.taken),
            "stages": funnel.stages,
            "handoffs": funnel.handoffs,
            "accepted": funnel.accepted,
            "deadlines_passed": len(box.read_now(lambda session, now: noticed_deadlines(session))),
            "deadlines_noticed_late": len(self.outcome.late),
            "deliveries": box.read_now(lambda session, now: checks.delivery_states(session)),
            "runs_at_prefect": await prefect_side.states_of(runs),
            "mails": len(self.ground.inbox.messages()),
            "chat_posts": len(self.ground.room.posts),
            "webhooks_answered": dict(self.senders.results),
            "webhooks_sent_again": self.senders.repeats,
            "people": dict(self.seen),
            "blows": self.killer.dealt,
            "broken": self.killer.outages.counts(),
            "answers_lost": {name: gate.lost for name, gate in self.ground.gates.items()},
            "restarts": {name: part.restarts for name, part in self.ground.stack.parts.items()},
        }

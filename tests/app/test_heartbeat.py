"""A worker says that it lives, since when its clock ticks, and whether it reaches Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from app.clock import Clock
from app.heartbeat import beating
from app.prefect_runs import EngineAway
from storage import worker_beats
from storage.tables import WorkerBeat
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import DrivenRuns


class AwayRuns(DrivenRuns):
    """An engine whose server does not answer."""

    async def resumed(self) -> Sequence[str]:
        raise EngineAway("no answer")


async def beat_once(box: Toolbox, clock: Clock) -> WorkerBeat:
    ended = asyncio.Event()
    beats = asyncio.create_task(beating(box, clock, ended))
    while not (found := await box.read(lambda session, now: worker_beats.known(session))):
        await asyncio.sleep(0)
    ended.set()
    await beats
    [row] = found
    return row


async def test_a_worker_that_lives_has_one_row_that_stays_when_it_ends(box: Toolbox) -> None:
    clock = Clock(box, DrivenRuns())

    first = await beat_once(box, clock)

    assert first.by
    assert first.ticked_at <= first.beat_at
    assert first.prefect_away_since is None
    assert (await beat_once(box, clock)).by == first.by


async def test_a_worker_that_cannot_reach_prefect_says_so(box: Toolbox) -> None:
    clock = Clock(box, AwayRuns())
    await clock.tick()

    row = await beat_once(box, clock)

    assert row.prefect_away_since is not None
    assert row.prefect_away_since <= row.beat_at
    assert worker_beats.prefect_is_away([row], real=row.ticked_at, alive_for=timedelta(minutes=2))


def test_workers_of_long_ago_are_forgotten_except_the_newest(box: Toolbox, time: SteppedTime) -> None:
    def beat(session: Session, now: datetime) -> None:
        for days in (3, 2):
            at = now - timedelta(days=days)
            worker_beats.beat(session, f"{days} days ago", real=at, ticked_at=at, prefect_away_since=None)
        worker_beats.forget(session, real=now)

    box.write_now(beat)

    assert [row.by for row in box.read_now(lambda session, now: worker_beats.known(session))] == ["2 days ago"]

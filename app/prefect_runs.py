"""What the clock needs of Prefect: creating, resuming and looking at runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Scheduled

from flows import forms

log = logging.getLogger("baton.engine")
WOKEN = "Woken"
#: What a run is called that a person has resumed, or had tried again.
BY_HAND = ["Resuming", "AwaitingRetry"]
#: How many runs Prefect tells of in one answer.
AT_MOST = 200
#: A run in one of these states does not rest: it was resumed, or an attempt carries it out.
MOVING = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)
TERMINAL = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


class EngineAway(Exception):
    """The engine does not answer just now; what was asked is to be tried again."""


class Came(StrEnum):
    """What became of a wake."""

    MOVED = "moved"
    BUSY = "busy"
    GONE = "gone"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    """A run to be moved, which no attempt carries out just now.

    run_id: empty before it exists; waiting_seconds: for how long (real time) a wake has asked that it moves.
    """

    handoff_id: int
    run_no: int
    run_id: str
    deployment_id: str
    name: str
    waiting_seconds: float
    tags: tuple[str, ...] = ()


class Engine(Protocol):
    """Moves runs. Every call may raise EngineAway."""

    async def create(self, run: Run) -> str:
        """Creates the run, once however often it is asked; its id."""
        ...

    async def wake(self, run: Run, wake_id: int) -> Came:
        """Resumes a parked run. Busy: it is on its way; gone: it has ended or is not there; cancelled: by a person."""
        ...

    async def not_parked(self, parked: Mapping[str, str]) -> set[str]:
        """Of these runs, each by id with its pause key, those that do not rest under it now."""
        ...

    async def collect(self, handoff_id: int, run_id: str) -> bool:
        """Reads an answer given in the engine's own window, if there is one."""
        ...

    async def resumed(self) -> Sequence[str]:
        """The ids of runs that were resumed and that no attempt has begun with."""
        ...

    async def ended(self, run_ids: Sequence[str]) -> dict[str, bool]:
        """Of these runs those that have ended, or are not there any more: id -> whether a person cancelled it."""
        ...


class PrefectEngine:
    """The engine on a Prefect server, over one shared client.

    on_sqlite: the server keeps its runs in SQLite, where its resume call fails beside other writers (it reads before it
    takes the write lock). A parked run is then set to Scheduled instead, which takes the lock first. That call has no
    precondition, so the run is looked at before; should somebody resume it in between, the handoff's lease keeps two
    attempts apart.
    """

    def __init__(self, client: PrefectClient, *, on_sqlite: bool = False) -> None:
        self.client = client
        self.on_sqlite = on_sqlite

    async def create(self, run: Run) -> str:
        try:
            made = await self.client.create_flow_run_from_deployment(
                UUID(run.deployment_id),
                parameters={"handoff": str(run.handoff_id)},
                name=run.name,
                idempotency_key=f"handoff:{run.handoff_id}:{run.run_no}",
                tags=list(run.tags),
            )
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error
        return str(made.id)

    async def wake(self, run: Run, wake_id: int) -> Came:
        try:
            moved = await (self._schedule(run) if self.on_sqlite else self._resume(run, wake_id))
            return Came.MOVED if moved else await self._look(run)
        except ObjectNotFound:
            return Came.GONE
        except PrefectHTTPStatusError as error:
            if error.response.status_code == 404:
                return Came.GONE
            if error.response.status_code == 409:  # somebody else resumed it in the same instant
                return Came.BUSY
            raise EngineAway(str(error)) from error
        except httpx.HTTPError as error:
            raise EngineAway(str(error)) from error

    async def _resume(self, run: Run, wake_id: int) -> bool:
        result = await self.client.resume_flow_run(UUID(run.run_id), run_input={"wake": str(wake_id)})
        return result.status == SetStateStatus.ACCEPT

    async def _schedule(self, run: Run) -> bool:
        found = await self.client.read_flow_run(UUID(run.run_id))
        if not (found.state and found.state.is_paused()):
            return False
        result: OrchestrationResult[Any] = await self.client.set_flow_run_state(found.id, Scheduled(name=WOKEN), force=False)
        return result.status == SetStateStatus.ACCEPT

    async def _look(self, run: Run) -> Came:
        found = await self.client.read_flow_run(UUID(run.run_id))
        state = found.state
        if state is None or state.type in TERMINAL:
            return Came.CANCELLED if state and state.type == StateType.CANCELLED else Came.GONE
        stranded = state.type in (StateType.PENDING, StateType.RUNNING) and run.waiting_seconds > 30
        if stranded and (datetime.now(UTC) - state.timestamp).total_seconds() > 30:
            log.warning("run of handoff %s was left %s: rescheduled", run.handoff_id, state.type.value)
            await self.client.set_flow_run_state(found.id, Scheduled(name="Recovering"), force=False)
            return Came.MOVED
        return Came.BUSY

    async def not_parked(self, parked: Mapping[str, str]) -> set[str]:
        """One call where few runs move: whoever moves is not parked. Where many do, each of these runs is read."""
        moving = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(MOVING))))
        found = await self._runs(moving)
        if len(found) < AT_MOST:
            return {str(run.id) for run in found} & set(parked)
        these = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(one) for one in parked]))
        rest = {str(run.id) for run in await self._runs(these) if not _moves(run)}
        return set(parked) - rest

    async def collect(self, handoff_id: int, run_id: str) -> bool:
        try:
            return await forms.collect(handoff_id, run_id, client=self.client)
        except ObjectNotFound:
            return False
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error

    async def resumed(self) -> Sequence[str]:
        wanted = FlowRunFilter(state=FlowRunFilterState(name=FlowRunFilterStateName(any_=BY_HAND)))
        return [str(run.id) for run in await self._runs(wanted)]

    async def ended(self, run_ids: Sequence[str]) -> dict[str, bool]:
        these = FlowRunFilterId(any_=[UUID(one) for one in run_ids])
        wanted = FlowRunFilter(id=these, state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(TERMINAL))))
        found = {str(run.id): bool(run.state and run.state.type == StateType.CANCELLED) for run in await self._runs(wanted)}
        if await self._count(FlowRunFilter(id=these)) < len(run_ids):  # somebody has deleted one: seldom, so all are read only then
            there = {str(run.id) for run in await self._runs(FlowRunFilter(id=these))}
            found |= dict.fromkeys(set(run_ids) - there, False)
        return found

    async def _count(self, wanted: FlowRunFilter) -> int:
        try:
            return await self.client.count_flow_runs(flow_run_filter=wanted)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error

    async def _runs(self, wanted: FlowRunFilter) -> list[FlowRun]:
        try:
            return await self.client.read_flow_runs(flow_run_filter=wanted, limit=AT_MOST)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error


def _moves(run: FlowRun) -> bool:
    return run.state is not None and run.state.type in MOVING

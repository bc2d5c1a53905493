"""What the clock needs of Prefect: creating, resuming and looking at runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, cast
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
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
#: The names of states in which a person has resumed a run or asked for another try.
BY_HAND = ["Resuming", "AwaitingRetry"]
#: How many runs Prefect returns in one answer.
AT_MOST = 200
#: A run in one of these states does not rest: somebody resumed it, or an attempt carries it out.
MOVING = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)
TERMINAL = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


class EngineAway(Exception):
    """The engine does not answer just now. Ask again later."""


class Came(StrEnum):
    """The result of a wake."""

    MOVED = "moved"
    BUSY = "busy"
    GONE = "gone"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    """A run to move, which no attempt carries out just now.

    run_id: empty before it exists; waiting_seconds: how long (real time) a wake has asked for the move.
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
        """Create the run and return its id. Repeated calls create one run."""
        ...

    async def wake(self, run: Run) -> Came:
        """Resume a parked run. Busy: it is on its way; gone: it has ended or does not exist; cancelled: by a person."""
        ...

    async def not_parked(self, parked: Mapping[str, str]) -> set[str]:
        """Return those of these runs (id -> pause key) that no longer rest under their key."""
        ...

    async def collect(self, handoff_id: int, run_id: str) -> bool:
        """Read an answer given in the engine's own window, if there is one; return whether there was."""
        ...

    async def resumed(self) -> Sequence[str]:
        """Return the ids of runs that somebody resumed and that no attempt has begun."""
        ...

    async def ended(self, run_ids: Sequence[str]) -> dict[str, bool]:
        """Return those of these runs that have ended or no longer exist: id -> whether a person cancelled it."""
        ...


class PrefectEngine:
    """The engine on a Prefect server, over one shared client.

    Sets a parked run to Scheduled. Prefect's resume call is for people: it demands an answer to the form, and on SQLite it fails
    beside other writers. The server looks for Paused runs and then sets their state. If somebody resumes the run in between,
    the handoff's lease keeps two attempts apart.
    """

    def __init__(self, client: PrefectClient) -> None:
        self.client = client

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

    async def wake(self, run: Run) -> Came:
        try:
            return Came.MOVED if await self._schedule(run) else await self._look(run)
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

    async def _schedule(self, run: Run) -> bool:
        body = {
            "flow_runs": {"id": {"any_": [run.run_id]}, "state": {"type": {"any_": ["PAUSED"]}}},
            "state": {"type": "SCHEDULED", "name": WOKEN},
        }
        answer = await self.client.request("POST", cast(Any, "/flow_runs/bulk_set_state"), json=body)
        return any(one["status"] == SetStateStatus.ACCEPT.value for one in answer.json()["results"])

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
        """Ask for the moving runs in one call where few move, as a moving run is not parked. Where many move, read each of these runs."""
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
        if await self._count(FlowRunFilter(id=these)) < len(run_ids):  # somebody has deleted one: rare, so only then read all
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

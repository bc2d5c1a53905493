"""Moves runs in Prefect: creates a new run in Running and sets a parked one to Running, with as few calls as possible."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.client.schemas.objects import FlowRun, FlowRunPolicy, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelled, Running
from prefect.utilities.engine import propose_state

from app.attempt_client import AttemptClient
from app.prefect_runs import TERMINAL, Came, EngineAway
from flows import forms
from tasks.work import AskCrm

log = logging.getLogger("baton.runs")
#: How many runs Prefect moves in one call.
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Claimed:
    """A handoff whose lease this process holds. run_id: empty before its run exists; asks: what its first step needs to know."""

    handoff_id: int
    epoch: int
    run_no: int
    run_id: str
    deployment_id: str
    name: str
    tags: tuple[str, ...]
    asks: AskCrm | None = None


class RunMover:
    """Moves runs. Every call may raise EngineAway: then nothing has moved, or a repetition finds the run moved."""

    def __init__(self, client: AttemptClient, flow_id: UUID) -> None:
        self.client, self.flow_id = client, flow_id

    async def create(self, one: Claimed) -> FlowRun | Came:
        """Create the run in state Running; repeated calls create one run. Look at a run that exists already."""
        body = {
            "parameters": {"handoff": str(one.handoff_id)},
            "name": one.name,
            "idempotency_key": f"handoff:{one.handoff_id}:{one.run_no}",
            "tags": list(one.tags),
            "state": {"type": "RUNNING", "name": "Running"},
            "empirical_policy": {"retries": 0, "retry_delay": 0},
        }
        answer = await self._post(f"/deployments/{one.deployment_id}/create_flow_run", body)
        found = FlowRun.model_validate(answer.json())
        return await self._look(one, found) if answer.status_code == httpx.codes.OK else self._run(one, found.id, found.state)

    async def begin(self, claimed: Sequence[Claimed]) -> dict[int, FlowRun | Came]:
        """Set the runs of these handoffs to Running: the resting ones in one call, any other after a look at it alone.

        Asks for Paused runs only: a run that a person has cancelled is not revived.
        """
        moved: dict[str, State[Any]] = {}
        for start in range(0, len(claimed), AT_ONCE):
            moved |= await self._resume([one.run_id for one in claimed[start : start + AT_ONCE]])
        runs = [self._begun(one, moved.get(one.run_id)) for one in claimed]
        return dict(zip([one.handoff_id for one in claimed], await asyncio.gather(*runs), strict=True))

    async def _begun(self, one: Claimed, state: State[Any] | None) -> FlowRun | Came:
        if state is not None:
            return self._run(one, UUID(one.run_id), state)
        try:
            return await self._look(one, await self.client.read_flow_run(UUID(one.run_id)))
        except ObjectNotFound:
            return Came.GONE
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error

    async def _resume(self, run_ids: Sequence[str]) -> dict[str, State[Any]]:
        body = {
            "flow_runs": {"id": {"any_": list(run_ids)}, "state": {"type": {"any_": ["PAUSED"]}}},
            "state": {"type": "RUNNING", "name": "Running"},
        }
        results = (await self._post("/flow_runs/bulk_set_state", body)).json()["results"]
        accepted = [one for one in results if one["status"] == SetStateStatus.ACCEPT.value]
        return {str(one["flow_run_id"]): State.model_validate(one["state"]) for one in accepted}

    async def _look(self, one: Claimed, found: FlowRun) -> FlowRun | Came:
        """Decide about a run that does not rest: resumed by hand, left by a dead attempt, or ended. This process holds the lease."""
        if found.state is None or found.state.type in TERMINAL:
            return Came.CANCELLED if found.state and found.state.type == StateType.CANCELLED else Came.GONE
        if found.state.is_running():
            return self._run(one, found.id, found.state)
        try:
            if one.run_id:
                await forms.collect(one.handoff_id, one.run_id, client=self.client)
            result = await self.client.set_flow_run_state(found.id, Running())
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error
        if result.state is None or not result.state.is_running():
            return Came.CANCELLED if result.state and result.state.is_cancelled() else Came.GONE
        return self._run(one, found.id, result.state)

    def _run(self, one: Claimed, run_id: UUID, state: State[Any] | None) -> FlowRun:
        """Return the run for the engine, without its deployment, so that no observer is started for each attempt."""
        return FlowRun(
            id=run_id,
            flow_id=self.flow_id,
            name=one.name,
            parameters={"handoff": str(one.handoff_id)},
            tags=list(one.tags),
            state=state if state is not None and state.is_running() else Running(),
            run_count=one.epoch,
            empirical_policy=FlowRunPolicy(retries=0, retry_delay=0),
        )

    async def finish_cancelling(self, run_id: UUID) -> None:
        """End as Cancelled a run that somebody cancelled while it was carried out."""
        self.client.forget(run_id)
        with suppress(Exception):
            run = await self.client.read_flow_run(run_id)
            if run.state and run.state.is_cancelling():
                await propose_state(self.client, Cancelled(), flow_run_id=run_id)

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self.client.request("POST", cast(Any, path), json=body)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise EngineAway(str(error)) from error

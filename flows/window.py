"""Show the steps that were taken and the handoff note on the page of a run in Prefect."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.events.schemas.events import Event

from agreements.words import StepName
from flows import event_stream

ABOUT_NOTE = "Why this lead is qualified, and what it was assigned on."
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step that was taken. began, ended: real time, aware. error: the class name of the error, empty where the step succeeded."""

    name: StepName
    began: datetime
    ended: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an attempt shows: its steps in order, and notes in Markdown without personal data."""

    steps: tuple[ShownStep, ...] = ()
    notes: tuple[str, ...] = ()


async def show(what: Shown) -> None:
    """Show steps and notes on the page of the current run. Do nothing outside a run, as in tests without Prefect."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    for step in what.steps:
        show_step(context.flow_run, step)
    for markdown in what.notes:
        assert isinstance(context.client, PrefectClient), "an asynchronous flow has an asynchronous client"
        await _show_note(context.client, context.flow_run, markdown)


async def _show_note(client: PrefectClient, run: FlowRun, markdown: str) -> None:
    await client.create_artifact(ArtifactCreate(type="markdown", data=markdown, description=ABOUT_NOTE, flow_run_id=run.id))


def show_step(run: FlowRun, step: ShownStep) -> None:
    """Have the server record the step as a task run in its final state. One event replaces the three calls of a task."""
    event_stream.hand_over(event_of(run, step))


def event_of(run: FlowRun, step: ShownStep) -> Event:
    """Return the event from which the server makes a task run: name, final state, times and place in the flow run."""
    name, state = step.name.replace("_", " "), "FAILED" if step.error else "COMPLETED"
    task_run_id = uuid4()
    return Event(
        event=f"prefect.task-run.{state.capitalize()}",
        occurred=step.ended,
        resource={
            "prefect.resource.id": f"prefect.task-run.{task_run_id}",
            "prefect.resource.name": name,
            "prefect.run-count": "1",
            "prefect.state-message": step.error,
            "prefect.state-name": state.capitalize(),
            "prefect.state-timestamp": step.ended.isoformat(),
            "prefect.state-type": state,
            "prefect.orchestration": "client",
        },
        related=[
            {"prefect.resource.id": f"prefect.flow-run.{run.id}", "prefect.resource.role": "flow-run", "prefect.resource.name": run.name}
        ],
        payload={
            "intended": {"from": None, "to": state},
            "initial_state": None,
            "validated_state": {"type": state, "name": state.capitalize(), "message": step.error, "state_details": {}, "data": None},
            "task_run": _task_run(run, step, name),
        },
    )


def _task_run(run: FlowRun, step: ShownStep, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "task_key": f"baton-{name.replace(' ', '-')}",
        "dynamic_key": f"{step.ended.timestamp():.6f}-{next(_numbers)}",
        "empirical_policy": {"retries": 0, "retry_delay": 0},
        "tags": [],
        "task_inputs": {},
        "run_count": 1,
        "flow_run_run_count": run.run_count,
        "expected_start_time": step.began.isoformat(),
        "start_time": step.began.isoformat(),
        "end_time": step.ended.isoformat(),
        "total_run_time": (step.ended - step.began).total_seconds(),
    }

"""What a run shows of itself in Prefect's windows beside its state: the steps that were taken, and the handoff note."""

from __future__ import annotations

import itertools
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.events.schemas.events import Event
from prefect.events.worker import EventsWorker

ABOUT_NOTE = "Why this lead is qualified, and what it was assigned on."
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step that was taken. began, ended: real time, aware; error: the kind of error by which it failed, empty for none."""

    name: str
    began: datetime
    ended: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to show of an attempt: steps in order, and notes in Markdown, which hold no personal data."""

    steps: tuple[ShownStep, ...] = ()
    notes: tuple[str, ...] = ()


async def show(what: Shown) -> None:
    """Shows it on the page of the run that is under way; nothing where none is, as in tests without Prefect."""
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
    """Has the server record the step as a task run in its final state, by one event instead of the three calls of a task.

    The event is sent from an empty context: Prefect would otherwise ask the server which deployment and work pool the run
    belongs to, for each new run.
    """
    Context().run(EventsWorker.instance().send, event_of(run, step))


def event_of(run: FlowRun, step: ShownStep) -> Event:
    """The event from which the server makes a task run: its name, final state, times, and its place in the flow run."""
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

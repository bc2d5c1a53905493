"""What Baton's worker leans on in the pinned Prefect: which calls an attempt makes, and which runs it moves."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Cancelled, Completed, Running, Suspended
from prefect.utilities.engine import propose_state

from app import stack
from app.attempt_client import AttemptClient, AttemptClientContext
from app.lean_flows import lean_flows
from app.prefect_runs import Came
from app.run_mover import Claimed, RunMover
from tests.prefect_server import every_event_is_sent, prefect_server

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of a Prefect server that all of these tests share."""
    with prefect_server(tmp_path_factory.mktemp("contract")) as environment:
        yield environment


@pytest.fixture
async def client(server: Mapping[str, str]) -> AsyncIterator[AttemptClient]:
    """The client of attempts, as the worker has it."""
    set_here = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}
    url, log_in = server["PREFECT_API_URL"].removesuffix("/api"), server["PREFECT_API_AUTH_STRING"]
    with stack.talking_to(url, log_in), temporary_settings(set_here):
        async with AttemptClientContext() as context:
            assert isinstance(context.client, AttemptClient)
            yield context.client
        await every_event_is_sent()


@flow(name="contract", retries=0, persist_result=False, validate_parameters=False)
async def one_step(handoff: str) -> State:
    """Parks as an attempt does, or ends where it is asked to."""
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    assert isinstance(context.client, PrefectClient)
    await context.client.update_flow_run(context.flow_run.id, tags=["stage:assigned"], name="one, waiting")
    if handoff == "ends":
        return Completed(name="Opportunity")
    state = await propose_state(context.client, Suspended(pause_key=handoff), flow_run_id=context.flow_run.id)
    if not state.is_paused():
        raise Abort("could not be parked")
    raise Pause(state=state)


@pytest.fixture
async def mover(client: AttemptClient) -> RunMover:
    return RunMover(client, await client.create_flow(one_step))


async def claimed(mover: RunMover, run_id: str = "", *, handoff: int = 0) -> Claimed:
    """A handoff whose run is to be moved, in a deployment of its own."""
    deployment = await mover.client.create_deployment(mover.flow_id, name=uuid4().hex)
    return Claimed(handoff or uuid4().int % 1_000_000, 1, 1, run_id, str(deployment), "one", ("stage:inquiry",))


async def made(mover: RunMover, one: Claimed) -> FlowRun:
    found = await mover.create(one)
    assert isinstance(found, FlowRun)
    return found


async def state_of(client: AttemptClient, run_id: UUID) -> State[Any]:
    found = (await client.read_flow_run(run_id)).state
    assert found is not None
    return found


class Calls(list[str]):
    """The calls that this client makes while the block runs, without ids."""

    def __init__(self, client: AttemptClient) -> None:
        super().__init__()
        self._hooks = client._client.event_hooks["request"]

    async def _note(self, request: httpx.Request) -> None:
        parts = [part if len(part) != len(str(UUID(int=0))) else "ID" for part in request.url.path.removeprefix("/api").split("/")]
        self.append(f"{request.method} {'/'.join(parts)}")

    def __enter__(self) -> Calls:
        self._hooks.append(self._note)
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.remove(self._note)


async def carry_out(client: AttemptClient, run: FlowRun, handoff: str) -> list[str]:
    """One attempt at this run; the calls that it made."""
    known = run.model_copy(update={"parameters": {"handoff": handoff}})
    client.know(known)
    lean = (await lean_flows([one_step]))[one_step.name]
    with Calls(client) as calls:
        try:
            await run_flow(lean, flow_run=known, return_type="state")  # type: ignore[misc]  # Prefect declares a union of which one part cannot be awaited
        except Pause:
            pass
        finally:
            client.forget(run.id)
    return calls


@pytest.mark.parametrize(("handoff", "state"), [("wait-1", "Suspended"), ("ends", "Opportunity")])
async def test_an_attempt_makes_two_calls(client: AttemptClient, mover: RunMover, handoff: str, state: str) -> None:
    """Name and tags, then the state. Prefect's own client would read the run, change its policy and set it to Running before."""
    run = await made(mover, await claimed(mover))

    calls = await carry_out(client, run, handoff)

    assert [one for one in calls if "/logs" not in one] == ["PATCH /flow_runs/ID", "POST /flow_runs/ID/set_state"]
    found = await client.read_flow_run(run.id)
    assert found.state is not None
    assert (found.state.name, found.name, found.tags) == (state, "one, waiting", ["stage:assigned"])


async def test_a_run_is_created_once_and_in_one_call(client: AttemptClient, mover: RunMover) -> None:
    one = await claimed(mover)
    with Calls(client) as calls:
        run = await made(mover, one)

    assert calls == ["POST /deployments/ID/create_flow_run"]
    assert (await state_of(client, run.id)).is_running()
    assert (await made(mover, one)).id == run.id


async def test_parked_runs_are_moved_in_one_call(client: AttemptClient, mover: RunMover) -> None:
    runs = [await made(mover, await claimed(mover)) for _ in range(3)]
    for run in runs:
        await carry_out(client, run, f"wait-{run.id}")
    many = [await claimed(mover, str(run.id), handoff=number) for number, run in enumerate(runs, start=1)]
    with Calls(client) as calls:
        moved = await mover.begin(many)

    assert calls == ["POST /flow_runs/bulk_set_state"]
    assert [found.id if isinstance(found, FlowRun) else found for found in moved.values()] == [run.id for run in runs]
    assert [(await state_of(client, run.id)).is_running() for run in runs] == [True, True, True]


@pytest.mark.parametrize(
    ("end", "came"),
    [(Cancelled(), Came.CANCELLED), (Completed(), Came.GONE), (None, Came.GONE)],
    ids=["cancelled", "completed", "deleted"],
)
async def test_a_run_that_somebody_ended_is_not_revived(client: AttemptClient, mover: RunMover, end: State[Any] | None, came: Came) -> None:
    run = await made(mover, await claimed(mover))
    await carry_out(client, run, "wait")
    if end is None:
        await client.delete_flow_run(run.id)
    else:
        await client.set_flow_run_state(run.id, end, force=True)

    one = await claimed(mover, str(run.id))
    assert await mover.begin([one]) == {one.handoff_id: came}
    if end is not None:
        assert (await state_of(client, run.id)).type == end.type


async def test_what_the_client_leaves_out_is_asked_again_once_it_is_forgotten(client: AttemptClient, mover: RunMover) -> None:
    run = await made(mover, await claimed(mover))
    client.know(run)
    with Calls(client) as calls:
        await client.read_flow_run(run.id)
        await client.set_flow_run_state(run.id, Running())
        await client.update_flow_run(run.id, empirical_policy=run.empirical_policy)
    assert calls == []

    client.forget(run.id)
    with Calls(client) as calls:
        await client.read_flow_run(run.id)
    assert calls == ["GET /flow_runs/ID"]


@pytest.mark.parametrize("name", ["read_flow_run", "update_flow_run", "set_flow_run_state"])
def test_its_methods_are_still_methods_of_prefects_client(name: str) -> None:
    """Each takes what Prefect's own takes; one that went away would never be called."""
    theirs = inspect.signature(getattr(PrefectClient, name)).parameters
    ours = inspect.signature(getattr(AttemptClient, name)).parameters
    takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in ours.values())

    assert set(ours) - {"args", "changes"} <= set(theirs)
    assert takes_all or set(theirs) <= set(ours)

"""Park a run in Prefect under the name of what it waits for, or end it under the name of its outcome."""

from __future__ import annotations

from typing import Any, NoReturn
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Abort, Pause, PrefectHTTPStatusError
from prefect.states import Completed, Suspended
from prefect.utilities.engine import propose_state

from flows import forms
from flows.resting import Rest


async def come_to_rest(rest: Rest) -> State:
    """Park this run where the lead waits for somebody. Otherwise return the state that ends it.

    Raises Pause (the run is parked, the attempt ends) or Abort (the run cannot be parked, for example because it was cancelled).
    """
    return await _park(rest) if rest.waits else await _finish(rest)


async def _park(rest: Rest) -> NoReturn:
    """Save the form, then set the state: a resume between the two would be refused for lack of a form."""
    client, run_id = _own_run()
    await _save_form(client, run_id, rest)
    await _show(client, run_id, rest)
    wanted: State[Any] = Suspended(pause_key=rest.key, message=rest.message)
    wanted.name = rest.name
    wanted.state_details.run_input_keyset = {str(name): key for name, key in forms.keyset(rest.key).items()}
    state = await propose_state(client, wanted, flow_run_id=run_id)
    if not state.is_paused():
        raise Abort(f"The run could not be parked: it is {state.name}.")
    raise Pause(state=state)


async def _save_form(client: PrefectClient, run_id: UUID, rest: Rest) -> None:
    assert rest.form is not None, "what waits for somebody has a form"
    try:
        await client.create_flow_run_input(run_id, forms.keyset(rest.key)["schema"], rest.form.schema())
    except PrefectHTTPStatusError as error:
        if error.response.status_code != 409:  # 409: an earlier attempt saved the form and died before it set the state
            raise


async def _finish(rest: Rest) -> State:
    """End the run under the name of its outcome, and set its tags."""
    client, run_id = _own_run()
    await _show(client, run_id, rest)
    return Completed(name=rest.name, message=rest.message)


async def _show(client: PrefectClient, run_id: UUID, rest: Rest) -> None:
    """Set the tags by which people find the run in Prefect's windows, and its name where that changes."""
    await client.update_flow_run(run_id, tags=list(rest.tags), name=rest.run_name or None)


def _own_run() -> tuple[PrefectClient, UUID]:
    context = FlowRunContext.get()
    assert context is not None, "only a run can be parked or ended"
    assert context.flow_run is not None, "only a run can be parked or ended"
    assert isinstance(context.client, PrefectClient), "an asynchronous flow has an asynchronous client"
    return context.client, context.flow_run.id

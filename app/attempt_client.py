"""A Prefect client for attempts: it skips the calls whose answer the worker already knows.

Before each attempt Prefect's engine updates the run's policy, sets the run to Running and reads the run again. Where the worker has
set the run to Running, none of these calls changes anything. A contract test holds this class against the pinned version of Prefect.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import prefect.settings
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus, StateAcceptDetails
from prefect.context import AsyncClientContext, ContextModel


class AttemptClient(PrefectClient):
    """Sends every call to the server, except calls about runs that the worker has made known."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known: dict[UUID, FlowRun] = {}

    def know(self, run: FlowRun) -> None:
        """Use this copy of the run from now on, until the run is forgotten. The run must be in state Running at the server."""
        assert run.state is not None, "a run that is known has a state"
        assert run.state.is_running(), "only a run that is Running is about to be carried out"
        self._known[run.id] = run

    def forget(self, run_id: UUID) -> None:
        """Ask the server about this run again."""
        self._known.pop(run_id, None)

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Return the known run, else the run as the server has it."""
        return self._known.get(flow_run_id) or await super().read_flow_run(flow_run_id)

    async def update_flow_run(self, flow_run_id: UUID, *args: Any, **changes: Any) -> Any:
        """Change name or tags at the server. Other changes by the engine are skipped for a known run: they would change nothing."""
        if flow_run_id in self._known and not args and changes.get("name") is None and changes.get("tags") is None:
            return None
        return await super().update_flow_run(flow_run_id, *args, **changes)

    async def set_flow_run_state(self, flow_run_id: UUID | str, state: State[Any], force: bool = False) -> OrchestrationResult[Any]:
        """Set the state at the server. Setting a known run to Running is skipped: the run is in that state already."""
        run = self._known.get(UUID(str(flow_run_id)))
        if run is not None and run.state is not None and state.is_running() and run.state.is_running():
            return OrchestrationResult(state=run.state, status=SetStateStatus.ACCEPT, details=StateAcceptDetails())
        result: OrchestrationResult[Any] = await super().set_flow_run_state(flow_run_id, state, force=force)
        if run is not None and result.state is not None:
            run.state = result.state
        return result


class AttemptClientContext(AsyncClientContext):
    """Provides one AttemptClient for all attempts inside the context."""

    def __init__(self) -> None:
        settings = prefect.settings.get_current_settings()
        client = AttemptClient(
            settings.api.url,
            api_key=settings.api.key.get_secret_value() if settings.api.key else None,
            auth_string=settings.api.auth_string.get_secret_value() if settings.api.auth_string else None,
        )
        ContextModel.__init__(self, client=client)
        self._httpx_settings = None
        self._context_stack = 0

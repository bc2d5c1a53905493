"""Starting beside Prefect: the server must be the one, and of the version, that this installation works with."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

import httpx
import prefect
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from app.starting import CannotStart, compare_clocks
from storage import contracts
from tasks.toolbox import Toolbox


async def check_prefect(box: Toolbox, client: PrefectClient) -> None:
    """The Prefect server answers, is of the version that Baton is made for, knows our deployments, and its clock agrees.

    Raises CannotStart.
    """
    asked_at = datetime.now(UTC)
    try:
        answer = await client.request("GET", "/admin/version")
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise CannotStart(f"The Prefect server at {client.api_url} does not answer: {error}. Start it, or set PREFECT_API_URL.") from error
    theirs, ours = str(answer.json()), prefect.__version__
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        raise CannotStart(f"The Prefect server is of version {theirs}, Baton runs with {ours}. Run both with the same minor version.")
    if date := answer.headers.get("date"):
        compare_clocks(parsedate_to_datetime(date), "the Prefect server", asked_at=asked_at)
    await _check_deployments(box, client)


async def _check_deployments(box: Toolbox, client: PrefectClient) -> None:
    """A server that has another database behind it does not know them."""
    for row in await box.read(lambda session, now: contracts.deployed(session)):
        try:
            await client.read_deployment(UUID(row.deployment_id))
        except (ObjectNotFound, ValueError) as error:
            raise CannotStart(
                f"The Prefect server at {client.api_url} does not know the deployment of {contracts.reference_of(row)}: it is another"
                f" server, or has another database behind it. Set PREFECT_API_URL, or run `baton agreement deploy"
                f" {contracts.reference_of(row)}` again."
            ) from error

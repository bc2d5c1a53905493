"""Checks at a start that the Prefect server is the one, and of the version, that this installation works with."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

import httpx
import prefect
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_AUTH_STRING

from app import prefect_log_in
from app.starting import CannotStart, compare_clocks
from storage import contracts
from tasks.wiring.toolbox import Toolbox


async def check_prefect(box: Toolbox, client: PrefectClient) -> None:
    """Check that the Prefect server answers, has Baton's version, knows our deployments, and that its clock agrees.

    Raises CannotStart.
    """
    if not prefect_log_in.is_here(str(client.api_url)) and not PREFECT_API_AUTH_STRING.value():
        raise CannotStart(
            f"The Prefect server at {client.api_url} can be reached from other machines, and everybody there could run code on every"
            " worker. Set PREFECT_SERVER_API_AUTH_STRING=name:password for the server, and PREFECT_API_AUTH_STRING to the same here."
        )
    asked_at = datetime.now(UTC)
    try:
        answer = await client.request("GET", "/admin/version")
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        if isinstance(error, PrefectHTTPStatusError) and error.response.status_code == httpx.codes.UNAUTHORIZED:
            raise CannotStart(
                f"The Prefect server at {client.api_url} does not take this log-in. Set PREFECT_API_AUTH_STRING to what the server has"
                " in PREFECT_SERVER_API_AUTH_STRING; `baton up` keeps its own in the file prefect-log-in of its home folder."
            ) from error
        raise CannotStart(f"The Prefect server at {client.api_url} does not answer: {error}. Start it, or set PREFECT_API_URL.") from error
    theirs, ours = str(answer.json()), prefect.__version__
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        raise CannotStart(f"The Prefect server is of version {theirs}, Baton runs with {ours}. Run both with the same minor version.")
    if date := answer.headers.get("date"):
        compare_clocks(parsedate_to_datetime(date), "the Prefect server", asked_at=asked_at)
    await _check_deployments(box, client)


async def _check_deployments(box: Toolbox, client: PrefectClient) -> None:
    """Check that the server knows our deployments: a server with another database behind it does not."""
    for row in await box.read(lambda session, now: contracts.deployed(session)):
        try:
            await client.read_deployment(UUID(row.deployment_id))
        except (ObjectNotFound, ValueError) as error:
            raise CannotStart(
                f"The Prefect server at {client.api_url} does not know the deployment of {contracts.reference_of(row)}: it is another"
                f" server, or has another database behind it. Set PREFECT_API_URL, or run `baton agreement deploy"
                f" {contracts.reference_of(row)}` again."
            ) from error

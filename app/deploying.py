"""Putting things in force: agreement versions and their deployments at the Prefect server, one deploy at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule
from sqlmodel import Session, select

from agreements.checks import Installed
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.wording import contract_in_words
from app.deploy_plan import require_fit
from app.prefect_runs import EngineAway, PrefectEngine
from app.review.flow import review
from app.stack import StackError
from app.worker import ensure_pool
from flows.crm_comparison import crm_comparison
from flows.lead_handoff import lead_handoff
from flows.likely_twins import likely_twins
from flows.retention import retention
from storage import claims, contracts
from storage.tables import Handoff
from tasks.background.held_leads import release_held
from tasks.wiring.proving import installed
from tasks.wiring.toolbox import Toolbox

ENTRYPOINT = "flows.lead_handoff.lead_handoff"


@dataclass(frozen=True, slots=True)
class Timed:
    """A flow that runs at set times, as in prefect.yaml. cron: in UTC."""

    flow: Flow[Any, Any]
    name: str
    entrypoint: str
    description: str
    cron: str


TIMETABLE = (
    Timed(
        retention,
        "daily",
        "flows.retention.retention",
        "Deletes what is kept longer than was agreed. Its run shows how much that was.",
        "17 3 * * *",
    ),
    Timed(
        likely_twins,
        "each-morning",
        "flows.likely_twins.likely_twins",
        "Looks for leads that may be one person. Marketing says on its page whether they are.",
        "47 4 * * *",
    ),
    Timed(
        crm_comparison,
        "each-night",
        "flows.crm_comparison.crm_comparison",
        "Lists the leads of which Baton and the CRM say different things.",
        "23 2 * * *",
    ),
    Timed(
        review,
        "each-quarter-of-an-hour",
        "app.review.flow.review",
        "Makes the weekly and monthly reviews on the dates of each agreement.",
        "*/15 * * * *",
    ),
)
_CLAIM = "deploy"
Here = Callable[[Roster], Installed]


async def deploy(box: Toolbox, name: str, version: int, *, by: str = "somebody") -> str:
    """Create the deployment of a signed version and put the version in force; return the deployment's name. Held leads start.

    by: who deploys, named to anybody else who tries meanwhile. Raises AgreementError for a version that must not be put in
    force, InvalidAgreement where it does not fit the roster, Claimed while somebody else is deploying. Any error leaves
    everything as before.
    """
    here = partial(installed, box.settings)
    token = await box.write(lambda session, now: _claim(session, name, version, by, now, here))
    try:
        deployment_id = await _at_prefect(box, name, version)
        await box.write(lambda session, now: _mark(session, name, version, token, deployment_id, now, here))
    except BaseException:
        await box.write(lambda session, now: claims.give_back(session, _CLAIM, token))
        raise
    await release_held(box, only_without_agreement=True)
    return _deployment_name(name, version)


def _claim(session: Session, name: str, version: int, by: str, now: datetime, here: Here) -> str:
    require_fit(session, contracts.get(session, name, version), now, here)
    return claims.take(session, _CLAIM, by=by, about=f"deploying {name}@{version}")


def _mark(session: Session, name: str, version: int, token: str, deployment_id: str, now: datetime, here: Here) -> None:
    """Check everything again before the version is put in force: it may have changed while we spoke to the server."""
    claims.require(session, _CLAIM, token)
    row = contracts.get(session, name, version)
    require_fit(session, row, now, here)
    contracts.mark_deployed(session, row, deployment_id=deployment_id, now=now)
    claims.give_back(session, _CLAIM, token)


async def renew(box: Toolbox, name: str, version: int) -> str:
    """Create the deployment of a version in force again, where it was deleted at the Prefect server; return its name."""
    made = await _at_prefect(box, name, version)
    await box.write(lambda session, now: contracts.renew_deployment(session, contracts.get(session, name, version), deployment_id=made))
    return _deployment_name(name, version)


def _deployment_name(name: str, version: int) -> str:
    return f"{lead_handoff.name}/{name}-v{version}"


async def _at_prefect(box: Toolbox, name: str, version: int) -> str:
    agreement = await box.read(lambda session, now: contracts.agreement_of(session, name, version))
    await ensure_pool(box.settings.work_pool)
    await keep_timetable(box.settings.work_pool)
    return await create_deployment(agreement, pool=box.settings.work_pool)


async def create_deployment(agreement: Agreement, *, pool: str) -> str:
    """Create or update the deployment of this version on an existing pool; return its id."""
    async with get_client() as client:
        flow_id = await client.create_flow(lead_handoff)
        made = await client.create_deployment(
            flow_id=flow_id,
            name=f"{agreement.agreement}-v{agreement.version}",
            version=str(agreement.version),
            entrypoint=ENTRYPOINT,
            work_pool_name=pool,
            tags=["baton", f"agreement:{agreement.reference}"],
            description=contract_in_words(agreement),
            parameter_openapi_schema={"type": "object", "properties": {"handoff": {"type": "string", "title": "handoff"}}},
            enforce_parameter_schema=False,
            pull_steps=[],
        )
    return str(made)


async def keep_timetable(pool: str) -> None:
    """Make sure that this Prefect server runs what both sides agreed on at set times: retention and reviews, the search for likely
    twins, and the comparison with the CRM.

    A second call changes nothing.
    """
    async with get_client() as client:
        for one in TIMETABLE:
            await client.create_deployment(
                flow_id=await client.create_flow(one.flow),
                name=one.name,
                entrypoint=one.entrypoint,
                work_pool_name=pool,
                tags=["baton"],
                description=one.description,
                schedules=[DeploymentScheduleCreate(schedule=CronSchedule(cron=one.cron, timezone="UTC"), active=True)],
                enforce_parameter_schema=False,
                pull_steps=[],
            )


async def collect_answers(box: Toolbox) -> None:
    """Store the answers given in Prefect's own window that were not read yet: they came before whatever is done next.

    Raises StackError where the server does not answer.
    """
    async with get_client() as client:
        engine = PrefectEngine(client)
        try:
            for run_id in await engine.resumed():
                query = select(Handoff.id).where(Handoff.flow_run_id == run_id)
                handoff_id = await box.read(lambda session, now, query=query: session.exec(query).first())  # type: ignore[misc]
                if handoff_id is not None:
                    await engine.collect(handoff_id, run_id)
        except EngineAway as error:
            raise StackError(f"The Prefect server does not answer: {error}") from error

"""Putting things in force: database, roster, agreement versions, and their deployments at the Prefect server."""

from __future__ import annotations

from prefect.client.orchestration import get_client

from agreements.checks import problems_with_roster
from agreements.errors import InvalidAgreement
from agreements.model import Agreement
from agreements.wording import contract_in_words
from app.worker import ensure_pool
from flows.lead_handoff import lead_handoff
from storage import contracts, leads, roster
from tasks.toolbox import Toolbox

ENTRYPOINT = "flows.lead_handoff.lead_handoff"


async def deploy(box: Toolbox, name: str, version: int) -> str:
    """Creates the deployment of a signed version and puts it in force; its name. What was held for want of one starts.

    Raises AgreementError for one that is not published or not signed, InvalidAgreement where it does not fit the roster.
    """
    agreement = await box.read(lambda session, now: contracts.agreement_of(session, name, version))
    people = await box.read(lambda session, now: roster.current(session))
    if problems := problems_with_roster(agreement, people):
        raise InvalidAgreement(problems)
    await box.write(lambda session, now: contracts.require_signed(session, contracts.get(session, name, version)))
    await ensure_pool(box.settings.work_pool)
    deployment_id = await create_deployment(agreement, pool=box.settings.work_pool)
    await box.write(
        lambda session, now: contracts.mark_deployed(session, contracts.get(session, name, version), deployment_id=deployment_id, now=now)
    )
    await box.write(lambda session, now: leads.release_held(session, now=now, only_without_agreement=True))
    return f"{lead_handoff.name}/{name}-v{version}"


async def create_deployment(agreement: Agreement, *, pool: str) -> str:
    """The deployment of this version on a pool that is there, made or brought up to date; its id."""
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

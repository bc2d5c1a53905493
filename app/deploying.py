"""Putting things in force: agreement versions and their deployments at the Prefect server, one deploy at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule
from sqlmodel import Session, select

from agreements.checks import problems_with_roster
from agreements.errors import AgreementError, InvalidAgreement
from agreements.model import Agreement
from agreements.wording import contract_in_words
from app.prefect_runs import EngineAway, PrefectEngine
from app.stack import StackError
from app.worker import ensure_pool
from flows.lead_handoff import lead_handoff
from flows.retention import retention
from storage import claims, contracts, roster, version_migration
from storage.tables import AgreementVersion, Handoff
from storage.version_migration import InFlight
from tasks.background.held_leads import release_held
from tasks.wiring.toolbox import Toolbox

ENTRYPOINT = "flows.lead_handoff.lead_handoff"
RETENTION_ENTRYPOINT = "flows.retention.retention"
#: When retention runs, as in prefect.yaml, in UTC.
RETENTION_AT = "17 3 * * *"
_CLAIM = "deploy"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy would do. policy: for the handoffs in flight; is_deployed: only the policy is left to be carried out."""

    agreement: Agreement
    policy: str
    is_deployed: bool
    listed: tuple[InFlight, ...]

    @property
    def touched(self) -> tuple[InFlight, ...]:
        """The handoffs to which something happens."""
        return tuple(one for one in self.listed if one.is_touched)


def plan(session: Session, name: str, version: int, *, policy: str | None, now: datetime) -> Plan:
    """What deploying this version would do. policy: None for the one that the agreement names.

    Raises AgreementError for what cannot be done, saying what to do instead.
    """
    row = contracts.get(session, name, version)
    agreement, reference = contracts.verified(row), contracts.reference_of(row)
    wanted = policy or agreement.in_flight.default
    if row.deployed_at and policy is None:
        raise AgreementError(
            f"{reference} was deployed on {row.deployed_at:%Y-%m-%d at %H:%M} UTC already. With --in-flight only the policy for"
            " handoffs in flight is carried out."
        )
    if not row.deployed_at:
        _require_fit(session, row, now)
    if wanted != "finish":
        _require_in_force(session, row, wanted, now)
    return Plan(agreement, wanted, row.deployed_at is not None, version_migration.preview(session, name, version, wanted, now))


def _require_fit(session: Session, row: AgreementVersion, now: datetime) -> None:
    contracts.require_deployable(session, row, now=now)
    if problems := problems_with_roster(contracts.read(row), roster.current(session)):
        raise InvalidAgreement(problems)


def _require_in_force(session: Session, row: AgreementVersion, policy: str, now: datetime) -> None:
    reference = contracts.reference_of(row)
    counting = next((one for one in contracts.counting(session, now, also=row) if one.name == row.name), None)
    if counting is not None and counting.version == row.version:
        return
    if row.effective_at > now:
        first = contracts.read(row).effective.from_
        raise AgreementError(
            f"{reference} begins on {first}: until then nothing can start anew under it. Deploy it with --in-flight finish; when it"
            f" has begun, run: baton agreement deploy {reference} --in-flight {policy}"
        )
    instead = f"{contracts.reference_of(counting)} is" if counting else "it has ended"
    raise AgreementError(f"{reference} is not in force now: {instead}. Nothing can start anew under it; write --in-flight finish.")


async def deploy(box: Toolbox, name: str, version: int, *, by: str = "somebody") -> str:
    """Creates the deployment of a signed version and puts it in force; its name. What was held for want of one starts.

    by: who does it, for whoever else deploys meanwhile. Raises AgreementError for a version that must not be put in force,
    InvalidAgreement where it does not fit the roster, Claimed while somebody else is deploying. Whatever goes wrong leaves
    everything as before.
    """
    token = await box.write(lambda session, now: _claim(session, name, version, by, now))
    try:
        deployment_id = await _at_prefect(box, name, version)
        await box.write(lambda session, now: _mark(session, name, version, token, deployment_id, now))
    except BaseException:
        await box.write(lambda session, now: claims.give_back(session, _CLAIM, token))
        raise
    await release_held(box, only_without_agreement=True)
    return _deployment_name(name, version)


def _claim(session: Session, name: str, version: int, by: str, now: datetime) -> str:
    _require_fit(session, contracts.get(session, name, version), now)
    return claims.take(session, _CLAIM, by=by, about=f"deploying {name}@{version}")


def _mark(session: Session, name: str, version: int, token: str, deployment_id: str, now: datetime) -> None:
    """Everything is looked at anew: it may have changed while we spoke to the server."""
    claims.require(session, _CLAIM, token)
    row = contracts.get(session, name, version)
    _require_fit(session, row, now)
    contracts.mark_deployed(session, row, deployment_id=deployment_id, now=now)
    claims.give_back(session, _CLAIM, token)


async def renew(box: Toolbox, name: str, version: int) -> str:
    """Makes the deployment of a version in force once more, where it was deleted at the Prefect server; its name."""
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


async def keep_timetable(pool: str) -> None:
    """Makes sure that retention, which both sides have agreed on, runs once a day at this Prefect server. Again changes nothing."""
    async with get_client() as client:
        await client.create_deployment(
            flow_id=await client.create_flow(retention),
            name="daily",
            entrypoint=RETENTION_ENTRYPOINT,
            work_pool_name=pool,
            tags=["baton"],
            description="Deletes what is kept longer than was agreed. Its run shows how much that was.",
            schedules=[DeploymentScheduleCreate(schedule=CronSchedule(cron=RETENTION_AT, timezone="UTC"), active=True)],
            enforce_parameter_schema=False,
            pull_steps=[],
        )


async def collect_answers(box: Toolbox) -> None:
    """Takes in what was answered in Prefect's own window and not read yet: it came before whatever is done now.

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

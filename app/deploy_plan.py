"""Plans a deploy: which version, which policy, and which handoffs in flight it would touch. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.checks import Installed, problems_with_roster, unprovable
from agreements.errors import AgreementError, InvalidAgreement
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.words import InFlightPolicy
from storage import contracts, roster, version_migration
from storage.tables import AgreementVersion
from storage.version_migration import InFlight


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy would do. policy: for the handoffs in flight; is_deployed: only the policy is left to carry out."""

    agreement: Agreement
    policy: InFlightPolicy
    is_deployed: bool
    listed: tuple[InFlight, ...]

    @property
    def touched(self) -> tuple[InFlight, ...]:
        """Return the handoffs that the deploy changes."""
        return tuple(one for one in self.listed if one.is_touched)


def plan(
    session: Session, name: str, version: int, *, policy: InFlightPolicy | None, now: datetime, here: Callable[[Roster], Installed]
) -> Plan:
    """Return what deploying this version would do. policy: None for the one that the agreement names. here: the installation's
    channels, and which of them reach the reps of a roster.

    Raises AgreementError for a deploy that is not possible; the error says what to do instead.
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
        require_fit(session, row, now, here)
    if wanted != "finish":
        _require_in_force(session, row, wanted, now)
    return Plan(agreement, wanted, row.deployed_at is not None, version_migration.preview(session, name, version, wanted, now))


def require_fit(session: Session, row: AgreementVersion, now: datetime, here: Callable[[Roster], Installed]) -> None:
    """Refuse a version that must not be put in force (AgreementError), or does not fit the roster, or whose proof no rep can ever
    get over the channels of this installation (InvalidAgreement)."""
    contracts.require_deployable(session, row, now=now)
    agreement, people = contracts.read(row), roster.current(session)
    never = [str(one) for one in unprovable(agreement, here(people)) if one.nobody]
    if problems := [*problems_with_roster(agreement, people), *never]:
        raise InvalidAgreement(problems)


def _require_in_force(session: Session, row: AgreementVersion, policy: InFlightPolicy, now: datetime) -> None:
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

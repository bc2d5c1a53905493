"""Lost run: continue a handoff whose run in Prefect has ended before it. Cancelling a run never loses a lead."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import Session

from agreements.lifecycle import Stage
from storage import deliveries, handoffs, leases, trail, wakes
from storage.tables import Handoff


def replace_run(session: Session, handoff_id: int, run_id: str, *, cancelled: bool, now: datetime, epoch: int | None = None) -> bool:
    """Asks for a new run, and marks the lead as stuck for the operator if a person cancelled the old run; False if it is too late.

    epoch: of the lease that the caller holds. Without an epoch, nothing happens while an attempt is running: it has a run.
    Call inside a write transaction.
    """
    handoff = _locked(session, handoff_id, run_id, epoch)
    if handoff is None:
        return False
    leases.take_over(session, handoff)
    if cancelled and handoffs.is_open(handoff) and handoff.stage != Stage.STUCK:
        _get_stuck(session, handoff, now)
    handoff.run_no += 1
    handoff.flow_run_id = ""
    session.add(handoff)
    if handoffs.is_open(handoff) or deliveries.speech_is_due(session, handoff_id, now=now):
        wakes.add(session, handoff_id, "new-run", key=f"new-run:{handoff_id}:{handoff.run_no}", not_before=now)
    return True


def _locked(session: Session, handoff_id: int, run_id: str, epoch: int | None) -> Handoff | None:
    handoff = leases.locked(session, handoff_id)
    leased = handoff.lease_until is not None and handoff.lease_until > datetime.now(UTC)
    mine = handoff.epoch == epoch if epoch is not None else not leased
    return handoff if mine and handoff.flow_run_id == run_id else None


def _get_stuck(session: Session, handoff: Handoff, now: datetime) -> None:
    """Marks the lead as stuck until the operator unsticks it. An alarm tells them, see alarms.py."""
    trail.record(session, "run-cancelled", now=now, handoff=handoff, actor="prefect")
    handoffs.move(session, handoff, "got-stuck", now=now, why="its run was cancelled in Prefect")

"""An attempt: one execution of the flow, which holds the handoff's lease from its first step until it rests."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

from prefect.context import FlowRunContext
from prefect.exceptions import Abort
from sqlalchemy import update
from sqlmodel import Session, col

from agreements.errors import StaleHandoff
from agreements.lifecycle import PARKED_NAMES, Stage
from agreements.roster import Roster
from flows import forms
from storage import handoffs, proof, roster, trail, waits, wakes
from storage.tables import Handoff, Wait, Wake
from tasks import toolbox, turn, views
from tasks.running import NO_CLOCK
from tasks.turn import Turn

log = logging.getLogger("baton.attempt")
RENEW_SECONDS = handoffs.LEASE_SECONDS / 3
#: Failed attempts after which an operator has to look.
MAX_FAILURES = 5


class SupersededRun(Exception):
    """This run is not the recorded one of its handoff; another run carries it out."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Where an attempt came to rest: at a wait (key, name, message, tags, form) or at the end (name, message).

    run_name: what the run is called from now on, empty where it stays as it is.
    """

    waits: bool
    name: str
    message: str
    tags: tuple[str, ...] = ()
    key: str = ""
    form: forms.Asked | None = None
    run_name: str = ""


@asynccontextmanager
async def attempt(handoff_id: int) -> AsyncIterator[Turn]:
    """Takes the lease and the next epoch, waiting for a live lease to end; an error counts and frees the lease.

    Ends at once, without a change, for a run that is not the recorded one or has lost its lease.
    """
    box = toolbox.current()
    run_id = _run_id()
    epoch = await _lease(handoff_id, run_id)
    renewal = asyncio.create_task(_keep(handoff_id, epoch))
    try:
        if run_id:
            await forms.collect(handoff_id, run_id)

        def begin(session: Session, now: datetime) -> Turn:
            read = tuple(wake.id or 0 for wake in wakes.pending(session, handoff_id, now=now))
            return turn.load(session, handoff_id, epoch, read, now)

        yield await box.read(begin)
    except StaleHandoff as stale:
        raise Abort(str(stale)) from stale
    except Exception as error:
        log.exception("attempt at handoff %s failed", handoff_id)
        failed = partial(_failed, handoff_id, epoch, type(error).__name__)
        await box.write(failed)
        raise
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal


def _run_id() -> str:
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else ""


async def _lease(handoff_id: int, run_id: str) -> int:
    box = toolbox.current()
    by = f"{socket.gethostname()}:{uuid4().hex[:8]}"

    def take(session: Session, now: datetime) -> int | None:
        handoff = handoffs.get(session, handoff_id)
        if run_id and handoff.flow_run_id and handoff.flow_run_id != run_id:
            raise SupersededRun(f"Handoff {handoff_id} is carried out by run {handoff.flow_run_id}.")
        if run_id and not handoff.flow_run_id:
            handoff.flow_run_id = run_id
            session.add(handoff)
            session.flush()
        return handoffs.take_lease(session, handoff_id, by=by, real=datetime.now(UTC))

    while (epoch := await box.write(take)) is None:
        await asyncio.sleep(1)
    return epoch


async def _keep(handoff_id: int, epoch: int) -> None:
    box = toolbox.current()
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(Exception):  # a renewal that fails is tried again; a lost lease shows at the next write
            await box.write(lambda session, now: handoffs.renew_lease(session, handoff_id, epoch, real=datetime.now(UTC)))


def _failed(handoff_id: int, epoch: int, error: str, session: Session, now: datetime) -> None:
    handoff = handoffs.get(session, handoff_id)
    if handoff.epoch != epoch:
        return
    handoff.failures += 1
    handoff.lease_by, handoff.lease_until = "", None
    handoff.retry_at = datetime.now(UTC) + timedelta(seconds=2**handoff.failures)
    session.add(handoff)
    trail.record(session, "attempt-failed", now=now, handoff=handoff, error=error, failures=handoff.failures)
    if handoff.failures >= MAX_FAILURES and handoffs.is_open(handoff) and handoff.stage != Stage.STUCK:
        handoffs.move(session, handoff, "got-stuck", now=now, why=f"{handoff.failures} attempts failed: {error}")
    session.execute(update(Wake).where(col(Wake.handoff_id) == handoff_id).values(delivered_at=None))


async def settle(at: Turn) -> tuple[Turn, Rest | None]:
    """Comes to rest in one transaction: read wakes are dropped, the lease is given back, the park is prepared.

    None instead of a rest when more has happened meanwhile: go on then.
    """
    rests: list[Rest] = []

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        pending = wakes.pending(session, at.handoff_id, now=now)
        wakes.drop(session, at.read_wakes)
        if any(wake.id not in at.read_wakes for wake in pending):
            return
        handoff.failures, handoff.retry_at = 0, None
        name = views.run_name(session, handoff) if views.leg_of(session, handoff) else ""
        rests.append(replace(_rest(session, handoff, now), run_name=name))
        handoffs.release_lease(session, at.handoff_id, at.epoch)

    after = await at.save(work)
    if rests:
        return after, rests[0]
    fresh = await toolbox.current().read(
        lambda session, now: tuple(wake.id or 0 for wake in wakes.pending(session, at.handoff_id, now=now))
    )
    return replace(after, read_wakes=fresh), None


def _rest(session: Session, handoff: Handoff, now: datetime) -> Rest:
    stuck, wait = handoff.stage == Stage.STUCK, waits.open_of(session, handoff.id or 0)
    owed = wait if wait and wait.kind != "revisit" and handoffs.is_open(handoff) and not stuck else None
    tags = _tags(session, handoff, owed, now)
    if stuck:
        return Rest(False, "Stuck", f"Stuck in {handoff.track or 'its stage'}: an operator has to look.", tags)
    if owed is None:
        reason = f": {handoff.reason}" if handoff.reason else ""
        return Rest(False, handoff.outcome.capitalize(), f"Lead {handoff.lead_id} ended in {handoff.outcome}{reason}.", tags)
    owed.parks += 1
    owed.parked_key = f"{owed.id}-{owed.parks}"
    session.add(owed)
    people = roster.current(session)
    message = _message(owed, people, handoffs.agreement_of(session, handoff).timezone, now, _reached(session, owed))
    form = forms.asked(session, handoff, owed, people)
    return Rest(True, PARKED_NAMES[owed.kind], message, tags, owed.parked_key, form)


def _reached(session: Session, wait: Wait) -> str:
    """How far the lead has come to its rep, as of this park."""
    if wait.kind == "delivery" and wait.about == "proof":
        return ", not proven to be delivered yet"
    if wait.kind == "acceptance":
        return ", delivered and seen" if proof.was_seen(session, wait.assignment_id) else ", delivered, not seen yet"
    return ""


def _message(wait: Wait, people: Roster, zone: str, now: datetime, reached: str = "") -> str:
    due = wait.due_at.astimezone(ZoneInfo(zone))
    who = people.name_of(wait.holder) if wait.holder in people.people else wait.holder
    if wait.about == NO_CLOCK:
        return f"With {who}, on no clock."
    late = ", past the agreed time" if now > wait.promised_at else ""
    return f"{wait.remark + ' ' if wait.remark else ''}With {who} until {due:%a %d %b %H:%M} ({zone}){late}{reached}."


def _tags(session: Session, handoff: Handoff, wait: Wait | None, now: datetime) -> tuple[str, ...]:
    leg = (f"leg:{name}",) if (name := views.leg_of(session, handoff)) else ()
    sla = (f"sla:{_standing(wait, now)}",) if wait else ()
    version = f"{handoff.agreement}@{handoff.version}"
    return (f"stage:{handoff.stage}", f"rep:{handoff.rep or 'nobody'}", f"agreement:{version}", f"lead:{handoff.lead_id}", *leg, *sla)


def _standing(wait: Wait, now: datetime) -> str:
    left, whole = wait.promised_at - now, wait.promised_at - wait.opened_at
    if left <= timedelta(0):
        return "breached"
    return "due-soon" if whole and left < whole / 5 else "on-track"

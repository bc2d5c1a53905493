"""Version migration: end a handoff in flight, and start its lead again under the version that took it over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.errors import NoAgreementInForce
from storage import contracts, deliveries, handoffs, leases, version_migration, waits, wakes
from storage.facts import facts_at_capture
from storage.tables import Handoff, HandoffNote
from storage.version_migration import InFlight
from tasks.begin import begin
from tasks.steps.withdrawn import tell_withdrawn
from tasks.wiring.toolbox import Toolbox

#: The parts of a note that people wrote or found, and that Baton does not calculate.
_WRITTEN = ("added", "to_fix")


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """The result of a policy. touched: the handoffs that were restarted; left: those left alone, each with what had changed."""

    touched: tuple[InFlight, ...] = ()
    left: tuple[tuple[InFlight, str], ...] = ()


def carry_out(box: Toolbox, listed: Sequence[InFlight], *, actor: str = "baton", progress: Callable[[], None] = lambda: None) -> CarriedOut:
    """Withdraws the listed handoffs one after another, each in its own transaction.

    A handoff that has changed since it was listed is left as it is. progress is called after each.
    """
    touched, left = [], []
    for one in (one for one in listed if one.is_touched):
        why = box.write_now(lambda session, now, one=one: withdraw(session, one, actor=actor, now=now))  # type: ignore[misc]
        if why:
            left.append((one, why))
        else:
            touched.append(one)
        progress()
    return CarriedOut(tuple(touched), tuple(left))


def withdraw(session: Session, one: InFlight, *, actor: str, now: datetime) -> str:
    """Ends this handoff and begins its successor, inside the caller's write transaction; returns an empty text.

    If the handoff has changed since it was listed, changes nothing and returns what has happened, in words.
    """
    if why := version_migration.changed(session, one) or _other_version(session, one, now):
        return why
    handoff = leases.locked(session, one.handoff_id)
    wait = waits.open_of(session, one.handoff_id)
    if wait is not None and not waits.close_unanswered(session, wait, because="withdrawn", now=now):
        return "it was answered in this moment"
    was_held, handoff.held = handoff.held, False
    _end(session, handoff, one, actor=actor, now=now)
    begun = begin(session, handoffs.lead_of(session, handoff), now=now, cause="new-version", previous=handoff, hold=was_held)
    _hand_down(session, handoff, handoffs.get(session, begun), now=now)
    return ""


def _other_version(session: Session, one: InFlight, now: datetime) -> str:
    facts = facts_at_capture(session, handoffs.get(session, one.handoff_id))
    try:
        under = contracts.reference_of(contracts.in_force(session, now, facts.values))
    except NoAgreementInForce:
        return "no agreement is in force for it"
    return "" if under == one.under else f"{under} is in force for it"


def _end(session: Session, handoff: Handoff, one: InFlight, *, actor: str, now: datetime) -> None:
    """Ends the handoff. No attempt can write to it any more, and its only further message says that it was withdrawn."""
    leases.take_over(session, handoff)
    deliveries.abandon_half_sent(session, handoff, now=now)
    deliveries.call_off(session, one.handoff_id)
    wakes.drop_all(session, one.handoff_id)
    tenure = handoffs.end_assignment(session, handoff, because="recalled", now=now)
    handoff.reason = "new-version"
    handoffs.move(session, handoff, "withdrawn", now=now, actor=actor, taken_over_by=one.under, reason="new-version")
    if handoff.flow_run_id:
        wakes.add(session, one.handoff_id, "withdrawn", key=f"withdrawn:{one.handoff_id}", not_before=now)
    if tenure is not None and deliveries.may_have_arrived(session, tenure.id):
        tell_withdrawn(session, handoff, tenure.rep, tenure.id, because="recalled", now=now)


def _hand_down(session: Session, handoff: Handoff, successor: Handoff, *, now: datetime) -> None:
    """Copies people's input to the successor, so that nobody is asked again: the wanted rep, and their parts of the note."""
    successor.wanted_rep = handoff.wanted_rep
    session.add(successor)
    note = handoffs.note_of(session, handoff)
    written = {name: note.content[name] for name in _WRITTEN if note.content.get(name)} if note else {}
    if written:
        session.add(HandoffNote(handoff_id=successor.id, content=written, written_at=now))
    session.flush()

"""Check the promises that must hold after a chaos run. Each check returns its findings as sentences, or an empty list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES, Stage
from benchmarks.chaos.lateness import noticed_deadlines
from benchmarks.chaos.leads import SOURCE
from storage.tables import Activity, Delivery, DeliveryState, Event, Handoff, Lead, LeadSource, Wait, Wake
from tasks.clock_inputs import NO_CLOCK

#: The open stages in which somebody has a next task. A stuck lead is a separate finding.
MOVING = [one.value for one in OPEN_STAGES if one != Stage.STUCK]


def captured_once(session: Session, taken: Mapping[str, Sequence[int]]) -> list[str]:
    """Check that each lead that a web process accepted is stored once, with one activity.

    taken: source id -> the lead numbers in the answers of the web processes.
    """
    known = {row.source_id: row.lead_id for row in session.exec(select(LeadSource).where(LeadSource.source == SOURCE))}
    activities = Counter(session.exec(select(Activity.lead_id)))
    with_handoff = set(session.exec(select(Handoff.lead_id)))
    found = [f"lead {source} was taken in and is not there" for source in taken if source not in known]
    found += [f"lead {source} is there and nobody sent it" for source in known if source not in taken]
    for source, numbers in taken.items():
        number = known.get(source, 0)
        if set(numbers) != {number}:
            found.append(f"lead {source} is {number}, and its webhooks were answered {sorted(set(numbers))}")
        if number and activities[number] != 1:
            found.append(f"lead {source} has {activities[number]} activities instead of one")
        if number and number not in with_handoff:
            found.append(f"lead {source} has no handoff")
    leads = session.exec(select(func.count()).select_from(Lead)).one()
    if leads != len(taken):
        found.append(f"{leads} leads are there instead of {len(taken)}")
    return found


def owned(session: Session) -> list[str]:
    """Check that each open handoff has an owner and an open wait with a due time, and that none is stuck."""
    waits = {wait.handoff_id: wait for wait in session.exec(select(Wait).where(col(Wait.closed_at).is_(None)))}
    found = []
    for one in session.exec(select(Handoff).where(col(Handoff.stage).in_([*MOVING, Stage.STUCK.value]))):
        if one.stage == Stage.STUCK:
            found.append(f"lead {one.lead_id} is stuck in {one.track}")
        elif not one.owner or one.id not in waits:
            found.append(f"lead {one.lead_id}, {one.stage}, has owner {one.owner or 'nobody'} and no open wait")
    return found


def parked_keys(session: Session) -> dict[str, tuple[int, str]]:
    """Return where each open handoff should be parked: run id -> lead number and pause key."""
    rows = session.exec(
        select(Handoff, Wait)
        .join(Wait, col(Wait.handoff_id) == col(Handoff.id))
        .where(col(Wait.closed_at).is_(None), col(Handoff.stage).in_(MOVING))
    )
    return {handoff.flow_run_id or f"none of {handoff.id}": (handoff.lead_id, wait.parked_key) for handoff, wait in rows}


def at_rest(session: Session, now: datetime) -> list[str]:
    """Check that nothing is left over: no due wake, lease or half-sent message, and no deadline without its consequence."""
    found = [f"a wake of handoff {one.handoff_id} ({one.kind}) is not read" for one in session.exec(select(Wake)) if one.not_before <= now]
    leased = session.exec(select(Handoff).where(col(Handoff.lease_until) > datetime.now(UTC)))
    found += [f"handoff {one.id} is leased by {one.lease_by}" for one in leased]
    for row in session.exec(select(Delivery).where(col(Delivery.state).in_([DeliveryState.SENDING, DeliveryState.QUEUED]))):
        if row.state == DeliveryState.SENDING or row.send_at <= now:
            found.append(f"delivery {row.key} is left {row.state}")
    overdue = select(Wait).where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), col(Wait.due_at) <= now)
    found += [f"the {one.kind} of handoff {one.handoff_id} was due at {one.due_at} and nothing came of it" for one in session.exec(overdue)]
    return found


def missed_with_reason(session: Session) -> list[str]:
    """Check that the trail says for each missed deadline who missed it and why, with the due time as its time."""
    events = session.exec(select(Event).where(Event.kind == "missed"))
    said = {(event.handoff_id, event.data.get("clock"), event.at): event for event in events}
    found = []
    for wait, _ in noticed_deadlines(session):
        counts = wait.rung == 0 and wait.about != NO_CLOCK and wait.closed_because == "missed"
        event = said.get((wait.handoff_id, wait.kind, wait.due_at))
        if counts and (event is None or not event.data.get("because")):
            found.append(f"the {wait.kind} of handoff {wait.handoff_id} was missed, and the trail does not say why")
    return found


def nothing_twice(repeated: Mapping[str, int], chat_keys: Iterable[str]) -> list[str]:
    """Check that no receiver got two messages under one key.

    repeated: key -> messages, as the inbox counts them. chat_keys: the key of each post in the chat room.
    """
    found = [f"the inbox got {times} messages under the key {key}" for key, times in repeated.items()]
    posts = Counter(key for key in chat_keys if key)
    return [*found, *(f"the chat room got {times} posts under the key {key}" for key, times in posts.items() if times > 1)]


def recorded_runs(session: Session) -> list[str]:
    """Return the ids of the runs that carry out the handoffs."""
    return [run_id for run_id in session.exec(select(Handoff.flow_run_id)) if run_id]


def delivery_states(session: Session) -> dict[str, int]:
    """Count the deliveries in each state."""
    return dict(sorted(Counter(session.exec(select(Delivery.state))).items()))

"""Three workers on one installation: one is cut off in the middle, and what it had in hand goes on elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from app import stack
from app.stack import Part
from storage.tables import Delivery, Event, Handoff, Wake
from tests.live import Live, live_stack
from tests.postgres import new_database, postgresql_server

__all__ = ["postgresql_server"]
pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.timeout(900)]
LEADS, LATER_LEADS = 30, 3
PATIENCE_SECONDS = 300
WORKERS = ("worker", "worker-2", "worker-3")


@pytest.fixture
def live(postgresql_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A stack with both databases on PostgreSQL, and two workers more than it begins with."""
    with new_database(postgresql_server) as ours, new_database(postgresql_server) as prefects:
        monkeypatch.setenv("BATON_DATABASE_URL", ours)
        monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", prefects.replace("postgresql://", "postgresql+asyncpg://"))
        with live_stack(tmp_path / "three") as running:
            for name in WORKERS[1:]:
                add_worker(running, name)
            yield running
            for name in WORKERS:  # one that a failed test left frozen cannot end
                send(running, signal.SIGCONT, name)


def add_worker(live: Live, name: str) -> None:
    """Starts one more worker under this name."""
    part = Part(name, stack.baton("worker"), live.stack.folder / "logs" / f"{name}.log", live.stack.environment)
    live.stack.parts[name] = part
    part.start()


def send(live: Live, number: signal.Signals, *names: str) -> None:
    """Sends a signal to these parts."""
    for name in names:
        process = live.stack.parts[name].process
        assert process is not None
        if process.poll() is None:
            os.killpg(process.pid, number)


def leased(session: Session, now: datetime) -> dict[int, tuple[str, int]]:
    """Return the handoffs under way, each with its holder and epoch."""
    rows = session.exec(select(Handoff).where(col(Handoff.lease_until) > datetime.now(UTC)))
    return {row.id: (row.lease_by, row.epoch) for row in rows}


def sending(session: Session, now: datetime) -> set[int | None]:
    """Return the handoffs of which a message is just being sent."""
    return set(session.exec(select(Delivery.handoff_id).where(Delivery.state == "sending")))


def left_in_hand(live: Live) -> dict[int, tuple[str, int]]:
    """Freeze the first worker while it sends a message, and return the leases that it holds.

    The others are frozen only until that has come about.
    """
    others = WORKERS[1:]
    send(live, signal.SIGSTOP, *others)
    of_others, theirs = live.box.read_now(leased), live.box.read_now(sending)

    def catch() -> dict[int, tuple[str, int]]:
        send(live, signal.SIGSTOP, WORKERS[0])
        held = {ident: lease for ident, lease in live.box.read_now(leased).items() if of_others.get(ident) != lease}
        if held.keys() & live.box.read_now(sending) - theirs:
            return held
        send(live, signal.SIGCONT, WORKERS[0])
        return {}

    held = live.until(catch)
    send(live, signal.SIGCONT, *others)
    return held


def at_rest(session: Session, now: datetime) -> bool:
    """Say whether no attempt is under way, and no wake or message is due."""
    asked = session.exec(select(Wake.id).where(col(Wake.not_before) <= now).limit(1)).first()
    to_send = session.exec(select(Delivery.id).where(col(Delivery.state).in_(["queued", "sending"]), col(Delivery.send_at) <= now)).first()
    return not leased(session, now) and asked is None and to_send is None


def written(session: Session, handoffs: Sequence[int]) -> dict[int, tuple[object, ...]]:
    """Return what attempts write of these handoffs. The state of an e-mail is left out: time alone confirms it."""

    def of(handoff_id: int) -> tuple[object, ...]:
        row = session.get(Handoff, handoff_id)
        assert row is not None
        events = session.exec(select(Event.id, Event.kind).where(Event.handoff_id == handoff_id).order_by(col(Event.id)))
        sent = select(Delivery.key, Delivery.tries, Delivery.sent_at).where(Delivery.handoff_id == handoff_id)
        return row.epoch, row.stage, [tuple(one) for one in events], [tuple(one) for one in session.exec(sent.order_by(col(Delivery.id)))]

    return {one: of(one) for one in handoffs}


def test_what_a_frozen_worker_had_in_hand_goes_on_elsewhere_and_it_writes_nothing_when_it_comes_back(live: Live) -> None:
    many = [live.capture() for _ in range(LEADS)]

    held = left_in_hand(live)
    for taken in many:
        live.until_stage(taken, "assigned")
        live.until_parked(taken, "AwaitingAcceptance")

    own = [handoff for handoff in map(live.handoff, many) if handoff.id in held]
    assert len(own) == len(held)
    assert all(handoff.epoch > held[handoff.id][1] for handoff in own), "another worker has taken over"
    assert live.box.read_now(sending) == set(), "what was half sent is unknown now"
    assert live.inbox.repeated_keys() == {}

    live.until(lambda: live.box.read_now(at_rest))
    before = live.box.read_now(lambda session, now: written(session, list(held)))
    send(live, signal.SIGCONT, WORKERS[0])
    for name in WORKERS[1:]:
        live.stack.parts[name].stop()
    for taken in [live.capture() for _ in range(LATER_LEADS)]:  # only the one that was frozen can carry these out
        live.until_parked(taken, "AwaitingAcceptance")

    after = live.box.read_now(lambda session, now: written(session, list(held)))
    assert {one: (before[one], after[one]) for one in held if before[one] != after[one]} == {}
    assert live.inbox.repeated_keys() == {}
    first = live.stack.parts[WORKERS[0]]
    first.stop(seconds=60)
    assert first.process is not None
    assert first.process.returncode == 0

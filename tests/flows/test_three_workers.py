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
from storage.tables import Delivery, Event, Handoff
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
    """The handoffs that are under way: by whom, and in which epoch."""
    rows = session.exec(select(Handoff).where(col(Handoff.lease_until) > datetime.now(UTC)))
    return {row.id or 0: (row.lease_by, row.epoch) for row in rows}


def left_in_hand(live: Live) -> dict[int, tuple[str, int]]:
    """Freezes all workers such that the first one holds leases; these. Those that the others hold are left out."""
    others = WORKERS[1:]
    send(live, signal.SIGSTOP, *others)
    of_others = set(live.box.read_now(leased).values())

    def catch() -> dict[int, tuple[str, int]]:
        send(live, signal.SIGSTOP, WORKERS[0])
        held = {ident: lease for ident, lease in live.box.read_now(leased).items() if lease not in of_others}
        if not held:
            send(live, signal.SIGCONT, WORKERS[0])
        return held

    held = live.until(catch, seconds=PATIENCE_SECONDS)
    send(live, signal.SIGCONT, *others)
    return held


def written(live: Live, handoffs: Sequence[int]) -> tuple[object, ...]:
    """Everything that attempts write of these handoffs."""

    def read(session: Session, now: datetime) -> tuple[object, ...]:
        epochs = session.exec(select(Handoff.id, Handoff.epoch, Handoff.stage).where(col(Handoff.id).in_(handoffs)).order_by(Handoff.id))
        events = session.exec(select(Event.id, Event.kind).where(col(Event.handoff_id).in_(handoffs)).order_by(col(Event.id)))
        sent = select(Delivery.key, Delivery.tries, Delivery.sent_at).where(col(Delivery.handoff_id).in_(handoffs))
        post = session.exec(sent.order_by(col(Delivery.id)))  # not its state: an e-mail is confirmed by time alone
        return tuple(map(tuple, (epochs, events, post)))

    return live.box.read_now(read)


def test_what_a_frozen_worker_had_in_hand_goes_on_elsewhere_and_it_writes_nothing_when_it_comes_back(live: Live) -> None:
    many = [live.capture() for _ in range(LEADS)]

    held = left_in_hand(live)
    for taken in many:
        live.until(lambda taken=taken: live.handoff(taken).stage == "assigned", seconds=PATIENCE_SECONDS)
        live.until_parked(taken, "AwaitingAcceptance")

    own = [handoff for handoff in map(live.handoff, many) if handoff.id in held]
    assert len(own) == len(held)
    assert all(handoff.epoch > held[handoff.id][1] for handoff in own), "another worker has taken over"
    assert live.inbox.repeated_keys() == {}

    handoffs = [live.handoff(taken).id or 0 for taken in many]
    before = written(live, handoffs)
    send(live, signal.SIGCONT, WORKERS[0])
    for name in WORKERS[1:]:
        live.stack.parts[name].stop()
    for taken in [live.capture() for _ in range(LATER_LEADS)]:  # only the one that was frozen can carry these out
        live.until_parked(taken, "AwaitingAcceptance")

    assert written(live, handoffs) == before
    assert live.inbox.repeated_keys() == {}
    first = live.stack.parts[WORKERS[0]]
    first.stop(seconds=60)
    assert first.process is not None
    assert first.process.returncode == 0

"""Two colleagues whose leads are given out at the same moment on PostgreSQL: the second attempt waits, and sees who got the first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from agreements.loading import read_agreement
from storage import companies, handoffs
from storage.tables import Assignment, Handoff
from tasks.wiring import toolbox
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.postgres import new_database
from tests.present import the
from tests.racing import box_on, prepare
from tests.rows import a_handoff
from tests.storage.test_identity_races import watcher

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
PATIENCE_SECONDS = 30


def test_the_second_of_two_colleagues_waits_and_sees_the_first(postgresql_server: str, tmp_path: Path) -> None:
    with new_database(postgresql_server) as url:
        prepare(url, tmp_path, MONDAY, [], agreement=AGREEMENT, people=ROSTER)
        box, chosen, may_commit = box_on(url, tmp_path, MONDAY), threading.Event(), threading.Event()
        first, second = (box.write_now(at_acme) for _ in range(2))

        def give_the_first(session: Session, now: datetime) -> None:
            handoff = the(session.get(Handoff, first))
            companies.lock(session, handoffs.lead_of(session, handoff))
            session.add(Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, rep="cleo", assigned_at=now))
            session.flush()
            chosen.set()
            may_commit.wait(PATIENCE_SECONDS)

        def look_for_the_second(session: Session, now: datetime) -> list[str]:
            handoff = the(session.get(Handoff, second))
            companies.lock(session, handoffs.lead_of(session, handoff))
            return [row.rep for row in companies.colleagues(session, handoff, read_agreement(AGREEMENT), now=now)]

        with ThreadPoolExecutor(2) as pool, watcher(box.database) as is_waiting:
            one = pool.submit(box.write_now, give_the_first)
            assert chosen.wait(PATIENCE_SECONDS)
            other = pool.submit(box.write_now, look_for_the_second)
            while not other.done() and not is_waiting():
                continue
            assert not other.done()
            may_commit.set()
            one.result(PATIENCE_SECONDS)
            assert other.result(PATIENCE_SECONDS) == ["cleo"]
        box.database.close()
        toolbox.use(None)


def at_acme(session: Session, now: datetime) -> int:
    """A lead of Acme, and the number of its handoff."""
    handoff = a_handoff(session, now)
    handoffs.lead_of(session, handoff).email = f"p{handoff.id}@acme.example"
    session.flush()
    return handoff.id

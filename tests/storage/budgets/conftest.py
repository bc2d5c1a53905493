"""A database with a crowd of leads, and a toolbox on it.

What is done all the time reads no big table from end to end, and asks a number of things that does not grow with the leads. The numbers
in the files beside this one are what it takes today: lower them with the code, and raise none without a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlmodel import col, select

from agreements.words import ChannelName
from notifications.links import Links
from storage import schema, trail
from storage.crm.local import LocalCrm
from storage.database import Database
from storage.tables import CrmChange, Enrolment, Handoff, KeptPayload
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY, put_in_force
from tests.fakes import KeepingChannel
from tests.postgres import new_database
from tests.storage.budgets.measuring import clear
from tests.storage.crowd import analyze, fill


@pytest.fixture(
    scope="session",
    params=["few", *(pytest.param(name, marks=[pytest.mark.long, pytest.mark.timeout(900)]) for name in ("sqlite", "postgresql"))],
)
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with leads: a few thousand in SQLite without statistics, as it is installed; and 230,000 in either kind."""
    if request.param == "postgresql":
        with new_database(request.getfixturevalue("postgresql_server")) as url:
            yield from _filled(url, open_handoffs=30_000, ended=200_000)
        return
    url = f"sqlite:///{tmp_path_factory.mktemp('crowd') / 'baton.db'}"
    if request.param == "few":
        yield from _filled(url, open_handoffs=300, ended=2_000, counted=False)
    else:
        yield from _filled(url, open_handoffs=30_000, ended=200_000)


def _filled(url: str, *, open_handoffs: int, ended: int, counted: bool = True) -> Iterator[Database]:
    database = Database(url)
    schema.upgrade(database)
    fill(database, open_handoffs=open_handoffs, ended=ended)
    fill_beside(database, ended // 10)
    if counted:
        analyze(database)
    with database.write() as session:
        put_in_force(session, MONDAY)
    yield database
    database.close()


def fill_beside(database: Database, count: int) -> None:
    """Fill the tables beside the leads with rows that are settled: payloads that a person looks at, changes that were taken, enrolments."""
    long_ago = MONDAY - timedelta(days=20)
    payload = {"door": "forms", "content": "{}", "content_type": "", "is_base64": False, "reason": "", "at": long_ago, "tries": 0}
    change = {"lead_id": 1, "kind": "fields", "by": "ana", "at": long_ago, "details": {}, "read_at": long_ago, "taken_at": long_ago}
    enrolment = {"track": "not-now", "wanted": "in", "turn": 1, "state": "confirmed", "since": long_ago, "rung": 0, "tries": 0}
    with database.write() as session:
        leads = session.execute(select(Handoff.id, Handoff.lead_id).order_by(col(Handoff.id)).limit(count)).all()
        session.execute(insert(KeptPayload), [{**payload, "key": f"beside-{number}"} for number in range(count)])
        session.execute(insert(CrmChange), [{**change, "id": f"beside-{number}"} for number in range(count)])
        rows = [{**enrolment, "handoff_id": handoff, "lead_id": lead, "proof": "", "error": ""} for handoff, lead in leads]
        session.execute(insert(Enrolment), rows)


@pytest.fixture
def box(crowd: Database, time: SteppedTime, tmp_path: Path) -> Iterator[Toolbox]:
    """A toolbox on it, with nothing that an earlier test left to be done: no wait, no message and no event that is not sealed yet."""
    settings = Settings(home=tmp_path / "home", undo_minutes=0, crm_poll_seconds=0.0001)
    names: tuple[ChannelName, ...] = ("email", "chat", "manager-email", "crm")
    channels = {name: KeepingChannel(name) for name in names}
    links = Links(["a-key-for-tests-only"], "http://baton.test")
    made = Toolbox(settings, crowd, LocalCrm(tmp_path / "crm.db"), channels, links, time)
    toolbox.use(made)
    made.write_now(clear)
    while made.write_now(lambda session, now: trail.seal(session, key=settings.seal_key(), now=now)):
        pass
    yield made
    toolbox.use(None)

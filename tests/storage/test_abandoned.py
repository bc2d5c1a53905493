"""A process that is stopped in the middle of a transaction keeps what it has locked only for a while."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import text

from storage import database as databases
from storage import leases, schema, wakes
from storage.database import Database
from tests.conftest import MONDAY
from tests.patience import until
from tests.postgres import new_database
from tests.rows import a_handoff

pytestmark = pytest.mark.long
REAL = datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_what_a_stopped_process_has_locked_is_claimed_by_another(postgresql_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "ABANDONED_SECONDS", 1)
    with new_database(postgresql_server) as url:
        database = Database(url)
        schema.upgrade(database)
        with database.write() as session:
            ident = a_handoff(session, MONDAY).id
            wakes.add(session, ident, "answer", key="answer", not_before=MONDAY)

        def claim() -> list[int | None]:
            with database.write() as session:
                return [one.id for one in leases.claim_due(session, by="another", now=MONDAY, real=REAL, room=4)]

        def stopped() -> None:
            with database.write() as session:
                leases.locked(session, ident)
                assert claim() == []
                until(lambda: claim() == [ident], every_seconds=0.2)
                session.execute(text("SELECT 1"))  # it comes back, and is told that its transaction is over

        with pytest.raises(DBAPIError, match="idle-in-transaction timeout"):
            stopped()
        with database.read() as session:
            bound = session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
        database.close()

    assert bound == "1s"

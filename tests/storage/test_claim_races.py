"""Two workers that claim from one database: each handoff is carried out by one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import leases, schema, wakes
from storage.database import Database
from tests.conftest import MONDAY
from tests.processes import side_by_side
from tests.rows import a_handoff

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
HANDOFFS = 400


def claim(side: int, together: Callable[[], None], url: str) -> list[int]:
    """Claims a few at a time until nothing is left; what was claimed."""
    database, mine = Database(url), []
    together()
    while True:
        with database.write() as session:
            found = leases.claim_due(session, by=str(side), now=MONDAY, real=datetime.now(UTC), room=4)
            mine += [one.id for one in found]
            done = not found
        with database.read() as session:
            done = done and not leases.is_any_due(session, now=MONDAY, real=datetime.now(UTC))
        if done:
            database.close()
            return mine


def test_each_handoff_is_claimed_once(race_url: str, tmp_path: Path) -> None:
    database = Database(race_url)
    schema.upgrade(database)
    with database.write() as session:
        ids = [a_handoff(session, MONDAY).id for _ in range(HANDOFFS)]
        for ident in ids:
            wakes.add(session, ident, "answer", key=f"answer:{ident}", not_before=MONDAY)
    database.close()

    one, other = side_by_side(claim, race_url)

    assert sorted([*one, *other]) == ids
    assert min(len(one), len(other)) >= 10, "hardly a race"

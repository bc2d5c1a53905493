"""What the storage tests share beside the rest: a PostgreSQL server, and databases to race on, for those that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import new_database, postgresql_server

__all__ = ["postgresql_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def race_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database for two processes, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'race.db'}"
        return
    with new_database(request.getfixturevalue("postgresql_server")) as url:
        yield url

"""A PostgreSQL server for the tests: started in a temporary folder, and gone when they end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks.postgresql import cluster, installed, new_database

__all__ = ["new_database", "postgresql_server"]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Return the URL of a new PostgreSQL server. Without PostgreSQL the test is skipped; with BATON_REQUIRE_ALL=1 it fails."""
    programs = installed()
    if programs is None:
        reason = "PostgreSQL is not installed: there is no initdb in /usr/lib/postgresql/*/bin"
        if os.environ.get("BATON_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with cluster(programs) as running:
        yield running.url

"""The two databases of one benchmark, Baton's and Prefect's, with a user whose queries are not counted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine

from benchmarks.postgresql import Cluster, cluster, installed
from storage.database import normal_url

#: PostgreSQL with its normal settings, and with its statements counted. No setting trades durability for speed.
COUNTED = (
    "-c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.max=50000 -c pg_stat_statements.track=top"
    " -c pg_stat_statements.track_utility=on -c max_connections=200"
)
#: The benchmark's database users: as people its captures and answers count, as onlooker its queries do not.
PEOPLE, ONLOOKER = "people", "onlooker"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Databases:
    """Baton's and Prefect's databases of one stack. cluster: the PostgreSQL server, None for SQLite files in `folder`."""

    folder: Path
    cluster: Cluster | None
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def on_postgresql(self) -> bool:
        """Return whether both databases are on PostgreSQL."""
        return self.cluster is not None

    @property
    def names(self) -> tuple[str, str]:
        """Return the names of Baton's and Prefect's databases on the PostgreSQL server."""
        return f"baton_{self.number}", f"prefect_{self.number}"

    def baton_url(self, user: str = "baton") -> str:
        """Return the URL of Baton's database for that user."""
        return self.cluster.database(self.names[0], user=user) if self.cluster else f"sqlite:///{self.folder / 'baton.db'}"

    def settings(self) -> dict[str, str]:
        """Return the settings that point the stack to these databases."""
        if self.cluster is None:
            return {"BATON_DATABASE_URL": self.baton_url()}
        prefect = self.cluster.database(self.names[1]).replace("postgresql://", "postgresql+asyncpg://")
        return {"BATON_DATABASE_URL": self.baton_url(), "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefect}

    def engines(self, user: str = ONLOOKER, **options: Any) -> tuple[Engine, Engine]:
        """Return engines on Baton's and Prefect's databases. options: those of SQLAlchemy's create_engine."""
        if self.cluster is None:
            urls: tuple[str, ...] = (self.baton_url(), f"sqlite:///{self.folder / 'prefect' / 'prefect.db'}")
        else:
            urls = tuple(normal_url(self.cluster.database(name, user=user)) for name in self.names)
        baton, prefect = (create_engine(url, **options) for url in urls)
        return baton, prefect


@contextmanager
def server(*, sqlite: bool) -> Iterator[Cluster | None]:
    """Start the PostgreSQL server for all benchmarks of this run. None where it is not installed, or with sqlite."""
    programs = None if sqlite else installed()
    if programs is None:
        yield None
        return
    with cluster(programs, options=COUNTED) as running:
        with psycopg.connect(running.url, autocommit=True) as admin:
            for name in (PEOPLE, ONLOOKER):
                admin.execute(f"CREATE ROLE {name} SUPERUSER LOGIN")
            admin.execute("CREATE EXTENSION pg_stat_statements")
        yield running


@contextmanager
def databases(folder: Path, running: Cluster | None) -> Iterator[Databases]:
    """Create two empty databases, and drop them when the block ends."""
    made = Databases(folder, running)
    if running is None:
        yield made
        return
    with psycopg.connect(running.url, autocommit=True) as admin:
        for name in made.names:
            admin.execute(f"CREATE DATABASE {name}")
        try:
            yield made
        finally:
            for name in made.names:
                with suppress(psycopg.Error):
                    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

"""Read how many statements and transactions PostgreSQL has counted for Baton's database."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from benchmarks.databases import ONLOOKER, Databases

#: Commands that begin or end a transaction, or configure a connection. They are not statements about leads.
HOUSEKEEPING = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "SHOW", "DEALLOCATE", "DISCARD")


@dataclass(frozen=True, slots=True)
class Asked:
    """The counts since the server started. statements: without housekeeping. prefect_statements: in Prefect's database.

    begun: transactions with at least one statement, because the driver begins one with its first statement. committed,
    rolled_back: how they ended; a session that only reads ends with a rollback. server_commits, server_rollbacks: the server's
    own counts, which include checks that a pooled connection is still alive.
    """

    statements: int = 0
    begun: int = 0
    committed: int = 0
    rolled_back: int = 0
    server_commits: int = 0
    server_rollbacks: int = 0
    prefect_statements: int = 0

    def since(self, before: Asked) -> dict[str, int]:
        """Return the increase of each count since then."""
        return {name: getattr(self, name) - getattr(before, name) for name in self.__slots__}


def kind_of(statement: str) -> str:
    """Return the housekeeping command of a statement, empty for every other statement."""
    word = statement.lstrip().split(None, 1)[0].rstrip(";").upper() if statement.strip() else ""
    return word if word in HOUSEKEEPING else ""


def asked(databases: Databases) -> Asked | None:
    """Return the counts until now, None on SQLite, which counts nothing. The onlooker's own statements are left out."""
    if databases.cluster is None:
        return None
    baton, prefect = databases.names
    with psycopg.connect(databases.cluster.url, autocommit=True) as admin:
        counted = admin.execute(
            "SELECT d.datname, s.query, s.calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
            " JOIN pg_roles r ON r.oid = s.userid WHERE d.datname = ANY(%s) AND r.rolname <> %s",
            ([baton, prefect], ONLOOKER),
        ).fetchall()
        ended = admin.execute("SELECT xact_commit, xact_rollback FROM pg_stat_database WHERE datname = %s", (baton,)).fetchone()
    ours = [(kind_of(query), calls) for name, query, calls in counted if name == baton]
    theirs = [calls for name, query, calls in counted if name == prefect and not kind_of(query)]
    number = {word: sum(calls for kind, calls in ours if kind == word) for word in ("", "BEGIN", "COMMIT", "ROLLBACK")}
    commits, rollbacks = ended or (0, 0)
    return Asked(number[""], number["BEGIN"], number["COMMIT"], number["ROLLBACK"], commits, rollbacks, sum(theirs))

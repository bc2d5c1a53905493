"""Locks by name: a transaction that takes one keeps every other from taking it until its own end."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import text
from sqlmodel import Session


def take(session: Session, names: Iterable[str]) -> None:
    """Takes these locks, and waits for transactions that hold them. SQLite has one writer at a time and needs none.

    Call it once a transaction, for all names at once: they are taken in one order, so two transactions never wait for each other.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    keys = sorted({_number(name) for name in names})
    session.execute(text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:keys AS bigint[])) AS one"), {"keys": keys})


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)

"""Keys for machines. Only the person who makes a key sees it in plain, once; Baton stores only its hash.

Each key permits its scopes and nothing else: the key of a website cannot report returned mail.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from agreements.errors import HandoffError
from storage.tables import ApiKey

PREFIX = "baton_"
LONGEST_NAME = 80


class Scope(StrEnum):
    """What a key may be used for. Intake: send leads and their activities. Dsn: report returned mail. Crm: say that the CRM has news.
    Metrics: read how the installation does."""

    INTAKE = "intake"
    DSN = "dsn"
    CRM = "crm"
    METRICS = "metrics"


class KeyRefused(HandoffError):
    """No key can be made under this name."""


def create(session: Session, name: str, now: datetime, scopes: Collection[Scope] = (Scope.INTAKE,)) -> str:
    """Makes a key for these scopes and returns it, this once. Call inside a write transaction.

    name: the person or machine it is for; the name stays taken after the key is revoked, so that one name in the trail is one key. now:
    aware. Raises: KeyRefused for no scope, and for a name that is empty, too long or taken.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise KeyRefused(f"Name the key by 1 to {LONGEST_NAME} plain characters, after the form or system that will use it.")
    if not scopes:
        raise KeyRefused("A key needs a scope: what it may be used for.")
    if taken := _named(session, name):
        state = "was revoked" if taken.revoked_at else "is in use"
        raise KeyRefused(f"A key named {name!r} {state}. Choose another name.")
    key = PREFIX + secrets.token_urlsafe(32)
    session.add(ApiKey(hash=_hash(key), name=name, scopes=" ".join(sorted(set(scopes))), created_at=now))
    session.flush()
    return key


def verify(session: Session, key: str) -> ApiKey | None:
    """The row of this key; None for one that was never made or is revoked. `may` says what it opens.

    The look-up uses a hash of what was sent, so its duration reveals nothing about existing keys.
    """
    row = session.get(ApiKey, _hash(key))
    return row if row and row.revoked_at is None else None


def may(row: ApiKey, scope: Scope) -> bool:
    """Whether this key was made for that scope."""
    return scope in row.scopes.split()


def revoke(session: Session, name: str, now: datetime) -> bool:
    """Ends the key at once and for ever; False where no key with that name works. Call inside a write transaction."""
    row = _named(session, name)
    if row is None or row.revoked_at is not None:
        return False
    row.revoked_at = now
    session.add(row)
    session.flush()
    return True


def working(session: Session) -> list[ApiKey]:
    """The keys that work, oldest first."""
    query = select(ApiKey).where(col(ApiKey.revoked_at).is_(None))
    return list(session.exec(query.order_by(col(ApiKey.created_at), col(ApiKey.name))))


def _named(session: Session, name: str) -> ApiKey | None:
    return session.exec(select(ApiKey).where(ApiKey.name == name)).first()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

"""Checks before a part starts. A part that could not work does not start, and says what to do."""

from __future__ import annotations

import hashlib
import hmac
import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from agreements.errors import HandoffError
from storage import wakes
from storage.tables import Bookmark
from tasks.wiring.toolbox import Toolbox

#: The most by which the clocks of this machine, the database's and the Prefect server's may differ.
SKEW = timedelta(seconds=20)
#: How much the database must have room for at a start.
ROOM_BYTES = 64 * 1024
_INSTALLATION, _TRY = "installation", "start"


class CannotStart(HandoffError):  # noqa: N818 - errors here are named as states
    """A part cannot start before somebody corrects this installation."""


def check_database(box: Toolbox) -> None:
    """Check that the database can be written to, belongs to this installation, and has the same time. Raises CannotStart."""
    asked_at = datetime.now(UTC)
    try:
        owner, theirs = box.write_now(lambda session, now: (_owner(session, box), _database_time(session)))
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        raise CannotStart(
            f"The database cannot be written to: {said}. Free space, or give Baton the right to write, and start again."
        ) from error
    if owner:
        raise CannotStart(
            f"The database belongs to another installation, {owner}. Give this installation its own database (BATON_DATABASE_URL). If"
            " both are one installation on several machines, give them the same BATON_TRAIL_KEY and BATON_SECRETS."
        )
    compare_clocks(theirs, "the database server", asked_at=asked_at)


def _owner(session: Session, box: Toolbox) -> str:
    """Return the name of the other installation that owns this database; empty where it is ours, or has no owner yet.

    Installations are told apart by their trail key, which never changes: the database keeps a fingerprint of it.
    """
    mine = hmac.new(box.settings.seal_key(), b"installation", hashlib.sha256).hexdigest()[:32]
    name = f"{socket.gethostname()}:{box.settings.folder}"
    wakes.insert_once(session, Bookmark, name=_INSTALLATION, value=f"{mine} {name}")
    tried = session.merge(Bookmark(name=_TRY, value="." * ROOM_BYTES))
    session.flush()
    tried.value = datetime.now(UTC).isoformat()
    row = session.get(Bookmark, _INSTALLATION, populate_existing=True)
    fingerprint, _, theirs = (row.value if row else "").partition(" ")
    return "" if fingerprint == mine else theirs


def _database_time(session: Session) -> datetime | None:
    if session.get_bind().dialect.name != "postgresql":
        return None  # SQLite has this machine's clock
    found: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return found


def compare_clocks(theirs: datetime | None, whose: str, *, asked_at: datetime) -> None:
    """Raise CannotStart where this machine's clock is far from theirs; None: there is no other clock.

    asked_at: when we asked, by this machine's clock. An answer may take long, and they may read their clock at any time meanwhile.
    """
    ours = datetime.now(UTC)
    if theirs is not None and not asked_at - SKEW <= theirs <= ours + SKEW:
        raise CannotStart(
            f"The clock of this machine says {ours:%H:%M:%S} UTC, that of {whose} {theirs.astimezone(UTC):%H:%M:%S}. Leases and"
            " deadlines need clocks that agree: set them by NTP and start again."
        )

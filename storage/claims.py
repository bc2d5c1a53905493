"""Claims: work that only one process at a time may do. A claim expires, so that a dead process does not block others for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from agreements.errors import AgreementError
from storage import wakes
from storage.tables import Claim, new_id

#: After this many real seconds anybody may take a claim that was not given back.
LEASE_SECONDS = 120


class Claimed(AgreementError):
    """Somebody else is doing this work."""


def take(session: Session, name: str, *, by: str, about: str) -> str:
    """Takes the claim and returns its token. Raises Claimed, which names who has it, for what and since when."""
    real, token = datetime.now(UTC), new_id()
    row = {"token": token, "by": by, "about": about, "since": real, "until": real + timedelta(seconds=LEASE_SECONDS)}
    if wakes.insert_once(session, Claim, name=name, **row):
        return token
    over = update(Claim).where(col(Claim.name) == name, col(Claim.until) <= real).values(**row)
    if session.execute(over).rowcount:  # type: ignore[attr-defined]
        return token
    held = session.get(Claim, name, populate_existing=True)
    who = f"{held.by} has been {held.about} since {held.since:%H:%M:%S} UTC" if held else "Somebody else was doing this"
    raise Claimed(f"{who}. Repeat the command when that is done. Work that died gives way after {LEASE_SECONDS} seconds.")


def require(session: Session, name: str, token: str) -> None:
    """Keeps the claim for the rest of this transaction. Raises Claimed where it was lost."""
    query = select(Claim).where(Claim.name == name, Claim.token == token).with_for_update()
    if session.exec(query).first() is None:
        raise Claimed("This took too long, and somebody else has taken over. Look at what they did, then repeat the command.")


def give_back(session: Session, name: str, token: str) -> None:
    """Gives the claim back; does nothing when it was lost already."""
    session.execute(delete(Claim).where(col(Claim.name) == name, col(Claim.token) == token))

"""Kept payloads: what came through an intake door and is not taken in yet. Nothing signed is lost, and nothing is kept twice."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage import wakes
from storage.tables import KeptAddress, KeptPayload, SeenDelivery

#: The longest reason that is stored, in characters.
LONGEST_REASON = 1_000
#: So many addresses of one payload are noted at most.
MOST_ADDRESSES = 50
#: How long a delivery's mark is remembered: longer than any sender's window.
REMEMBERED = timedelta(days=1)
#: So many old marks go with each new one.
_FORGOTTEN_AT_ONCE = 20
#: How long one process has a payload to itself while it fetches the lead's values.
CLAIMED_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class NewPayload:
    """A payload to keep. See KeptPayload; content: the bytes; addresses: by mail_key."""

    key: str
    door: str
    content: bytes
    content_type: str
    reason: str = ""
    addresses: tuple[str, ...] = ()


def keep(session: Session, new: NewPayload, *, now: datetime, next_at: datetime | None = None) -> bool:
    """Keeps a payload, once for each key; False if it was kept before. Then the reason and the time of the next try are the new ones."""
    content, is_base64 = _stored(new.content)
    row = {"door": new.door, "content": content, "content_type": new.content_type[:200], "is_base64": is_base64}
    again = {"reason": new.reason[:LONGEST_REASON], "next_at": next_at, "tries": 0}
    if not wakes.insert_once(session, KeptPayload, key=new.key, at=now, **row, **again):
        session.execute(update(KeptPayload).where(col(KeptPayload.key) == new.key).values(**again))
        return False
    ident = session.exec(select(KeptPayload.id).where(KeptPayload.key == new.key)).one()
    rows = [{"payload_id": ident, "address": one} for one in sorted(set(new.addresses))[:MOST_ADDRESSES]]
    wakes.insert_new(session, KeptAddress, rows)
    return True


def _stored(content: bytes) -> tuple[str, bool]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    return (b64encode(content).decode(), True) if "\0" in text else (text, False)


def content_of(row: KeptPayload) -> bytes:
    """Return the body as it came."""
    return b64decode(row.content) if row.is_base64 else row.content.encode()


def by_key(session: Session, key: str) -> KeptPayload | None:
    """Return the payload of this key, None if it is not kept."""
    return session.exec(select(KeptPayload).where(KeptPayload.key == key)).first()


def failed(session: Session, *, after: int = 0, limit: int = 100) -> list[KeptPayload]:
    """Return the payloads that somebody has to look at, oldest first, after this number."""
    query = select(KeptPayload).where(col(KeptPayload.id) > after, col(KeptPayload.next_at).is_(None))
    return list(session.exec(query.order_by(col(KeptPayload.id)).limit(limit)))


def newest(session: Session) -> int:
    """Return the highest number of a kept payload, 0 for none."""
    return session.exec(select(func.max(KeptPayload.id))).one() or 0


def count(session: Session, door: str) -> int:
    """How many payloads of this door are kept."""
    return session.exec(select(func.count()).select_from(KeptPayload).where(KeptPayload.door == door)).one()


def due_query(now: datetime) -> SelectOfScalar[int]:
    """Return the query for the numbers of payloads whose lead is to be fetched now, the longest due first."""
    query = select(KeptPayload.id).where(col(KeptPayload.next_at).is_not(None), col(KeptPayload.next_at) <= now)
    return query.order_by(col(KeptPayload.next_at))


def claim_due(session: Session, *, now: datetime, limit: int) -> list[KeptPayload]:
    """Return payloads whose lead is to be fetched now. For a while no other process gets them."""
    claimed = []
    for ident in session.exec(due_query(now).limit(limit)).all():
        ours = (col(KeptPayload.id) == ident, col(KeptPayload.next_at) <= now)
        taken = session.execute(update(KeptPayload).where(*ours).values(next_at=now + CLAIMED_FOR))
        if taken.rowcount and (row := session.get(KeptPayload, ident, populate_existing=True)):  # type: ignore[attr-defined]
            session.expunge(row)
            claimed.append(row)
    return claimed


def note_failure(session: Session, ident: int, reason: str, *, next_at: datetime | None) -> None:
    """Notes why the payload is still here. next_at: of the next try, None where a person has to look."""
    row = session.get(KeptPayload, ident)
    if row is not None:
        row.reason, row.next_at, row.tries = reason[:LONGEST_REASON], next_at, row.tries + 1
        session.add(row)


def remove(session: Session, idents: Collection[int]) -> int:
    """Deletes these payloads with their addresses; returns how many there were."""
    session.execute(delete(KeptAddress).where(col(KeptAddress.payload_id).in_(idents)))
    gone = session.execute(delete(KeptPayload).where(col(KeptPayload.id).in_(idents)))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def remove_of(session: Session, addresses: Iterable[str], *, limit: int) -> int:
    """Deletes up to `limit` payloads that hold one of these addresses; returns how many."""
    wanted = [one for one in addresses if one]
    query = select(KeptAddress.payload_id).where(col(KeptAddress.address).in_(wanted)).limit(limit)
    return remove(session, set(session.exec(query).all())) if wanted else 0


def remove_before(session: Session, before: datetime, *, limit: int) -> int:
    """Deletes up to `limit` payloads that came before this instant; returns how many."""
    query = select(KeptPayload.id).where(col(KeptPayload.at) < before).order_by(col(KeptPayload.at)).limit(limit)
    return remove(session, [ident or 0 for ident in session.exec(query).all()])


def was_seen(session: Session, mark: str) -> bool:
    """Whether a delivery with this mark was dealt with."""
    return session.get(SeenDelivery, mark) is not None


def remember(session: Session, mark: str, *, now: datetime) -> None:
    """Remembers a delivery for a day. A few marks older than that are forgotten, so that the table has a bound."""
    wakes.insert_once(session, SeenDelivery, mark=mark, at=now)
    old = select(SeenDelivery.mark).where(col(SeenDelivery.at) < now - REMEMBERED).order_by(col(SeenDelivery.at)).limit(_FORGOTTEN_AT_ONCE)
    session.execute(delete(SeenDelivery).where(col(SeenDelivery.mark).in_(session.exec(old).all())))

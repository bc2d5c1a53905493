"""Sealing: add new events of the trail to its hash chain, one batch in each transaction, and write the new head to a file."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from storage import trail
from storage.tables import Event, Seal
from storage.trail import HeadMissing
from tasks.trail.heads import Accepted, Head, HeadFile, head_of
from tasks.wiring.toolbox import Toolbox

#: The most batches that one call seals; the next call seals the rest.
BATCHES = 20
#: How many heads one query looks up.
AT_ONCE = 500
#: The kind of the trail's event for a restore that an operator has accepted.
ACCEPTED: Final = "restore-accepted"


async def seal_trail(box: Toolbox) -> int:
    """Seals unsealed events, at most BATCHES batches; returns how many events.

    Raises HeadMissing if the newest head that this machine has kept is not in the database. Nothing more is sealed then.
    """
    key, sealed = box.settings.seal_key(), 0
    heads = HeadFile(box.settings.folder)
    last = await asyncio.to_thread(heads.last)
    kept = (last.seal, last.head) if last is not None and last.seal else None
    try:
        for _ in range(BATCHES):
            more = await box.write(lambda session, now: trail.seal(session, key=key, now=now, kept=kept))
            sealed += more
            if more < trail.BATCH:
                break
    except HeadMissing as missing:
        assert last is not None, "only a head that was kept can be missing"
        raise HeadMissing(what_is_missing(last, heads)) from missing
    newest = await box.read(lambda session, now: _newest(session))
    if newest is not None and (last is None or (last.seal, last.head) != (newest.seal, newest.head)):
        await asyncio.to_thread(heads.add, newest)
    return sealed


def _newest(session: Session) -> Head | None:
    row = trail.newest_seal(session)
    return head_of(row.id, row.total, row.digest, row.sealed_at) if row else None


def what_is_missing(last: Head | Accepted, heads: HeadFile) -> str:
    """Return the message that a head is not in the database, and what to do."""
    return (
        f"The head of {last.at} (seal {last.seal}, {last.head[:16]}) stands in {heads.path} and not in the database, so the end of the"
        " trail was cut off, or an older database was put back. Nothing is sealed until this is settled. If you have restored a"
        " backup, say so by `baton trail accept-restore --why '…'`. If you have not, keep the database and that file as they are,"
        " and find out who has changed the database."
    )


def lost_heads(session: Session, heads: HeadFile) -> list[Head | Accepted]:
    """Return the heads, kept since the last accepted restore, that are not in the database. Reads only."""
    lost: list[Head | Accepted] = []
    few: list[Head | Accepted] = []
    for line in heads.since_restore():
        if isinstance(line, Accepted) and not _is_told(session, line.lost):
            lost.append(line)
        if line.seal:
            few.append(line)
        if len(few) >= AT_ONCE:
            lost, few = lost + _not_there(session, few), []
    return lost + _not_there(session, few)


def _not_there(session: Session, few: list[Head | Accepted]) -> list[Head | Accepted]:
    known = dict(session.exec(select(Seal.id, Seal.digest).where(col(Seal.id).in_([line.seal for line in few]))).all()) if few else {}
    return [line for line in few if known.get(line.seal) != line.head]


def _is_told(session: Session, lost: str) -> bool:
    events = session.exec(select(Event).where(Event.kind == ACCEPTED).order_by(col(Event.id).desc()))
    return any(event.data.get("lost") == lost for event in events)


def accept_restore(box: Toolbox, *, by: str, why: str) -> Head | Accepted | None:
    """Lets the chain continue from the database's newest seal; returns the newest head given up, None if none is missing.

    Writes who and why to the trail, and then to the file. If the process dies in between, call it again: each is written once.
    """
    heads = HeadFile(box.settings.folder)
    lost = box.read_now(lambda session, now: lost_heads(session, heads))
    if not lost:
        return None
    given_up = lost[-1]
    key = box.settings.seal_key()

    def tell(session: Session, now: datetime) -> Accepted:
        lost = given_up.lost if isinstance(given_up, Accepted) else given_up.head
        if not _is_told(session, lost):
            text = trail.keep_text(session, why, lead_id=None)
            trail.record(session, ACCEPTED, now=now, actor=by, text=text, lost=lost, seal=given_up.seal)
        row = trail.newest_seal(session)
        seal, head = (row.id, row.digest) if row else (0, "")
        return Accepted(now.isoformat(timespec="seconds"), True, lost, by, seal, head)

    heads.add(box.write_now(tell))
    box.write_now(lambda session, now: trail.seal(session, key=key, now=now))
    return given_up

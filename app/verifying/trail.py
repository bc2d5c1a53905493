"""What `baton verify` says about the trail: the chain, the heads that are kept, and a head that somebody asks for."""

from __future__ import annotations

import gc
from collections.abc import Callable

from sqlmodel import col, select

from agreements.conservation import Finding, finding
from storage import trail
from storage.tables import Seal
from storage.trail import TrailCheck
from tasks.trail import sealing
from tasks.trail.heads import HeadFile, HeadsUnreadable
from tasks.wiring.toolbox import Toolbox

#: How many characters of a head are enough to find it.
ENOUGH = 16


def chain_of(box: Toolbox) -> TrailCheck:
    """Check the whole trail as of one moment. Without garbage collection, which would take a sixth of the time and find nothing."""
    now = box.read_now(lambda _, now: now)
    gc.disable()
    try:
        with box.database.read() as session:
            return trail.check(session, key=box.settings.seal_key(), now=now)
    finally:
        gc.enable()


def of_chain(chain: TrailCheck) -> list[Finding]:
    """Return what was changed in the trail, and in the rows that it is about."""
    found = [finding("trail-changed", what=f"The trail was changed: {one}") for one in chain.findings]
    return found or ([] if chain.whole else [finding("trail-changed", what="The trail was changed.")])


def lost_heads(box: Toolbox, *, say: Callable[[str], None]) -> list[Finding]:
    """Return where the heads that this machine has kept contradict the database. say: gets a sentence where none is kept."""
    heads = HeadFile(box.settings.folder)
    try:
        missing = box.read_now(lambda session, now: sealing.lost_heads(session, heads))
    except HeadsUnreadable as error:
        return [finding("head-lost", what=str(error))]
    if not heads.path.exists():
        say("No head of the trail is kept on this machine.")
    return [finding("head-lost", what=sealing.what_is_missing(missing[-1], heads))] if missing else []


def place_of(box: Toolbox, head: str, *, say: Callable[[str], None]) -> list[Finding]:
    """Return that no seal has this head. say: gets a sentence about the seal that has it."""
    query = select(Seal).where(col(Seal.digest).startswith(head, autoescape=True)).order_by(col(Seal.id)).limit(1)
    row = box.read_now(lambda session, now: session.exec(query).first())
    if row is None:
        unknown = f"No seal has the head {head}: the trail was cut off before it or made anew, or the head is of another installation."
        return [finding("head-lost", what=unknown)]
    say(f"head {row.digest[:ENOUGH]}: seal {row.id} of {row.sealed_at:%Y-%m-%d %H:%M} UTC, {row.total} events up to it")
    return []

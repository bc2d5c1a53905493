"""Takes kept payloads in again, after the map or the agreement was corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from app.csv_import.errors import UnreadableFile
from app.intake_doors import doors
from app.intake_doors.delivering import Delivered, Delivery, deliver
from storage import kept_payloads
from storage.tables import KeptPayload
from tasks.wiring.toolbox import Toolbox

#: What became of a kept payload: it is in, the worker fetches its values, or it is kept still.
Became = Literal["taken", "queued", "kept"]


def replay(box: Toolbox, row: KeptPayload) -> tuple[Became, str]:
    """Take a kept payload in by its door's map of today. Return what became of it, and why it is kept still."""
    try:
        door = doors.door(box.settings.folder, row.door)
    except UnreadableFile as error:
        return "kept", str(error)
    if door is None:
        return "kept", f"there is no door {row.door!r} any more: put its map back into the folder {doors.FOLDER}"
    done = deliver(box, Delivery(row.door, door, kept_payloads.content_of(row), row.content_type))
    if row.key not in done.kept:
        box.write_now(lambda session, now: kept_payloads.remove(session, [row.id]))
    if any(one["status"] >= 400 for one in done.results):
        return "kept", _why(box, done)
    return ("queued", "") if done.kept else ("taken", "")


def _why(box: Toolbox, done: Delivered) -> str:
    rows = [box.read_now(lambda session, now, key=key: kept_payloads.by_key(session, key)) for key in sorted(done.kept)]  # type: ignore[misc]
    return "; ".join(dict.fromkeys(row.reason for row in rows if row))


def replay_all(box: Toolbox) -> Iterator[tuple[KeptPayload, Became, str]]:
    """Take in every payload that is kept now, oldest first; yield each with what became of it."""
    for row in every_failed(box):
        yield row, *replay(box, row)


def every_failed(box: Toolbox) -> Iterator[KeptPayload]:
    """Yield the payloads that somebody has to look at, oldest first, without those that come meanwhile."""
    newest = box.read_now(lambda session, now: kept_payloads.newest(session))
    after = 0
    while rows := box.read_now(lambda session, now, after=after: kept_payloads.failed(session, after=after)):  # type: ignore[misc]
        for row in rows:
            if row.id > newest:
                return
            yield row
        after = rows[-1].id


def counted(outcomes: Counter[Became]) -> str:
    """Return the outcomes in one sentence."""
    return f"{outcomes['taken']} taken in, {outcomes['queued']} to be fetched, {outcomes['kept']} kept still."

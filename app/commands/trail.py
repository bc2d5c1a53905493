"""The trail: shows one lead's history, exports the trail for others to verify, and records an operator's statement after a restore."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from app import terminal
from storage import trail_export, trail_lines
from storage.tables import Event
from tasks.trail import sealing
from tasks.wiring import secret_files

_DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def show(
    lead: Annotated[int, typer.Argument(help="Number of the lead.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one event a line, as JSON.")] = False,
) -> None:
    """Show the history of one lead: each event with its time (UTC), who did it, and what they said."""
    box = terminal.open_box()
    rows = box.read_now(lambda session, now: trail_export.of_lead(session, lead))
    if not rows:
        terminal.fail(terminal.FINDINGS, f"The trail has no event of lead {lead}.")
    if as_json:
        for event, text in rows:
            typer.echo(json.dumps(_as_json(event, text)))
        return
    table = Table("event", "when (UTC)", "what", "stage", "by", "about", "sealed")
    for event, text in rows:
        said = ", ".join(f"{name} {value}" for name, value in event.data.items() if value not in ("", None))
        about = f"{said}\n“{text}”" if text else said
        when = f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        table.add_row(str(event.id), when, event.kind, event.stage, event.actor, Text(about), "yes" if event.seal_id else "not yet")
    terminal.console.print(table)


def _as_json(event: Event, text: str) -> dict[str, Any]:
    known = json.loads(trail_lines.told(event))
    return {"id": event.id, **known, "seal": event.seal_id, "words": text}


def export(
    file: Annotated[Path, typer.Argument(help="File to write; an existing file is replaced.", dir_okay=False)],
    since: Annotated[datetime | None, typer.Option("--from", formats=_DAYS, help="Only events sealed from then on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=_DAYS, help="Only events sealed before then (UTC).")] = None,
) -> None:
    """Write the sealed trail as JSON lines, which docs/verify_trail.py verifies with the key of the trail.

    The file has no personal text. It has no events that are not sealed yet.
    """
    box = terminal.open_box()
    begin, end = (at.replace(tzinfo=UTC) if at else None for at in (since, until))
    part = file.with_name(f".{file.name}.{os.getpid()}")
    with terminal.told(), box.database.read() as session:
        try:
            with secret_files.write(part, "").open("w", encoding="utf-8", newline="\n") as out:
                for line in trail_export.lines(session, since=begin, until=end):
                    out.write(line + "\n")
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    terminal.console.print(f"Written: {file}")


def accept_restore(
    why: Annotated[str, typer.Option(help="What was restored, from when, and why. The trail keeps this text.")],
) -> None:
    """Let the trail go on after a backup was restored, although the database lacks heads that this machine has kept.

    The trail and the file of heads keep who said so and why.
    """
    box = terminal.open_box()
    if not why.strip():
        terminal.fail(terminal.USAGE, "--why is empty. Write what was restored, from when, and why.")
    with terminal.told():
        given_up = sealing.accept_restore(box, by=terminal.who(), why=why.strip())
    if given_up is None:
        terminal.console.print("No head is missing: nothing was changed.")
        return
    terminal.console.print(f"The trail goes on. Lost: the events after the backup, up to the head of {given_up.at} (seal {given_up.seal}).")

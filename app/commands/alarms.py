"""Alarms: what the operator must know now, and what was wrong before."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from app import terminal
from storage import alarms
from storage.tables import Alarm
from tasks.messages import alarm_message

#: How many alarms `--all` shows.
SHOWN = 200


def show(
    every: Annotated[bool, typer.Option("--all", help="Show also alarms that are over, the newest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the open alarms with what to do. Exit code 1 if there is one."""
    box = terminal.open_box()
    rows = box.read_now(lambda session, now: alarms.lately(session, limit=SHOWN) if every else alarms.open_ones(session))
    counted = [row for row in rows if row.began_at is not None]
    if as_json:
        typer.echo(json.dumps([_told(row) for row in counted], indent=2))
    elif not counted:
        terminal.console.print("No alarm is open." if not every else "There was no alarm.")
    else:
        for row in counted:
            terminal.console.print(_line(row), markup=False, soft_wrap=True)
    if any(row.ended_at is None for row in counted):
        raise typer.Exit(terminal.FINDINGS)


def _line(row: Alarm) -> str:
    if row.ended_at is not None:
        return f"{row.kind}: {alarm_message.sentence(row)} It began at {_at(row.began_at)} and was over at {_at(row.ended_at)}."
    told = "The message is under way." if row.telling else f"The operator was told by {row.told_by}." if row.told_by else "Nobody was told."
    return f"{row.kind}: {alarm_message.sentence(row)}\n  {alarm_message.to_do(row)}\n  {told}"


def _told(row: Alarm) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "subject": row.subject,
        "what": alarm_message.sentence(row),
        "since": row.since.isoformat(),
        "began": row.began_at.isoformat() if row.began_at else None,
        "ended": row.ended_at.isoformat() if row.ended_at else None,
        "told_by": row.told_by,
    }


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"

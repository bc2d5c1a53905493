"""Nurture: which leads are not yet in, or out of, their track at the marketing automation."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from sqlmodel import Session

from app import terminal
from storage import enrolments
from storage.tables import Enrolment, EnrolmentState
from tasks.background.enrolments import Confirmed
from tasks.background.enrolments import confirm as settle
from tasks.background.enrolments import retry as begin_again

#: The most rows that `list` shows.
SHOWN = 200
_DOES = {"in": "enrol", "out": "take out"}
_Lead = Annotated[int, typer.Argument(help="Number of the lead.")]


def list_open(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the leads whose enrolment the marketing automation has not confirmed. Exit code 1 if one is late or refused."""
    box = terminal.open_box()
    with terminal.told():
        found = box.read_now(lambda session, now: [_shown(row, now) for row in enrolments.open_rows(session, limit=SHOWN)])
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif not found:
        terminal.console.print("The marketing automation has confirmed every enrolment.")
    else:
        table = Table("lead", "track", "to do", "since", "state", "problem")
        for one in found:
            table.add_row(*(str(one[name]) for name in ("lead", "track", "to_do", "since", "state", "problem")))
        terminal.console.print(table)
    if any(one["late"] for one in found):
        raise typer.Exit(terminal.FINDINGS)


def _shown(row: Enrolment, now: datetime) -> dict[str, object]:
    late = row.rung > 0 or row.state == EnrolmentState.REFUSED or (row.due_at is not None and row.due_at <= now)
    return {
        "lead": row.lead_id,
        "track": row.track,
        "to_do": _DOES[row.wanted],
        "since": f"{row.since:%Y-%m-%d %H:%M} UTC",
        "state": f"{row.state}, late" if late else row.state,
        "late": late,
        "problem": row.error,
    }


def confirm(lead: _Lead) -> None:
    """Say that a lead is in its track at the marketing automation, or out of it after it left nurture."""

    def work(session: Session, now: datetime) -> str:
        row = _row(session, lead)
        if not settle(session, row, Confirmed(terminal.who(), "cli"), now=now):
            return f"Nothing is open for lead {lead}."
        return f"Lead {lead} is {row.wanted} {'' if row.wanted == 'in' else 'of '}the track {row.track}."

    box = terminal.open_box()
    with terminal.told():
        terminal.console.print(box.write_now(work))


def retry(lead: _Lead) -> None:
    """Tell the marketing automation once more, for example after a mistake there was corrected."""

    def work(session: Session, now: datetime) -> str:
        row = _row(session, lead)
        if row.next_at is None:
            terminal.fail(terminal.FINDINGS, f"Nothing is open for lead {lead}: it is {row.state}.")
        begin_again(session, row, now=now)
        return f"The marketing automation is told again to {_DOES[row.wanted]} lead {lead}, track {row.track}."

    box = terminal.open_box()
    with terminal.told():
        terminal.console.print(box.write_now(work))


def _row(session: Session, lead: int) -> Enrolment:
    row = enrolments.newest_of(session, lead, lock=True)
    if row is None:
        terminal.fail(terminal.FINDINGS, f"Lead {lead} was never to be enrolled. `baton nurture list` shows what is open.")
    return row

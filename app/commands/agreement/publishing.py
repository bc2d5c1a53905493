"""Publishes an agreement, and shows what a deploy of it would do to handoffs in flight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlmodel import Session

from agreements.clauses.generations import NEWEST
from agreements.lifecycle import OPEN_STAGES
from app import terminal
from app.commands.agreement.references import Reference, from_file, reference
from app.deploy_plan import Plan
from storage import contracts, version_migration
from storage.tables import AgreementVersion
from storage.version_migration import Happens, InFlight


class Policy(StrEnum):
    """What happens to handoffs under earlier versions."""

    FINISH = "finish"
    REQUALIFY = "requalify"
    RECALL = "recall"


InFlightPolicy = Annotated[
    Policy | None,
    typer.Option(
        "--in-flight",
        help="Handoffs under earlier versions: finish all; requalify those not assigned yet; recall also those not"
        " answered yet. The agreement's own where left out.",
    ),
]


def publish(file: Annotated[Path, typer.Argument(help="An agreement file.")]) -> None:
    """Keep this version for ever, ready for signatures. Its text can no longer change; a new text needs a new version.

    The command refuses a version that could not be deployed beside those in force, before anybody signs it.
    """
    box = terminal.open_box()
    with terminal.told():
        from_file(file)
        text = file.read_text(encoding="utf-8")
        row = box.write_now(lambda session, now: _publish(session, text, now))
        terminal.console.print(f"{row.name}@{row.version} {row.hash}", soft_wrap=True)
        if row.generation < NEWEST:
            terminal.complaints.print(
                f"It was published with earlier defaults and keeps them; `baton agreement diff {row.name}@{row.version} {file}` names the"
                " differences. For the defaults of today, give the file a new version.",
                markup=False,
                soft_wrap=True,
            )


def _publish(session: Session, text: str, now: datetime) -> AgreementVersion:
    row = contracts.publish(session, text, now=now)
    contracts.require_possible(session, row, now=now)
    return row


def preview(
    ref: Reference,
    policy: InFlightPolicy = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every handoff in flight as JSON.")] = False,
) -> None:
    """Show which handoffs in flight a deploy would touch, and how. Changes nothing."""
    box = terminal.open_box()
    with terminal.told():
        key = reference(ref)
        agreement = box.read_now(lambda session, now: contracts.agreement_of(session, *key))
        wanted = policy.value if policy else agreement.in_flight.default
        listed = box.read_now(lambda session, now: version_migration.preview(session, *key, wanted, now))
        if as_json:
            terminal.console.print_json(json.dumps([version_migration.as_facts(one) for one in listed]))
        else:
            show(Plan(agreement, wanted, False, listed))


def show(planned: Plan) -> None:
    """Print the touched handoffs, one a line, and how many there are in each stage."""
    zone = ZoneInfo(planned.agreement.timezone)
    if planned.touched:
        table = Table("lead", "company", "stage", "with", "owed", "what happens")
        for one in planned.touched:
            who = (one.company or "–", one.stage, one.holder)
            table.add_row(str(one.lead_id), *who, _owed(one, zone), f"{one.happens}: {one.under}")
        terminal.console.print(table)
    terminal.console.print(f"{planned.agreement.reference}, {planned.policy}: {_counted(planned.listed)}")


def _owed(one: InFlight, zone: ZoneInfo) -> str:
    return f"{one.wait_kind.replace('_', ' ')}, {one.due_at.astimezone(zone):%d %b %H:%M}" if one.due_at else ""


_FUTURE = {Happens.STAYS: "to stay", Happens.ANEW: "to start anew", Happens.RECALLED: "to be recalled"}


def _counted(listed: Sequence[InFlight]) -> str:
    """Return how many there are, stage by stage, and what will happen to them."""
    if not listed:
        return "no handoff is in flight under an earlier version."
    by_stage = {stage: Counter((one.happens, one.why) for one in listed if one.stage == stage) for stage in OPEN_STAGES}
    parts = [
        f"{stage} {', '.join(_group(count, *about) for about, count in counts.items())}" for stage, counts in by_stage.items() if counts
    ]
    return f"{len(listed)} in flight under earlier versions: {'; '.join(parts)}."


def _group(count: int, happens: Happens, why: str) -> str:
    return f"{count} {_FUTURE[happens]}{f' ({why})' if why else ''}"

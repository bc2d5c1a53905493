"""Putting an agreement in force: publish, preview, deploy."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from agreements.lifecycle import OPEN_STAGES
from app import deploying, terminal
from app.commands.agreement.references import Reference, from_file, reference
from app.deploying import Plan
from storage import contracts, version_migration
from storage.version_migration import Happens, InFlight
from tasks.background.migrate_version import CarriedOut, carry_out
from tasks.wiring.toolbox import Toolbox

app = typer.Typer()


class Policy(StrEnum):
    """What happens to handoffs under earlier versions."""

    FINISH = "finish"
    REQUALIFY = "requalify"
    RECALL = "recall"


InFlightPolicy = Annotated[
    Policy | None,
    typer.Option(
        "--in-flight",
        help="Handoffs under earlier versions: finish as they began; requalify those not assigned yet; recall also those not"
        " answered yet. The agreement's own where left out.",
    ),
]


@app.command("publish")
def publish(file: Annotated[Path, typer.Argument(help="An agreement file.")]) -> None:
    """Keep this version for ever, ready to be signed. Its text cannot be changed any more; a new text is a new version."""
    box = terminal.open_box()
    with terminal.told():
        from_file(file)
        text = file.read_text(encoding="utf-8")
        row = box.write_now(lambda session, now: contracts.publish(session, text, now=now))
        terminal.console.print(f"{row.name}@{row.version} {row.hash}", soft_wrap=True)


@app.command("preview")
def preview(
    ref: Reference,
    policy: InFlightPolicy = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every handoff in flight, as JSON.")] = False,
) -> None:
    """Which handoffs in flight a deploy would touch, and how. Changes nothing."""
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


@app.command("deploy")
def deploy_version(
    ref: Reference,
    policy: InFlightPolicy = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a signed version in force: new leads run under it. Creates its deployment at the Prefect server.

    Handoffs in flight that are touched are listed first. One to which something happens meanwhile is left alone and named.
    """
    box = terminal.open_box()
    with terminal.told():
        key = reference(ref)
        chosen = policy.value if policy else None
        planned = box.read_now(lambda session, now: deploying.plan(session, *key, policy=chosen, now=now))
        if planned.touched:
            show(planned)
            if not yes and sys.stdin.isatty() and not typer.confirm(f"Deploy {ref}?"):
                terminal.fail(terminal.FINDINGS, "Nothing was changed.")
        if planned.is_deployed:
            terminal.console.print(f"deployed as {asyncio.run(deploying.renew(box, *key))} already")
        else:
            terminal.console.print(f"deployed as {asyncio.run(deploying.deploy(box, *key, by=terminal.who()))}")
        if planned.touched:
            _carry_out(box, ref, planned)


def _carry_out(box: Toolbox, ref: str, planned: Plan) -> None:
    asyncio.run(deploying.collect_answers(box))
    with Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("withdrawing", total=len(planned.touched))
        done = carry_out(box, planned.touched, actor=terminal.who(), progress=lambda: progress.advance(bar))
    _tell(done)
    name, version = planned.agreement.agreement, planned.agreement.version
    seen = {one.handoff_id for one in planned.listed}
    since = box.read_now(lambda session, now: version_migration.preview(session, name, version, planned.policy, now))
    if came := [one for one in since if one.is_touched and one.handoff_id not in seen]:
        again = f"baton agreement deploy {ref} --in-flight {planned.policy}"
        terminal.console.print(f"{len(came)} more came in under the earlier version meanwhile and stay there. To take them too: {again}")
    if done.left:
        raise typer.Exit(terminal.PARTLY)


def _tell(done: CarriedOut) -> None:
    counts = Counter(one.happens for one in done.touched)
    said = ", ".join(f"{count} {_PAST[happens]}" for happens, count in sorted(counts.items())) or "none was touched"
    terminal.console.print(f"Handoffs in flight: {said}.")
    if done.left:
        terminal.complaints.print(f"{len(done.left)} were left alone, because something happened to them meanwhile:")
    for one, why in done.left:
        terminal.complaints.print(f"  lead {one.lead_id}, {one.company or 'no company'}: {why}", markup=False, soft_wrap=True)


_PAST = {Happens.ANEW: "started anew", Happens.RECALLED: "recalled"}


def show(planned: Plan) -> None:
    """The handoffs that are touched, one a line, and how many there are in each stage."""
    zone = ZoneInfo(planned.agreement.timezone)
    if planned.touched:
        table = Table("lead", "company", "stage", "with", "owed", "what happens")
        for one in planned.touched:
            who = (escape(one.company) or "–", one.stage, escape(one.holder))
            table.add_row(str(one.lead_id), *who, _owed(one, zone), f"{one.happens}: {one.under}")
        terminal.console.print(table)
    terminal.console.print(f"{planned.agreement.reference}, {planned.policy}: {_counted(planned.listed)}")


def _owed(one: InFlight, zone: ZoneInfo) -> str:
    return f"{one.wait_kind.replace('_', ' ')}, {one.due_at.astimezone(zone):%d %b %H:%M}" if one.due_at else ""


_FUTURE = {Happens.STAYS: "to stay", Happens.ANEW: "to start anew", Happens.RECALLED: "to be recalled"}


def _counted(listed: Sequence[InFlight]) -> str:
    """How many there are, stage by stage, and what is to happen to them."""
    if not listed:
        return "no handoff is in flight under an earlier version."
    by_stage = {stage: Counter((one.happens, one.why) for one in listed if one.stage == stage) for stage in OPEN_STAGES}
    parts = [
        f"{stage} {', '.join(_group(count, *about) for about, count in counts.items())}" for stage, counts in by_stage.items() if counts
    ]
    return f"{len(listed)} in flight under earlier versions: {'; '.join(parts)}."


def _group(count: int, happens: Happens, why: str) -> str:
    return f"{count} {_FUTURE[happens]}{f' ({why})' if why else ''}"

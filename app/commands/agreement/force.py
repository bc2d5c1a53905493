"""Puts an agreement in force."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from functools import partial
from typing import Annotated

import typer
from rich.progress import Progress

from app import deploying, terminal
from app.commands.agreement.publishing import InFlightPolicy, show
from app.commands.agreement.references import Reference, reference
from app.deploy_plan import Plan, plan
from app.named_server import named_server
from storage import version_migration
from storage.version_migration import Happens
from tasks.background.migrate_version import CarriedOut, carry_out
from tasks.wiring.proving import installed
from tasks.wiring.toolbox import Toolbox


def deploy_version(
    ref: Reference,
    policy: InFlightPolicy = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a signed version in force: new leads run under it. Creates its deployment at the Prefect server.

    Lists the affected handoffs in flight first. A handoff that changes in the meantime is left alone and named.
    """
    settings = terminal.read_settings()
    with terminal.told(), named_server(settings.folder):
        box = terminal.open_box(settings)
        key = reference(ref)
        here = partial(installed, box.settings)
        planned = box.read_now(lambda session, now: plan(session, *key, policy=policy.value if policy else None, now=now, here=here))
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
        terminal.console.print(f"{len(came)} more leads came in under the earlier version meanwhile. To move them too, run: {again}")
    if done.left:
        raise typer.Exit(terminal.PARTLY)


def _tell(done: CarriedOut) -> None:
    counts = Counter(one.happens for one in done.touched)
    said = ", ".join(f"{count} {_PAST[happens]}" for happens, count in sorted(counts.items())) or "none was touched"
    terminal.console.print(f"Handoffs in flight: {said}.")
    if done.left:
        terminal.complaints.print(f"{len(done.left)} were left alone, because they went on meanwhile:")
    for one, why in done.left:
        terminal.complaints.print(f"  lead {one.lead_id}, {one.company or 'no company'}: {why}", markup=False, soft_wrap=True)


_PAST = {Happens.ANEW: "started anew", Happens.RECALLED: "recalled"}

"""baton verify --crm: what Baton and the CRM say differently, each with what to do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import typer
from rich.progress import Progress

from agreements.errors import CrmError
from app import terminal
from tasks.background.compare_crm import Compared, compare_crm, in_words
from tasks.wiring.toolbox import Toolbox


def compare(box: Toolbox, *, days: int, as_json: bool) -> None:
    """Compare with the CRM and print a line for each difference. Ends with exit code 1 if there are any, and 4 without an answer."""
    try:
        found = _compared(box, days)
    except CrmError as error:
        terminal.fail(terminal.AWAY, str(error))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        for one in found.findings:
            terminal.console.print(f"{one.where}: {one.what} {one.todo}", markup=False, soft_wrap=True)
        terminal.console.print(in_words(found), markup=False, soft_wrap=True)
    if found.findings:
        raise typer.Exit(terminal.FINDINGS)


def _compared(box: Toolbox, days: int) -> Compared:
    with Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task(f"Comparing with {box.crm.name} ...", total=None)

        def told(done: int) -> None:
            progress.update(bar, completed=done, description=f"Comparing with {box.crm.name}: {done:,} leads")

        return asyncio.run(compare_crm(box, days=days, told=told))

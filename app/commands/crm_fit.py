"""baton crm check and baton crm setup: whether the CRM fits the agreements and the roster, and making Baton's own fields there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer
from rich.progress import Progress
from sqlmodel import Session, col, select

from agreements.crm_fit import Misfit, misfits
from agreements.errors import CrmError
from agreements.model import Agreement
from agreements.roster import Roster
from app import terminal
from storage import contracts, roster
from storage.crm.described import DescribedCrm
from storage.tables import AgreementVersion
from tasks.wiring.toolbox import Toolbox


def check(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare the CRM's fields, values, rights and users with every deployed agreement and the roster. Changes nothing.

    Exit code 1 if something does not fit: each line says what to do.
    """
    box = terminal.open_box()
    with terminal.told():
        crm = _described(box)
        found = _compared(box, crm)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            terminal.console.print(f"- {one.what}", markup=False)
        terminal.console.print(_summary(box, found), markup=False)
    if found:
        raise typer.Exit(terminal.FINDINGS)


def setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be created.")] = False,
) -> None:
    """Create Baton's own fields in the CRM where they are missing. It changes nothing else there.

    Exit code 3 if some could not be created: an administrator creates those.
    """
    box = terminal.open_box()
    with terminal.told():
        crm = _described(box)
        wanted = [one.create for one in _compared(box, crm) if one.create is not None]
        if not wanted:
            terminal.console.print(f"{box.crm.name} has every field that Baton needs.")
            return
        failed = 0
        for one in wanted:
            called = f"{one.name} of {one.record}, a text{' with unique values' if one.unique else ''}"
            if dry_run:
                terminal.console.print(f"would create: {called}", markup=False)
                continue
            try:
                asyncio.run(crm.create_field(one))
                terminal.console.print(f"created: {called}", markup=False)
            except CrmError as error:
                failed += 1
                terminal.console.print(f"not created: {called}: {error}", markup=False)
    if failed:
        raise typer.Exit(terminal.PARTLY)


def _described(box: Toolbox) -> DescribedCrm:
    if not isinstance(box.crm, DescribedCrm):
        _local()
    return box.crm


def _local() -> NoReturn:
    terminal.console.print("The local CRM takes any field and value, so there is nothing to compare. BATON_CRM_URL names another CRM.")
    raise typer.Exit(0)


def _compared(box: Toolbox, crm: DescribedCrm) -> list[Misfit]:
    agreements, people = box.read_now(lambda session, now: _agreed(session))
    with Progress(console=terminal.complaints, transient=True) as progress:
        progress.add_task(f"Asking {box.crm.name} ...", total=None)
        there = asyncio.run(crm.described())
    return misfits(there, record=crm.lead_record, names=crm.field_names, own=crm.own_fields, agreements=agreements, people=people)


def _agreed(session: Session) -> tuple[list[Agreement], Roster]:
    """Every deployed version, since leads finish under the version with which they began; and the roster in force."""
    rows = session.exec(select(AgreementVersion).where(col(AgreementVersion.deployed_at).is_not(None)))
    return [contracts.read(row) for row in rows], roster.current(session)


def _summary(box: Toolbox, found: list[Misfit]) -> str:
    if not found:
        return f"{box.crm.name} fits the agreements and the roster."
    creates = any(one.create for one in found)
    remedy = " `baton crm setup --dry-run` shows what Baton can create itself." if creates else ""
    return f"{len(found)} {'thing does' if len(found) == 1 else 'things do'} not fit.{remedy}"

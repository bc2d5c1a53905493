"""Verifies that every lead is accounted for and that the trail is whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from agreements.crm_comparison import DAYS
from app import terminal

#: How many characters of a head are enough to find it.
ENOUGH = 16


def verify(
    head: Annotated[str, typer.Option(help="The first 16 characters or more of a head that Baton mailed or printed earlier.")] = "",
    table: Annotated[bool, typer.Option("--table", help="For each source and day: how many came in, and how many are in a stage.")] = False,
    runs: Annotated[bool, typer.Option("--runs/--no-runs", help="Whether to ask Prefect about the runs of open leads.")] = True,
    crm: Annotated[bool, typer.Option("--crm", help="Compare leads and opportunities with the CRM instead.")] = False,
    days: Annotated[int, typer.Option(help="With --crm: also compare leads that ended within so many days.", min=0, max=3650)] = DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the report, and do nothing else.")] = False,
) -> None:
    """Prove that every lead is in exactly one stage, and that nobody changed the trail.

    What the intake recorded must equal what is in the stages, by source and day. Every open lead must have an owner, a due time, something
    that will move it, and, while somebody is asked, a run in Prefect. Answers, promises, assignments, deliveries and signatures must match
    the trail. With --crm, list leads that Baton or the CRM lacks, or of which they say different things.
    """
    if schema:
        from app.verifying.report import schema as schema_of

        typer.echo(json.dumps(schema_of(), indent=2))
        return
    if crm:
        from app.verifying.crm import compare

        compare(terminal.open_box(), days=days, as_json=as_json)
        return
    head = head.strip().lower()
    if head and (len(head) < ENOUGH or not set(head) <= set("0123456789abcdef")):
        terminal.fail(terminal.USAGE, f"--head takes at least {ENOUGH} characters of a head, which are digits and the letters a to f.")
    box = terminal.open_box()
    from app.verifying.everything import Wanted, verify_all

    verify_all(box, Wanted(head, table=table, runs=runs, as_json=as_json))

"""Audits an export of an existing CRM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app import terminal
from app.csv_import.lead_map import read_map
from app.csv_import.map_file import read_map_as
from app.report_output import is_stdout, json_text, name_unused, unusable_input, writable, write_json, write_page

if TYPE_CHECKING:
    from agreements.model import Agreement
    from app.audit.report import Audit

#: How a day is written.
DAYS = ["%Y-%m-%d"]


def audit(
    leads: Annotated[Path | None, typer.Option(help="A CSV file of leads, as the CRM exports them.")] = None,
    map: Annotated[Path | None, typer.Option(help="A map that names the columns of the leads, see examples/maps/.")] = None,
    activities: Annotated[Path | None, typer.Option(help="A CSV file of calls, e-mails, meetings and changes of status.")] = None,
    activities_map: Annotated[Path | None, typer.Option(help="A map that names the columns of the activities.")] = None,
    agreement: Annotated[str, typer.Option(help="The draft whose promises are timed: a file or name@version.")] = "",
    timezone: Annotated[str, typer.Option(help="Zone of times without a zone.")] = "UTC",
    since: Annotated[datetime | None, typer.Option(help="Only leads created on this day or later.", formats=DAYS)] = None,
    until: Annotated[datetime | None, typer.Option(help="Only leads created on this day or earlier.", formats=DAYS)] = None,
    out: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file; - is standard output.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the report and end.")] = False,
) -> None:
    """Show how marketing and sales treat their leads today, from an export of the CRM. Sends nothing and changes nothing.

    Times both sides against the agreement, else against the starter agreement. The exit code is 3 when rows were left out.
    """
    from app.audit.activity_map import ActivityMap
    from app.audit.audit import AuditFiles
    from app.audit.audit import audit as audited
    from app.audit.report import schema as schema_of

    if schema:
        print(json.dumps(schema_of(), indent=2))
        return
    if leads is None:
        terminal.fail(terminal.USAGE, "Name the export of the leads with --leads FILE.")
    if since and until and since > until:
        terminal.fail(terminal.USAGE, f"--since {since:%Y-%m-%d} is after --until {until:%Y-%m-%d}; write the earlier day first.")
    with terminal.told(), unusable_input(), progress_bars() as tell:
        files = AuditFiles(
            leads=leads,
            mapping=read_map(map) if map else None,
            activities=activities,
            activity_map=read_map_as(ActivityMap, activities_map) if activities_map else None,
            timezone=timezone,
            since=since.date() if since else None,
            until=until.date() if until else None,
        )
        found = audited(files, timed_agreement(agreement), drafted=bool(agreement), now=present(), progress=tell)
    tell_audit(found, out=out, as_json=as_json)


def timed_agreement(ref: str) -> Agreement:
    """Return the agreement of that name or file, else the starter."""
    from app.commands.agreement.references import agreement_of, starter

    return agreement_of(ref) if ref else starter()


def present() -> datetime:
    """Return the real time: an audit needs no installation, and without one there is no other."""
    return datetime.now(UTC)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress bars on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=terminal.complaints, transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int, whole: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task("counting" if what == "counting" else f"reading {what}", total=whole)
            progress.update(bars[what], completed=done, total=whole)

        yield tell


def tell_audit(found: Audit, *, out: Path | None, as_json: Path | None) -> None:
    """Show the result, and name unusable rows on standard error. End the command with 3 if there are any."""
    from app.audit.page import page
    from app.audit.report import as_json as document
    from app.audit.terminal_view import show

    rows = (f"{one.place}:{one.line}: {one.reason} ({one.wrong})" for one in found.not_used.first)
    name_unused(rows, found.not_used.count)
    text = json_text(document(found))
    with writable():
        if out:
            write_page(page(found), out)
        write_json(text, as_json)
    if is_stdout(as_json):
        print(text)
    else:
        show(found, terminal.marked)
    if found.not_used.count:
        raise typer.Exit(terminal.PARTLY)
